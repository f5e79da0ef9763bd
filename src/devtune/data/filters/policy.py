"""The reading of a policy file of `data_prep/policy/`; writes nothing."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from devtune.errors import RecipeError, one_line


class PolicySection(BaseModel):
    """What all policies share: unknown keys are errors, and none may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def _compile(value: object) -> re.Pattern[str]:
    if not isinstance(value, str):
        raise ValueError(f"a regular expression is text, not {value!r}")
    try:
        return re.compile(value)
    except re.error as error:
        raise ValueError(f"bad regular expression {value!r}: {error}") from None


Patterns = tuple[
    Annotated[
        re.Pattern[str], BeforeValidator(_compile), PlainSerializer(lambda each: each.pattern)
    ],
    ...,
]
Model = TypeVar("Model", bound=PolicySection)


def read_policy(file: Path, model: type[Model], holds: str) -> Model:
    """Read a policy file, which `holds` something a key, said in words.

    Raises `RecipeError`, one line naming the file and what is wrong.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise RecipeError(one_line(error, file)) from None
    except UnicodeDecodeError:
        raise RecipeError(f"{file}: not UTF-8 text; a policy is YAML") from None
    return _parse(file, text, model, holds)


@lru_cache(32)
def _parse(file: Path, text: str, model: type[Model], holds: str) -> Model:
    # Each part of the work asks for its policies; parsing YAML takes longer than many a part.
    try:
        return model.model_validate(YAML(typ="safe", pure=True).load(text))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = str(error.problem).splitlines()[0]
        raise RecipeError(f"{file}:{line}: not valid YAML: {problem}; correct it") from None
    except YAMLError as error:
        raise RecipeError(f"{file}: not valid YAML: {str(error).splitlines()[0]}") from None
    except ValidationError as error:
        raise RecipeError(f"{file}: {_explain(error, model, holds)}") from None


def _explain(error: ValidationError, model: type[PolicySection], holds: str) -> str:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"]) or "the file"
    match first["type"]:
        case "extra_forbidden":
            return f"unknown key {key!r}; the keys are {', '.join(model.model_fields)}"
        case "missing":
            return f"{key!r} is missing; write it, be it as an empty list []"
        case "value_error":
            return f"{key}: {first['msg'].removeprefix('Value error, ')}; correct it"
        case _:
            return f"{key}: {first['msg']}; each key holds {holds}"

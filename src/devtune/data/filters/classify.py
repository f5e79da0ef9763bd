"""Why a file is left out of the corpus: its path, its kind, its size or its bytes.

Reads the policy file of `data_prep/policy/`; writes nothing. The functions are pure.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from devtune.errors import RecipeError, one_line
from devtune.records import Split

SNIFFED_BYTES = 8192
HEADER_LINES = 5
PATH_REASONS = ("vendored", "generated", "lock_file", "minified", "data_file")


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


class Policy(BaseModel):
    """The policy file: for each reason the patterns of the paths it takes out."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    vendored: Patterns
    """Other people's code kept in the tree."""
    generated: Patterns
    """Written by a program, as its path says."""
    lock_file: Patterns
    """Resolved dependencies."""
    minified: Patterns
    """Code squeezed for browsers."""
    data_file: Patterns
    """Data rather than code or prose."""
    generated_headers: Patterns
    """Written by a program, as its first five lines say."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a source is read: what is left out, and which share is kept for measuring."""

    policy: Policy
    max_bytes: int
    max_line_length: int
    """In characters."""
    held_out: float
    """Share from 0 to 1."""

    def split_by_file(self, source: str, path: str) -> Split:
        """Put a file on one side by the hash of its name: the same in every run and machine."""
        digest = hashlib.sha256(f"{source}/{path}".encode()).digest()
        share = int.from_bytes(digest[:8], "big") / 2**64
        return "held_out" if share < self.held_out else "train"


def load_policy(file: Path) -> Policy:
    """Read a policy file. Raises `RecipeError`, one line naming the file and what is wrong."""
    try:
        values = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
        return Policy.model_validate(values)
    except OSError as error:
        raise RecipeError(one_line(error, file)) from None
    except UnicodeDecodeError:
        raise RecipeError(f"{file}: not UTF-8 text; a policy is YAML") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = str(error.problem).splitlines()[0]
        raise RecipeError(f"{file}:{line}: not valid YAML: {problem}; correct it") from None
    except YAMLError as error:
        raise RecipeError(f"{file}: not valid YAML: {str(error).splitlines()[0]}") from None
    except ValidationError as error:
        raise RecipeError(f"{file}: {_explain(error)}") from None


def reject_path(path: str, policy: Policy) -> str | None:
    """Return the reason a path alone is left out, or None. `path` has forward slashes."""
    for reason in PATH_REASONS:
        patterns: Patterns = getattr(policy, reason)
        if any(pattern.search(path) for pattern in patterns):
            return reason
    return None


def reject_content(content: bytes, policy: Policy, max_line_length: int) -> str | None:
    """Return the reason a file's bytes leave it out, or None; lengths in characters."""
    if not content:
        return "empty"
    if b"\0" in content[:SNIFFED_BYTES]:
        return "binary"
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return "not_utf8"
    lines = text.split("\n")
    header = "\n".join(lines[:HEADER_LINES])[:SNIFFED_BYTES]
    if any(pattern.search(header) for pattern in policy.generated_headers):
        return "generated"
    if max(map(len, lines)) > max_line_length:
        return "long_line"
    return None


def decode_path(path: bytes) -> str | None:
    """Return a path as text, or None where it is not UTF-8."""
    try:
        return path.decode("utf-8")
    except UnicodeDecodeError:
        return None


def spell_path(path: bytes) -> str:
    r"""Return a path that can be written down: bytes that are no UTF-8 become `\xff`."""
    return path.decode("utf-8", "backslashreplace")


def _explain(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"]) or "the file"
    match first["type"]:
        case "extra_forbidden":
            return f"unknown key {key!r}; the keys are {', '.join(Policy.model_fields)}"
        case "missing":
            return f"{key!r} is missing; an empty list [] switches it off"
        case "value_error":
            return f"{key}: {first['msg'].removeprefix('Value error, ')}; correct it"
        case _:
            return f"{key}: {first['msg']}; each key holds a list of regular expressions"

"""What is wrong with a recipe, in one line: the place it was written, the key, the remedy.

Knows the grammar in `recipe.py` and pydantic's way of telling faults; reads and writes nothing.
"""

import difflib
import math
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError

from devtune.errors import RecipeError
from devtune.recipe import Recipe

Loc = tuple[str | int, ...]
"""A place in a recipe as its file spells it: `("build", "steps", 0, "prompt")`."""
Models = tuple[type[BaseModel], ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written: `file:line`, or `--set`."""

    file: Path | None
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.file else "--set"


def explain(error: ValidationError, origins: Mapping[Loc, Origin], file: Path) -> str:
    """One line for the first fault; how many more there are behind it."""
    faults = _leaves(error)
    unknown = [fault for fault in faults if fault["type"] == "extra_forbidden"]
    fault = (unknown or faults)[0]
    loc, owners = _written(fault["loc"])
    place = nearest_origin(loc, origins) or file
    dotted = ".".join(str(part) for part in loc)
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    kind = fault["type"]
    if kind == "extra_forbidden":
        return f"{place}: unknown key `{dotted}`{_did_you_mean(loc, owners)}{more}"
    if kind == "missing":
        return f"{place}: `{dotted}` is missing{_sentence(loc, owners)}{more}"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        tags = ", ".join(sorted(_tag_names(_descend(owners, loc[-1]))))
        return f"{place}: `{dotted}.type` must be one of {tags}{more}"
    if kind in _MUST_BE:
        return f"{place}: `{dotted}` must be {_MUST_BE[kind]}{more}"
    got = f", got {fault['input']!r}" if isinstance(fault["input"], str | int | float) else ""
    return f"{place}: `{dotted}`: {fault['msg'].lower()}{got}{more}"


_MUST_BE = {
    "tuple_type": "a list, written whole",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "path_type": "a path",
}


def _leaves(error: ValidationError) -> list[Any]:
    """The faults without those that only follow from a fault inside them."""
    faults = error.errors()
    places = [fault["loc"] for fault in faults]
    return [
        fault
        for fault in faults
        if not any(
            len(each) > len(loc := fault["loc"]) and each[: len(loc)] == loc for each in places
        )
    ]


def check_kinds(recipe: Recipe, values: Any, origins: Mapping[Loc, Origin]) -> None:
    """Raise for a value pydantic would quietly turn into another: `no`, "1e-4", true, .inf."""
    for loc, problem in _kinds(recipe, values, ()):
        dotted = ".".join(str(part) for part in loc)
        raise RecipeError(f"{nearest_origin(loc, origins)}: `{dotted}` {problem}")


def _kinds(value: Any, raw: Any, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if isinstance(value, BaseModel) and isinstance(raw, dict):
        for name, info in type(value).model_fields.items():
            key = info.alias or name
            if key in raw:
                yield from _kinds(getattr(value, name), raw[key], (*loc, key))
    elif isinstance(value, tuple) and isinstance(raw, list):
        for index, each in enumerate(cast(tuple[Any, ...], value)):
            yield from _kinds(each, raw[index], (*loc, index))
    elif isinstance(value, bool) and not isinstance(raw, bool):
        yield loc, f"must be true or false, got {raw!r}"
    elif isinstance(value, int | float):
        if isinstance(raw, str) or isinstance(raw, bool) != isinstance(value, bool):
            yield loc, f"must be a number, got {raw!r}"
        elif not math.isfinite(value):
            yield loc, f"must be a finite number, got {raw!r}"


def _written(loc: tuple[str | int, ...]) -> tuple[Loc, Models]:
    """A pydantic location as the file spells it, i.e. without union tags, and what owns its end."""
    written: list[str | int] = []
    models: Models = (Recipe,)
    owners = models
    for part in loc:
        if isinstance(part, str) and part in _tag_names(models) and not _has_field(models, part):
            models = tuple(model for model in models if _tag_of(model) == part)
            continue
        written.append(part)
        owners, models = models, _descend(models, part)
    return tuple(written), owners


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {info.alias or name: info.annotation for name, info in model.model_fields.items()}


def _has_field(models: Sequence[type[BaseModel]], name: str) -> bool:
    return any(name in _fields(model) for model in models)


def _descend(models: Sequence[type[BaseModel]], part: str | int) -> Models:
    if isinstance(part, int):
        return tuple(models)
    found: list[type[BaseModel]] = []
    for model in models:
        if part in _fields(model):
            found.extend(_models_in(_fields(model)[part]))
    return tuple(found)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, types.UnionType, tuple, list, Annotated):
        for each in get_args(annotation):
            yield from _models_in(each)


def _tag_of(model: type[BaseModel]) -> str | None:
    info = model.model_fields.get("type")
    return get_args(info.annotation)[0] if info else None


def _tag_names(models: Sequence[type[BaseModel]]) -> set[str]:
    return {tag for tag in map(_tag_of, models) if tag} if len(models) > 1 else set()


def _did_you_mean(loc: Loc, owners: Models) -> str:
    names = sorted({name for model in owners for name in _fields(model)})
    near = difflib.get_close_matches(str(loc[-1]), names, n=1, cutoff=0.4)
    return f"; did you mean `{near[0]}`?" if near else f"; valid keys: {', '.join(names)}"


def _sentence(loc: Loc, owners: Models) -> str:
    for model in owners:
        for name, info in model.model_fields.items():
            if (info.alias or name) == loc[-1] and info.description:
                return f": {info.description.rstrip('.')}"
    return ""


def nearest_origin(loc: Loc, origins: Mapping[Loc, Origin]) -> Origin | None:
    """Return where the value at `loc`, or the nearest thing around it, was written."""
    for length in range(len(loc), 0, -1):
        if loc[:length] in origins:
            return origins[loc[:length]]
    return None

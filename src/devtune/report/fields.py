"""A recipe explained: where each value comes from, what each field means, and its JSON Schema."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

from pydantic import BaseModel

from devtune.config import Loc, Origin, Resolved
from devtune.recipe import Recipe


class Value(NamedTuple):
    """One value of a recipe: its dotted name, the value as text, and who says so."""

    name: str
    text: str
    origin: Origin | None
    """None for a default."""


def values_of(resolved: Resolved) -> Iterator[Value]:
    """Yield every value of a recipe, in the order of its sections."""
    for loc, value in _leaves(resolved.recipe, ()):
        dotted = ".".join(str(part) for part in loc)
        yield Value(dotted, _text(value), _origin(loc, resolved.origins))


def show(resolved: Resolved) -> str:
    """Return one line a value: its dotted name, the value, and the file that says so."""
    lines = [
        (f"{each.name}: {each.text}", str(each.origin) if each.origin else "default")
        for each in values_of(resolved)
    ]
    width = min(max(len(left) for left, _ in lines), 88)
    return "\n".join(f"{left:<{width}}  # {right}" for left, right in lines)


def _leaves(value: Any, loc: Loc) -> Iterator[tuple[Loc, Any]]:
    if isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            yield from _leaves(getattr(value, name), (*loc, info.alias or name))
    elif isinstance(value, tuple):
        for index, each in enumerate(cast(tuple[Any, ...], value)):
            yield from _leaves(each, (*loc, index))
    elif isinstance(value, dict):
        for name, each in cast(dict[str, Any], value).items():
            yield from _leaves(each, (*loc, name))
    else:
        yield loc, value


def _origin(loc: Loc, origins: dict[Loc, Origin]) -> Origin | None:
    """A value of a list or mapping written in one line belongs to that line."""
    if loc in origins:
        return origins[loc]
    inside = [each for each in origins if each[:-1] == loc[:-1]]
    parent = origins.get(loc[:-1])
    return parent if parent is not None and not inside else None


def _text(value: Any) -> str:
    if isinstance(value, Path):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def describe_section(stage: str) -> str:
    """Return the fields of a stage's section: name, type, default and sentence."""
    schema = Recipe.model_json_schema(by_alias=True)
    return "\n".join(_describe(schema["properties"][stage], schema["$defs"], stage))


def _describe(node: dict[str, Any], definitions: dict[str, Any], prefix: str) -> Iterator[str]:
    for choice in _choices(node, definitions):
        if len(list(_choices(node, definitions))) > 1:
            yield f"\n{prefix} of type {choice['properties']['type']['const']}:"
        required = choice.get("required", [])
        for name, field in choice.get("properties", {}).items():
            default = f" = {json.dumps(field['default'])}" if "default" in field else ""
            marker = " (required)" if name in required and "const" not in field else ""
            simple = default if len(default) < 60 else ""
            yield f"  {prefix}.{name}{simple}{marker}"
            if "description" in field:
                yield f"      {field['description']}"
            if list(_choices(field, definitions)):
                yield from _describe(field, definitions, f"{prefix}.{name}")


def _choices(node: dict[str, Any], definitions: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for each in (node, node.get("items", {})):
        for reference in (each, *each.get("oneOf", []), *each.get("anyOf", [])):
            target = definitions.get(reference.get("$ref", "").rpartition("/")[2])
            if target and "properties" in target:
                yield target


def json_schema() -> str:
    """Return the JSON Schema of a whole recipe; a fragment is any part of it, plus `use`."""
    schema = Recipe.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["properties"]["use"] = {
        "type": "array",
        "items": {"type": "string"},
        "description": "Files merged beneath this one; paths are relative to this file.",
    }
    del schema["required"]  # what a file leaves out, the files it uses may say
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"

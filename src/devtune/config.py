"""YAML files and `--set` overrides → one checked `Recipe`, with the place each value came from.

Reads the recipe and every file its `use:` names; writes nothing. No torch, no side effects.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from devtune.errors import RecipeError
from devtune.faults import Loc, Origin, check_kinds, explain, nearest_origin
from devtune.paths import Located
from devtune.recipe import Recipe
from devtune.upstream import check_trainer_args


@dataclass(frozen=True, slots=True)
class Resolved:
    """A checked recipe and the origin of every value that was written down."""

    recipe: Recipe
    origins: dict[Loc, Origin]
    file: Path

    def place(self, loc: Loc) -> Origin | Path:
        """Return where the value at `loc` was written, or the recipe's file for a default."""
        return nearest_origin(loc, self.origins) or self.file


def load(path: Path | str, overrides: Sequence[str] = ()) -> Resolved:
    """Read, merge and check one recipe.

    `overrides` are `dotted.key=value` texts, the value in YAML. Raises `RecipeError` naming file,
    line and, for an unknown key, the nearest valid one.
    """
    file = Path(path).absolute()
    origins: dict[Loc, Origin] = {}
    values = _read_file(file, origins, ())
    for override in overrides:
        _apply_override(values, origins, override)
    try:
        recipe = Recipe.model_validate(values)
    except ValidationError as error:
        raise RecipeError(explain(error, origins, file)) from None
    check_kinds(recipe, values, origins)
    check_trainer_args(recipe, origins)
    return Resolved(recipe, origins, file)


# --- reading ------------------------------------------------------------------------------------


def _read_file(file: Path, origins: dict[Loc, Origin], used_by: tuple[Path, ...]) -> dict[str, Any]:
    if file in used_by:
        chain = " -> ".join(str(each) for each in (*used_by, file))
        raise RecipeError(f"{file}: `use:` goes in a circle ({chain}); remove one of the links")
    top, own = _parse(file)
    fragments = top.pop("use", [])
    if not isinstance(fragments, list) or not all(isinstance(each, str) for each in fragments):
        raise RecipeError(f"{file}: `use:` takes a list of paths")
    merged: dict[str, Any] = {}
    for fragment in fragments:
        target = (file.parent / fragment).resolve()
        if not target.is_file():
            raise RecipeError(f"{own[('use',)]}: no such file: {target}; correct `use:`")
        part: dict[Loc, Origin] = {}
        merged = _merge(merged, _read_file(target, part, (*used_by, file)), origins, part, ())
    return _merge(merged, top, origins, own, ())


def _parse(file: Path) -> tuple[dict[str, Any], dict[Loc, Origin]]:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise RecipeError(f"{file}: {error.strerror}; give the path of a recipe") from None
    except UnicodeDecodeError:
        raise RecipeError(f"{file}: not UTF-8 text; a recipe is YAML") from None
    node = _yaml(text, f"{file}:")
    if node is None:
        return {}, {}
    if not isinstance(node, CommentedMap):
        kind = "list" if isinstance(node, CommentedSeq) else "single value"
        raise RecipeError(f"{file}:1: a recipe is a mapping of sections, not a {kind}")
    origins: dict[Loc, Origin] = {}
    return _plain(node, file, origins, ()), origins


def _yaml(text: str, where: str) -> Any:
    """`where` ends in a colon when a line number may follow."""
    try:
        return YAML(typ="rt").load(text)
    except DuplicateKeyError as error:
        problem = (error.problem or "duplicate key").split(" with ")[0]
        raise RecipeError(f"{_at(where, error)}: {problem}; keep one of the two") from None
    except MarkedYAMLError as error:
        raise RecipeError(f"{_at(where, error)}: not valid YAML: {error.problem}") from None
    except RecursionError:
        raise RecipeError(f"{where.rstrip(':')}: nested too deeply; flatten it") from None
    except YAMLError as error:
        raise RecipeError(
            f"{where.rstrip(':')}: not valid YAML: {str(error).splitlines()[0]}"
        ) from None


def _at(where: str, error: MarkedYAMLError) -> str:
    if not where.endswith(":") or error.problem_mark is None:
        return where.rstrip(":")
    return f"{where}{error.problem_mark.line + 1}"


def _plain(node: Any, file: Path | None, origins: dict[Loc, Origin], loc: Loc) -> Any:
    """Strip ruamel's types, note where each key stands, and let strings remember their file."""
    folder = file.parent if file else Path.cwd()
    if tag := getattr(getattr(node, "tag", None), "value", None):
        place = nearest_origin(loc, origins) or file
        raise RecipeError(f"{place}: the tag {tag} means nothing in a recipe; remove it")
    if isinstance(node, CommentedMap):
        result: dict[str, Any] = {}
        for key, value in node.items():
            name = str(key)
            line = node.lc.key(key)[0] if key in (node.lc.data or {}) else node.lc.line
            origins[(*loc, name)] = Origin(file, line + 1)
            result[name] = _plain(value, file, origins, (*loc, name))
        return result
    if isinstance(node, CommentedSeq):
        items: list[Any] = []
        for index, value in enumerate(node):
            origins[(*loc, index)] = Origin(file, node.lc.item(index)[0] + 1)
            items.append(_plain(value, file, origins, (*loc, index)))
        return items
    if isinstance(node, bool | type(None)):
        return node
    if isinstance(node, str):
        return Located(str(node), folder)
    for exact in (int, float):
        if isinstance(node, exact):
            return exact(node)
    return str(node)


def _merge(
    old: dict[str, Any],
    new: dict[str, Any],
    origins: dict[Loc, Origin],
    new_origins: dict[Loc, Origin],
    loc: Loc,
) -> dict[str, Any]:
    """Mappings merge, all else is replaced; a mapping of another `type` replaces the old one."""
    merged = dict(old)
    for key, value in new.items():
        here = (*loc, key)
        before = merged.get(key)
        if isinstance(before, dict) and isinstance(value, dict) and not _other_type(before, value):
            origins[here] = new_origins[here]
            merged[key] = _merge(before, value, origins, new_origins, here)
            continue
        for gone in [each for each in origins if each[: len(here)] == here]:
            del origins[gone]
        origins.update({k: v for k, v in new_origins.items() if k[: len(here)] == here})
        merged[key] = value
    return merged


def _other_type(before: dict[str, Any], value: dict[str, Any]) -> bool:
    return "type" in before and "type" in value and before["type"] != value["type"]


def _apply_override(values: dict[str, Any], origins: dict[Loc, Origin], override: str) -> None:
    key, equals, text = override.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise RecipeError(f"--set {override}: write it as section.key=value")
    if parts[0] == "use":
        raise RecipeError(f"--set {override}: `use:` belongs in a recipe's file; write it there")
    nested: dict[str, Any] = {}
    target = nested
    new_origins: dict[Loc, Origin] = {}
    for depth, part in enumerate(parts):
        new_origins[tuple(parts[: depth + 1])] = Origin(None, 0)
        if depth < len(parts) - 1:
            target = target.setdefault(part, {})
    node = _yaml(text, f"--set {override}")
    target[parts[-1]] = _plain(node, None, new_origins, tuple(parts))
    merged = _merge(values, nested, origins, new_origins, ())
    values.clear()
    values.update(merged)

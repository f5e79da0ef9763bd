"""YAML files and `--set` overrides → one checked `Recipe`, with the place each value came from.

Reads the recipe and every file its `use:` names; writes nothing. No torch, no side effects.
"""

import ast
import difflib
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from devtune.errors import RecipeError
from devtune.paths import Located
from devtune.recipe import Recipe

Loc = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written: `file:line`, or `--set`."""

    file: Path | None
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.file else "--set"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A checked recipe and the origin of every value that was written down."""

    recipe: Recipe
    origins: dict[Loc, Origin]
    file: Path


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
        raise RecipeError(_explain(error, origins, file)) from None
    _check_trainer_args(recipe, origins)
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
    node = _yaml(text, str(file))
    if node is None:
        return {}, {}
    if not isinstance(node, CommentedMap):
        raise RecipeError(
            f"{file}:1: a recipe is a mapping of sections, not a {type(node).__name__}"
        )
    origins: dict[Loc, Origin] = {}
    return _plain(node, file, origins, ()), origins


def _yaml(text: str, where: str) -> Any:
    try:
        return YAML(typ="rt").load(text)
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        problem = (error.problem or "duplicate key").split(" with ")[0]
        raise RecipeError(f"{where}:{line}: {problem}; keep one of the two") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise RecipeError(f"{where}:{line}: not valid YAML: {error.problem}") from None
    except YAMLError as error:
        raise RecipeError(f"{where}: not valid YAML: {str(error).splitlines()[0]}") from None


def _plain(node: Any, file: Path | None, origins: dict[Loc, Origin], loc: Loc) -> Any:
    """Strip ruamel's types, note where each key stands, and let strings remember their file."""
    folder = file.parent if file else Path.cwd()
    if isinstance(node, CommentedMap):
        result: dict[str, Any] = {}
        for key, value in node.items():
            name = str(key)
            origins[(*loc, name)] = Origin(file, node.lc.key(key)[0] + 1)
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
    nested: dict[str, Any] = {}
    target = nested
    new_origins: dict[Loc, Origin] = {}
    for depth, part in enumerate(parts):
        new_origins[tuple(parts[: depth + 1])] = Origin(None, 0)
        if depth < len(parts) - 1:
            target = target.setdefault(part, {})
    node = _yaml(text, f"--set {key}")
    target[parts[-1]] = _plain(node, None, new_origins, tuple(parts))
    merged = _merge(values, nested, origins, new_origins, ())
    values.clear()
    values.update(merged)


# --- explaining ---------------------------------------------------------------------------------


def _explain(error: ValidationError, origins: dict[Loc, Origin], file: Path) -> str:
    """One line for the first fault; how many more there are behind it."""
    faults = error.errors()
    unknown = [fault for fault in faults if fault["type"] == "extra_forbidden"]
    fault = (unknown or faults)[0]
    loc = _written(fault["loc"])
    place = _nearest_origin(loc, origins) or file
    dotted = ".".join(str(part) for part in loc)
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    if fault["type"] == "extra_forbidden":
        return f"{place}: unknown key `{dotted}`{_did_you_mean(loc)}{more}"
    if fault["type"] == "missing":
        return f"{place}: `{dotted}` is missing{_sentence(loc)}{more}"
    if fault["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return f"{place}: `{dotted}.type` must be one of {_tags(loc)}{more}"
    got = f", got {fault['input']!r}" if isinstance(fault["input"], str | int | float) else ""
    return f"{place}: `{dotted}`: {fault['msg'].lower()}{got}{more}"


def _written(loc: tuple[str | int, ...]) -> Loc:
    """A pydantic location without the union tags it inserts, i.e. as the file spells it."""
    written: list[str | int] = []
    models: tuple[type[BaseModel], ...] = (Recipe,)
    for part in loc:
        if isinstance(part, str) and part in _tag_names(models) and not _has_field(models, part):
            models = tuple(model for model in models if _tag_of(model) == part)
            continue
        written.append(part)
        models = _descend(models, part)
    return tuple(written)


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {info.alias or name: info.annotation for name, info in model.model_fields.items()}


def _has_field(models: Sequence[type[BaseModel]], name: str) -> bool:
    return any(name in _fields(model) for model in models)


def _descend(models: Sequence[type[BaseModel]], part: str | int) -> tuple[type[BaseModel], ...]:
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


def _owners(loc: Loc) -> tuple[type[BaseModel], ...]:
    models: tuple[type[BaseModel], ...] = (Recipe,)
    for part in loc[:-1]:
        models = _descend(models, part)
    return models


def _did_you_mean(loc: Loc) -> str:
    names = sorted({name for model in _owners(loc) for name in _fields(model)})
    near = difflib.get_close_matches(str(loc[-1]), names, n=1, cutoff=0.4)
    return f"; did you mean `{near[0]}`?" if near else f"; valid keys: {', '.join(names)}"


def _sentence(loc: Loc) -> str:
    for model in _owners(loc):
        for name, info in model.model_fields.items():
            if (info.alias or name) == loc[-1] and info.description:
                return f": {info.description.rstrip('.')}"
    return ""


def _tags(loc: Loc) -> str:
    models = _descend(_owners(loc), loc[-1]) if isinstance(loc[-1], str) else _owners((*loc, ""))
    return ", ".join(sorted(_tag_names(models)))


def _nearest_origin(loc: Loc, origins: dict[Loc, Origin]) -> Origin | None:
    for length in range(len(loc), 0, -1):
        if loc[:length] in origins:
            return origins[loc[:length]]
    return None


_UPSTREAM = {
    "transformers": ("training_args.py",),
    "trl": ("trainer/base_config.py", "trainer/sft_config.py"),
}
# Names of trl 1.16 `SFTConfig` fields that have a field of their own in `SftSection`, or that
# devtune must own: the stage contract, offline operation or the rendered dataset hang on them.
_OWNED = (
    "output_dir", "deepspeed", "bf16", "fp16", "report_to", "push_to_hub", "resume_from_checkpoint",
    "dataset_kwargs", "packing_strategy", "truncation_mode", "eval_strategy", "save_strategy",
    "logging_steps", "do_train", "trust_remote_code",
)  # fmt: skip


def _check_trainer_args(recipe: Recipe, origins: dict[Loc, Origin]) -> None:
    """Names only, against the installed `SFTConfig`; transformers checks the values."""
    own = set(type(recipe.train).model_fields) - {"type", "adapter", "trainer_args"}
    upstream = _upstream_names() if recipe.train.trainer_args else set()
    for name in recipe.train.trainer_args:
        place = _nearest_origin(("train", "trainer_args", name), origins)
        if name in own or name in _OWNED:
            home = f"write it as `train.{name}`" if name in own else "devtune sets it itself"
            raise RecipeError(f"{place}: `train.trainer_args.{name}` is not passed on; {home}")
        if upstream and name not in upstream:
            near = difflib.get_close_matches(name, sorted(upstream - own), n=1, cutoff=0.4)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            raise RecipeError(f"{place}: unknown key `train.trainer_args.{name}`{hint}")


def _upstream_names() -> set[str]:
    """Field names of the installed `SFTConfig`, read from its source: importing it loads torch.

    Empty on a host without the training libraries.
    """
    names: set[str] = set()
    for package, files in _UPSTREAM.items():
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            for file in files:
                tree = ast.parse(Path(folder, file).read_text(encoding="utf-8"))
                classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
                fields = [each for node in classes for each in node.body]
                names |= {
                    each.target.id
                    for each in fields
                    if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
                }
    return names

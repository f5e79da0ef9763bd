"""What can be known to be wrong before anything starts: no torch, no side effects, no waiting."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from devtune.config import Resolved
from devtune.data.prompts import Prompt
from devtune.errors import RecipeError
from devtune.recipe import (
    CheckpointImport,
    CommitEdit,
    DirectorySource,
    GitSource,
    LoraAdapter,
    PackageSource,
    Recipe,
    is_file_reference,
)
from devtune.train.engine import engine_settings


def check(resolved: Resolved, *, anywhere: bool = False) -> list[str]:
    """Raise `RecipeError` for the first fault; return notes on what could not be checked.

    `anywhere` checks the recipe alone, not whether its inputs are on this machine.
    """
    recipe = resolved.recipe
    for name, path in _files(recipe, ""):
        if not path.is_file():
            raise RecipeError(f"{resolved.file}: `{name}`: no such file: {path}; correct the path")
    _check_pipeline(recipe)
    _check_lengths(resolved)
    engine_settings(recipe.train)
    if isinstance(recipe.train.adapter, LoraAdapter):
        _check_pattern("train.adapter.target_modules", recipe.train.adapter.target_modules)
    missing = list(_absent(recipe))
    if missing and not anywhere:
        raise RecipeError(
            f"{resolved.file}: not on this machine: {missing[0]}; correct the path, or use "
            "--anywhere to check the recipe alone"
        )
    return [f"not on this machine: {each}" for each in missing]


def _files(value: Any, name: str) -> Iterator[tuple[str, Path]]:
    """Every file the recipe refers to, with its dotted name."""
    if not isinstance(value, BaseModel):
        for index, each in enumerate(value if isinstance(value, tuple) else ()):
            yield from _files(each, f"{name}.{index}")
        return
    for field, info in type(value).model_fields.items():
        here = f"{name}.{info.alias or field}".lstrip(".")
        each = getattr(value, field)
        if isinstance(each, Path):
            if is_file_reference(info):
                yield here, each
        else:
            yield from _files(each, here)


def _check_pipeline(recipe: Recipe) -> None:
    for number, step in enumerate(recipe.build.steps):
        prompt = getattr(step, "prompt", None)
        if prompt is not None:
            Prompt(prompt)
        if isinstance(step, CommitEdit):
            for pattern in step.skip_subjects:
                _check_pattern(f"build.steps.{number}.skip_subjects", pattern)


def _check_pattern(name: str, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise RecipeError(f"`{name}`: {pattern!r} is no regular expression: {error}") from None


def _check_lengths(resolved: Resolved) -> None:
    render, train = resolved.recipe.render.max_length, resolved.recipe.train.max_length
    if render > train:
        raise RecipeError(
            f"{resolved.file}: render.max_length {render} exceeds train.max_length {train}; "
            "a sample of that length would not fit a row"
        )


def _absent(recipe: Recipe) -> Iterator[str]:
    if isinstance(recipe.import_, CheckpointImport) and not recipe.import_.path.is_dir():
        yield f"import.path {recipe.import_.path}"
    for source in recipe.collect.sources:
        if isinstance(source, GitSource | DirectorySource) and not source.path.exists():
            yield f"collect source {source.path}"
        if isinstance(source, PackageSource) and find_spec(source.name.split(".")[0]) is None:
            yield f"collect source package {source.name}"

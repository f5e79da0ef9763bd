"""What can be known to be wrong before anything starts: no torch, no side effects, no waiting."""

import glob
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from devtune.config import Resolved
from devtune.data.filters.exclusions import load_policy
from devtune.data.filters.expressions import is_known, load_license_policy, normalize
from devtune.data.filters.repositories import ExcludedRepositories
from devtune.data.privacy.personal import load_personal_policy
from devtune.data.privacy.salt import read_salt
from devtune.data.prompts import Prompt
from devtune.data.sources.opening import open_sources
from devtune.data.tools import Tools
from devtune.errors import DevtuneError, RecipeError
from devtune.evaluate.canaries import read_canaries
from devtune.faults import Loc
from devtune.pipeline import PackageSource
from devtune.recipe import CheckpointImport, Recipe
from devtune.section import Section, is_file_reference
from devtune.steps.rules import ExcludedPaths, License
from devtune.train.engine import check_shared_rows, engine_settings
from devtune.tuning import LoraAdapter

PATTERN_FIELDS = {"authors", "skip", "subjects"}
"""Fields that hold regular expressions."""


def check(resolved: Resolved, *, anywhere: bool = False) -> list[str]:
    """Raise `RecipeError` for the first fault; return notes on what could not be checked.

    `anywhere` checks the recipe alone, not whether its inputs are on this machine.
    """
    recipe = resolved.recipe
    for loc, path in _files(recipe, ()):
        if not path.is_file():
            raise RecipeError(
                f"{resolved.place(loc)}: `{_dotted(loc)}`: no such file: {path}; correct the path"
            )
    _check_pipeline(resolved)
    _check_licenses(resolved)
    _check_numbers(resolved)
    engine_settings(recipe.train)
    check_shared_rows(recipe.train, recipe.cluster.nodes * recipe.cluster.processes_per_node)
    if isinstance(recipe.train.adapter, LoraAdapter):
        loc = ("train", "adapter", "target_modules")
        _check_pattern(resolved, loc, recipe.train.adapter.target_modules)
    missing = list(_absent(recipe))
    if missing and not anywhere:
        loc, what = missing[0]
        raise RecipeError(
            f"{resolved.place(loc)}: not on this machine: {what}; correct the path, or use "
            "--anywhere to check the recipe alone"
        )
    if not anywhere:
        _as_recipe_error(open_sources, recipe.collect)
    return [f"not on this machine: {what}" for _, what in missing]


def _dotted(loc: Loc) -> str:
    return ".".join(str(part) for part in loc)


def _files(value: Any, loc: Loc) -> Iterator[tuple[Loc, Path]]:
    """Every file the recipe refers to, with its place."""
    if not isinstance(value, BaseModel):
        for index, each in enumerate(value if isinstance(value, tuple) else ()):
            yield from _files(each, (*loc, index))
        return
    for field, info in type(value).model_fields.items():
        here = (*loc, info.alias or field)
        each = getattr(value, field)
        if isinstance(each, Path):
            if is_file_reference(info):
                yield here, each
        else:
            yield from _files(each, here)


def _check_pipeline(resolved: Resolved) -> None:
    """Read every policy, prompt, set of tools and pattern the data half names."""
    collect = resolved.recipe.collect
    for rule in collect.file_rules:
        if isinstance(rule, ExcludedPaths):
            load_policy(rule.policy)
        if isinstance(rule, License):
            load_license_policy(rule.policy)
    read_salt(collect.salt)
    if collect.personal_data:
        load_personal_policy(collect.personal_data)
    if canaries := resolved.recipe.evaluate.canaries:
        read_canaries(canaries)
    if collect.exclude_repositories:
        ExcludedRepositories.load(collect.exclude_repositories)
    for number, rule in enumerate(collect.commit_rules):
        _check_patterns(resolved, rule, ("collect", "commit_rules", number))
    for number, step in enumerate(resolved.recipe.build.steps):
        _check_patterns(resolved, step, ("build", "steps", number))
        if prompt := getattr(step, "prompt", None):
            _as_recipe_error(Prompt, prompt)
        if tools := getattr(step, "tools", None):
            _as_recipe_error(Tools, tools)


def _as_recipe_error(read: Callable[[Any], object], value: object) -> None:
    try:
        read(value)
    except DevtuneError as error:
        raise RecipeError(str(error)) from None


def _check_patterns(resolved: Resolved, part: Section, loc: Loc) -> None:
    for name in PATTERN_FIELDS & set(type(part).model_fields):
        for index, pattern in enumerate(getattr(part, name)):
            _check_pattern(resolved, (*loc, name, index), pattern)


def _check_pattern(resolved: Resolved, loc: Loc, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise RecipeError(
            f"{resolved.place(loc)}: `{_dotted(loc)}`: {pattern!r} is no regular expression:"
            f" {error}; correct it"
        ) from None


def _check_licenses(resolved: Resolved) -> None:
    for number, source in enumerate(resolved.recipe.collect.sources):
        if not source.license or is_known(source.license):
            continue
        loc = ("collect", "sources", number, "license")
        meant = normalize(source.license)
        raise RecipeError(
            f"{resolved.place(loc)}: `{_dotted(loc)}`: {source.license!r} is no SPDX id; write"
            f" {meant if is_known(meant) else 'one, or LicenseRef- and a name of your own'}"
        )


def _check_numbers(resolved: Resolved) -> None:
    render, train = resolved.recipe.render.max_length, resolved.recipe.train.max_length
    if render > train:
        raise RecipeError(
            f"{resolved.place(('render', 'max_length'))}: render.max_length {render} exceeds "
            f"train.max_length {train}; a sample of that length would not fit a row"
        )
    if resolved.recipe.train.load_best_model_at_end and not resolved.recipe.train.eval_steps:
        raise RecipeError(
            f"{resolved.place(('train', 'load_best_model_at_end'))}: `train.load_best_model_at_end`"
            " needs `train.eval_steps`; set it, or take the last state"
        )
    if (steps := resolved.recipe.train.max_steps) < 1 and steps != -1:
        raise RecipeError(
            f"{resolved.place(('train', 'max_steps'))}: `train.max_steps` is {steps}; write a "
            "number of steps, or -1 for whole epochs"
        )


def _absent(recipe: Recipe) -> Iterator[tuple[Loc, str]]:
    if isinstance(recipe.import_, CheckpointImport) and not recipe.import_.path.is_dir():
        yield ("import", "path"), f"import.path {recipe.import_.path}"
    for number, source in enumerate(recipe.collect.sources):
        loc = ("collect", "sources", number)
        path = getattr(source, "path", None)
        if path is not None and not path.exists() and not glob.glob(str(path)):  # noqa: PTH207
            yield (*loc, "path"), f"collect source {path}"
        if isinstance(source, PackageSource) and not _is_installed(source.name):
            yield (*loc, "name"), f"collect source package {source.name}"


def _is_installed(package: str) -> bool:
    top = package.split(".")[0]
    return top.isidentifier() and find_spec(top) is not None

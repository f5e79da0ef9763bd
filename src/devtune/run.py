"""Runs stages of the line through the contract, each with its section and its directories."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from devtune.config import Resolved
from devtune.errors import DevtuneError
from devtune.fingerprint import identity_of
from devtune.line import LINE, NAMES, Stage
from devtune.progress import Progress
from devtune.recipe import Recipe
from devtune.section import Section
from devtune.stage import run_stage
from devtune.tuning import TrainSection

PERMISSIONS = {"owner": 0o700, "group": 0o750, "everyone": 0o755}
"""Of folders that hold texts of the sources; files the same without the right to enter."""


def run_line(
    resolved: Resolved, progress: Progress, only: tuple[str, ...] = NAMES
) -> dict[str, dict[str, Any]]:
    """Run the named stages in order and return their manifests by stage name.

    A stage whose result is there already costs nothing; bad input fails before any work.
    """
    manifests: dict[str, dict[str, Any]] = {}
    for stage in LINE:
        if stage.name in only:
            manifests[stage.name] = run_one(stage, resolved.recipe, progress)
    return manifests


def run_one(stage: Stage, recipe: Recipe, progress: Progress) -> dict[str, Any]:
    """Run one stage through the contract and say what came of it."""
    section = section_of(recipe, stage.name)
    inputs = {name: directory(recipe, name) for name in stage.inputs}
    found = _found(stage, recipe)
    out = directory(recipe, stage.output)

    def work(scratch: Path) -> Any:
        others = [section_of(recipe, name) for name in stage.also]
        outcome = named(stage.function)(
            section, *others, *inputs.values(), out=scratch, progress=progress
        )
        if _found(stage, recipe) != found:
            raise DevtuneError(f"{stage.name}: its source changed while it was read; run it again")
        return outcome

    identity = identity_of(section, found)
    try:
        manifest, done = run_stage(
            stage.name, identity, inputs, out, work, resumable=stage.resumable,
            precious=stage.precious,
            permissions=PERMISSIONS[recipe.readable_by] if stage.is_private else None,
        )  # fmt: skip
    finally:
        progress.close()
    note = "" if done else "already done: "
    progress.say(stage.name, note + manifest["summary"], done=done, out=str(out))
    return manifest


def _found(stage: Stage, recipe: Recipe) -> dict[str, str]:
    """What the result depends on besides values: the content behind paths, and the machines."""
    found: dict[str, str] = {}
    if stage.identify:
        found = dict(named(stage.identify)(section_of(recipe, stage.name)))
    if "cluster" in stage.also:
        cluster = recipe.cluster
        found["accelerator"] = cluster.accelerator
        if isinstance(section := section_of(recipe, stage.name), TrainSection):
            ranks = cluster.nodes * cluster.processes_per_node
            found["total_train_batch_size"] = str(section.total_train_batch_size(ranks))
    return found


def directory(recipe: Recipe, output: str) -> Path:
    """Where a stage's directory is: under run_dir, but for weights shared by several recipes."""
    shared = recipe.import_.out if output == "base" else None
    return shared or recipe.run_dir / output


def section_of(recipe: Recipe, name: str) -> Section:
    """Return the section a stage owns."""
    return getattr(recipe, "import_" if name == "import" else name)


def named(reference: str) -> Callable[..., Any]:
    """Import the function `module:function` stands for; a missing extra is one line."""
    module, _, function = reference.partition(":")
    try:
        return getattr(import_module(module), function)
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] == "devtune":
            raise
        raise DevtuneError(
            f"{module}: needs the package {error.name}; install devtune with its `train` extra"
        ) from None

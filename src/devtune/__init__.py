"""devtune: from a private repository to a served model, on your own hardware.

The verbs of the command line, for notebooks:

    recipe = devtune.load("recipes/quickstart/recipe.yaml", {"train.max_steps": 20})
    devtune.prepare(recipe); devtune.train(recipe); devtune.export(recipe); devtune.evaluate(recipe)

Each takes a recipe or its path, runs what is not done yet, and returns what a notebook can show.
"""

import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from devtune.offline import go_offline

if TYPE_CHECKING:
    from devtune.notebook.dataset import Dataset
    from devtune.notebook.recipes import LoadedRecipe
    from devtune.notebook.results import Report, Serving, Training

__version__ = "0.1.0"
__all__ = ["evaluate", "export", "load", "prepare", "run", "train"]

go_offline()


def load(path: Path | str, overrides: Sequence[str] | Mapping[str, Any] = ()) -> "LoadedRecipe":
    """Read and check a recipe.

    `overrides` are `section.key=value` texts as for `--set`, or values by dotted name.
    """
    from devtune.notebook.recipes import load_recipe

    return load_recipe(path, overrides)


def prepare(recipe: "LoadedRecipe | Path | str", *, quiet: bool = False) -> "Dataset":
    """Weights and repositories → base/, corpus/, samples/ and dataset/."""
    from devtune.notebook.dataset import Dataset

    return Dataset(_run(recipe, ("import", "collect", "build", "render"), quiet))


def train(recipe: "LoadedRecipe | Path | str", *, quiet: bool = False) -> "Training":
    """dataset/ → adapter/, resumed where a killed run left it."""
    from devtune.notebook.results import Training

    return Training(_run(recipe, ("train",), quiet))


def export(recipe: "LoadedRecipe | Path | str", *, quiet: bool = False) -> "Serving":
    """adapter/ → model/ → serving/, with its load check."""
    from devtune.notebook.results import Serving

    return Serving(_run(recipe, ("merge", "export"), quiet))


def evaluate(recipe: "LoadedRecipe | Path | str", *, quiet: bool = False) -> "Report":
    """base/ against serving/ on what was held out → report/."""
    from devtune.notebook.results import Report

    return Report(_run(recipe, ("evaluate",), quiet))


def run(recipe: "LoadedRecipe | Path | str", *, quiet: bool = False) -> "Report":
    """The whole line, up to report/."""
    from devtune.line import NAMES
    from devtune.notebook.results import Report

    return Report(_run(recipe, NAMES, quiet))


def _run(recipe: "LoadedRecipe | Path | str", stages: tuple[str, ...], quiet: bool) -> Path:
    """Run what is not done yet of `stages`; return the directory of the last one."""
    from devtune.notebook.recipes import opened
    from devtune.progress import Progress
    from devtune.run import run_line

    loaded = opened(recipe)
    with warnings.catch_warnings():
        # A library that finds itself in a notebook asks for widgets; stages speak in plain lines.
        warnings.filterwarnings("ignore", message="IProgress not found")
        run_line(loaded.resolved, Progress("quiet" if quiet else "auto"), stages)
    return loaded.directory(stages[-1])


_VERBS = {each.__name__: each for each in (evaluate, run, train)}
"""Verbs that share their name with a room or module of this package."""


class _Room(ModuleType):
    """A room that is called does what its verb does."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return _VERBS[self.__name__.rpartition(".")[2]](*arguments, **named)


class _Package(ModuleType):
    """Importing `devtune.train` puts the room where its verb was; there it stays a verb."""

    def __setattr__(self, name: str, value: object) -> None:
        if name in _VERBS and isinstance(value, ModuleType):
            value.__class__ = _Room
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package

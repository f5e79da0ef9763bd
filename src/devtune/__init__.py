"""devtune: from a private repository to a served model, on your own hardware.

The verbs of the command line, for notebooks:

    recipe = devtune.load("recipes/quickstart/recipe.yaml", ["train.max_steps=20"])
    devtune.prepare(recipe); devtune.train(recipe); devtune.export(recipe); devtune.evaluate(recipe)

Each returns the manifests of its stages, and does nothing when they are there already.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devtune.offline import go_offline

if TYPE_CHECKING:
    from devtune.config import Resolved

__version__ = "0.1.0"
__all__ = ["evaluate", "export", "load", "prepare", "run", "train"]

go_offline()


def load(path: Path | str, overrides: Sequence[str] = ()) -> "Resolved":
    """Read and check a recipe; `overrides` are `section.key=value` texts as for `--set`."""
    from devtune import config

    return config.load(path, overrides)


def prepare(recipe: "Resolved", *, quiet: bool = False) -> dict[str, Any]:
    """Weights and repositories → base/, corpus/, samples/ and dataset/."""
    return _run(recipe, ("import", "collect", "build", "render"), quiet)


def train(recipe: "Resolved", *, quiet: bool = False) -> dict[str, Any]:
    """dataset/ → adapter/, resumed where a killed run left it."""
    return _run(recipe, ("train",), quiet)


def export(recipe: "Resolved", *, quiet: bool = False) -> dict[str, Any]:
    """adapter/ → model/ → serving/, with its load check."""
    return _run(recipe, ("merge", "export"), quiet)


def evaluate(recipe: "Resolved", *, quiet: bool = False) -> dict[str, Any]:
    """base/ against serving/ on what was held out → report/."""
    return _run(recipe, ("evaluate",), quiet)


def run(recipe: "Resolved", *, quiet: bool = False) -> dict[str, Any]:
    """The whole line."""
    from devtune.line import NAMES

    return _run(recipe, NAMES, quiet)


def _run(recipe: "Resolved", stages: tuple[str, ...], quiet: bool) -> dict[str, Any]:
    from devtune.progress import Progress
    from devtune.run import run_line

    return run_line(recipe, Progress("quiet" if quiet else "auto"), stages)

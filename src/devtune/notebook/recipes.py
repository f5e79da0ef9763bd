"""A recipe as a notebook holds it: read, checked, and shown with the place of every value.

Reads the recipe and the files it uses; writes nothing.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from devtune import config
from devtune.config import Resolved
from devtune.errors import RecipeError
from devtune.line import LINE
from devtune.recipe import Recipe
from devtune.run import directory

Overrides = Sequence[str] | Mapping[str, Any]
"""`["train.max_steps=20"]` as after `--set`, or `{"train.max_steps": 20}`."""


class LoadedRecipe:
    """A checked recipe; `resolved` has every value, and where each was written."""

    def __init__(self, resolved: Resolved) -> None:
        self.resolved = resolved

    @property
    def values(self) -> Recipe:
        """The sections: `recipe.values.train.learning_rate`."""
        return self.resolved.recipe

    @property
    def run_dir(self) -> Path:
        """Where every stage writes its directory."""
        return self.values.run_dir

    def directory(self, stage: str) -> Path:
        """Where the result of `stage` is, or will be."""
        return directory(self.values, next(each.output for each in LINE if each.name == stage))

    def __repr__(self) -> str:
        return f"LoadedRecipe({str(self.resolved.file)!r}, run_dir={str(self.run_dir)!r})"

    def _repr_html_(self) -> str:
        from devtune.report.cells import recipe_cell

        return recipe_cell(self.resolved)


def load_recipe(path: Path | str, overrides: Overrides = ()) -> LoadedRecipe:
    """Read and check a recipe.

    Raises `RecipeError` naming file, line and, for an unknown key, the nearest valid one.
    """
    return LoadedRecipe(config.load(path, _texts(overrides)))


def opened(recipe: LoadedRecipe | Path | str) -> LoadedRecipe:
    """Return a recipe that may be given by its path."""
    return recipe if isinstance(recipe, LoadedRecipe) else load_recipe(recipe)


def _texts(overrides: Overrides) -> Sequence[str]:
    """The one form of an override; a value becomes YAML, in which JSON is understood."""
    if isinstance(overrides, Mapping):
        return [
            f"{name}={json.dumps(value, ensure_ascii=False, default=str)}"
            for name, value in overrides.items()
        ]
    if isinstance(overrides, str):
        raise RecipeError(f"overrides: {overrides!r} is one text; write [{overrides!r}]")
    return overrides

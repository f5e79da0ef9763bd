from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted(file.parent for file in ROOT.glob("recipes/*/recipe.yaml"))


def test_there_are_recipes():
    assert len(RECIPES) >= 7


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda each: each.name)
def test_a_recipe_states_its_claim(recipe):
    text = (recipe / "README.md").read_text(encoding="utf-8").lower()
    for claim in ("hardware", "wall time", "held-out", "commit"):
        assert claim in text


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda each: each.name)
def test_a_recipe_stands_in_the_table(recipe):
    assert f"[{recipe.name}]({recipe.name}/)" in (ROOT / "recipes" / "README.md").read_text(
        encoding="utf-8"
    )

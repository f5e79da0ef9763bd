from pathlib import Path

import pytest
from ruamel.yaml import YAML

from devtune.check import check
from devtune.config import load
from devtune.data.filters.exclusions import load_policy
from devtune.data.filters.expressions import load_license_policy
from devtune.data.filters.repositories import ExcludedRepositories
from devtune.data.privacy.personal import load_personal_policy
from devtune.recipe import Recipe
from devtune.train.engine import engine_settings

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted(ROOT.glob("recipes/*/recipe.yaml"))
POLICIES = sorted(ROOT.glob("data_prep/policy/*.yaml"))
FRAGMENTS = sorted([*ROOT.glob("configs/**/*.yaml"), *ROOT.glob("data_prep/pipelines/*.yaml")])
ENGINES = sorted(ROOT.glob("configs/deepspeed/*.json"))
EVERYTHING = [
    file for room in ("recipes", "configs", "data_prep") for file in ROOT.glob(f"{room}/**/*.y*ml")
]
READERS = {
    "exclude.yaml": load_policy,
    "licenses.yaml": load_license_policy,
    "personal_data.yaml": load_personal_policy,
    "repositories.yaml": ExcludedRepositories.load,
}
QUICKSTART = ROOT / "recipes" / "quickstart" / "recipe.yaml"


def named(file):
    return str(file.relative_to(ROOT))


def test_every_shipped_yaml_is_looked_at():
    assert len(RECIPES) >= 7
    assert len(FRAGMENTS) >= 13
    assert len(ENGINES) >= 4
    assert sorted([*RECIPES, *POLICIES, *FRAGMENTS]) == sorted(EVERYTHING)


@pytest.mark.parametrize("file", RECIPES, ids=named)
def test_a_recipe_loads_and_nothing_is_wrong_with_it(file):
    notes = check(load(file), anywhere=True)
    assert all(note.startswith("not on this machine: ") for note in notes)


@pytest.mark.parametrize("file", FRAGMENTS, ids=named)
def test_a_part_holds_only_keys_and_values_of_the_grammar(file, tmp_path):
    # Required fields a part leaves out come from the quickstart beneath it.
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(f"use: [{QUICKSTART}, {file}]\n", encoding="utf-8")
    resolved = load(recipe)
    said = [loc for loc, origin in resolved.origins.items() if origin.file == file]
    assert len(said) >= 2
    check(resolved, anywhere=True)


@pytest.mark.parametrize("file", FRAGMENTS, ids=named)
def test_a_part_names_sections_and_never_a_run(file):
    sections = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    fields = {info.alias or name for name, info in Recipe.model_fields.items()}
    assert set(sections) <= (fields | {"use"}) - {"run_dir"}


@pytest.mark.parametrize("file", POLICIES, ids=named)
def test_a_policy_loads(file):
    assert READERS[file.name](file)


@pytest.mark.parametrize("file", ENGINES, ids=named)
def test_an_engine_file_leaves_to_the_recipe_what_is_the_recipes(file):
    section = load(QUICKSTART, [f"train.deepspeed={file}"]).recipe.train
    settings = engine_settings(section)
    assert settings["train_batch_size"] == "auto"
    assert settings["zero_optimization"]["stage"] == int(file.stem.removeprefix("zero")[0])

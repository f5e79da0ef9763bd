import re
from pathlib import Path

import pytest

import devtune
from devtune.errors import RecipeError
from devtune.notebook.recipes import LoadedRecipe, opened

QUICKSTART = Path(__file__).resolve().parents[2] / "recipes" / "quickstart" / "recipe.yaml"


def test_overrides_are_texts_or_values_and_mean_the_same(tmp_path):
    texts = ["train.max_steps=20", f"run_dir={tmp_path}", "train.learning_rate=5e-5"]
    values = {"train.max_steps": 20, "run_dir": tmp_path, "train.learning_rate": 5e-5}
    one, two = devtune.load(QUICKSTART, texts), devtune.load(str(QUICKSTART), values)
    assert one.values == two.values
    assert (two.values.train.max_steps, two.run_dir) == (20, tmp_path)


@pytest.mark.parametrize("value", [["a: [b", "é🙂\n'\""], [], ['{"x": 1}']])
def test_a_value_arrives_as_it_was_given(value):
    recipe = devtune.load(QUICKSTART, {"train.trainer_args": {"label_names": value}})
    assert recipe.values.train.trainer_args == {"label_names": value}


def test_one_text_alone_is_refused_with_what_to_write():
    with pytest.raises(RecipeError) as caught:
        devtune.load(QUICKSTART, "train.max_steps=20")
    assert str(caught.value) == (
        "overrides: 'train.max_steps=20' is one text; write ['train.max_steps=20']"
    )


def test_a_wrong_name_is_the_same_line_as_on_the_command_line():
    with pytest.raises(RecipeError, match="--set: unknown key `train.max_step`.*max_steps"):
        devtune.load(QUICKSTART, {"train.max_step": 3})


def test_a_recipe_may_be_given_by_its_path():
    recipe = devtune.load(QUICKSTART)
    assert opened(recipe) is recipe
    assert opened(QUICKSTART).values == opened(str(QUICKSTART)).values == recipe.values


def test_a_recipe_says_where_its_results_are(tmp_path):
    recipe = devtune.load(QUICKSTART, {"run_dir": tmp_path, "import.out": tmp_path / "shared"})
    assert recipe.directory("train") == tmp_path / "adapter"
    assert recipe.directory("import") == tmp_path / "shared"
    assert repr(recipe) == f"LoadedRecipe('{QUICKSTART}', run_dir='{tmp_path}')"


def test_a_recipe_is_shown_with_the_place_of_each_value(tmp_path):
    recipe = devtune.load(QUICKSTART, {"run_dir": tmp_path / "<b>", "train.max_steps": 3})
    assert isinstance(recipe, LoadedRecipe)
    html = recipe._repr_html_()
    rows = dict(
        re.findall(r"<code>([^<]*)</code></th>.*?<td class=\"place quiet\">(.*?)</td>", html)
    )
    assert rows["learning_rate"].startswith("recipe.yaml:")
    assert rows["adapter.r"].startswith("../../configs/adapter/lora.yaml:")
    assert rows["weight_decay"] == "default"
    assert rows["max_steps"] == "set"
    assert "set for this run:" in html
    assert "&lt;b&gt;" in html
    assert "<b>&" not in html
    assert re.findall(r"<details class=\"section\" open>\n<summary><b>(\w+)", html) == ["train"]

import pytest

from devtune.errors import RecipeError
from devtune.train.engine import OWNED, engine_settings, zero_stage


def test_what_the_recipe_owns_is_left_to_the_recipe(make_section):
    section = make_section(deepspeed_settings={"zero_optimization": {"stage": 2}})
    settings = engine_settings(section)
    assert settings["zero_optimization"] == {"stage": 2}
    assert settings["train_micro_batch_size_per_gpu"] == "auto"
    assert zero_stage(section) == 2


def test_no_file_means_no_engine(make_section):
    assert engine_settings(make_section()) is None
    assert zero_stage(make_section()) == 0


@pytest.mark.parametrize("key", sorted(OWNED))
def test_a_key_the_recipe_owns_is_refused_with_its_owner(key, make_section):
    section = make_section(deepspeed_settings={key: 1})
    with pytest.raises(RecipeError, match=f"deepspeed.json: `{key}` belongs to the recipe"):
        engine_settings(section)


@pytest.mark.parametrize(("text", "fault"), [("{", "not valid JSON"), ("[]", "a JSON object")])
def test_a_damaged_file_is_one_line(text, fault, make_section):
    section = make_section(deepspeed_settings={})
    section.deepspeed.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=fault):
        engine_settings(section)


def test_a_missing_file_is_one_line(make_section):
    section = make_section(deepspeed_settings={})
    section.deepspeed.unlink()
    with pytest.raises(RecipeError, match="no such file"):
        engine_settings(section)

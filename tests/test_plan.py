import json
from pathlib import Path

import pytest

from devtune.config import load
from devtune.errors import RecipeError
from devtune.plan import GIB, plan, text_parameters
from devtune.report.planned import print_plan

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / "configs"


def planned(name, *overrides):
    return plan(load(ROOT / "recipes" / name / "recipe.yaml", overrides).recipe)


def shape_of(name):
    return load(ROOT / "recipes" / name / "recipe.yaml").recipe.import_.shape


def zero(stage):
    return f"train.deepspeed={CONFIGS}/deepspeed/zero{stage}.json"


def test_parameters_of_the_three_models_are_exact():
    assert text_parameters(shape_of("quickstart")) == 135_093_312
    assert text_parameters(shape_of("devstral-small-2-lora")) == 23_572_403_200
    assert text_parameters(shape_of("devstral-2-lora")) == 125_025_988_608


def test_lora_trains_a_fixed_number_a_rank():
    assert planned("devstral-small-2-lora").trained_parameters == 16 * 40 * 144_384
    assert planned("devstral-2-lora").trained_parameters == 16 * 88 * 198_656
    double = planned("devstral-2-lora", "train.adapter.r=32").trained_parameters
    assert double == 2 * 16 * 88 * 198_656


def test_lora_counts_only_the_modules_its_pattern_matches():
    pattern = r"train.adapter.target_modules=.*\.layers\.0\.self_attn\.q_proj"
    assert planned("devstral-small-2-lora", pattern).trained_parameters == 16 * (5120 + 4096)
    none = planned("devstral-small-2-lora", "train.adapter.target_modules=q_proj")
    assert none.trained_parameters == 0


def test_full_training_trains_the_text_model_and_not_the_vision_tower():
    assert planned("devstral-small-2-full").trained_parameters == 23_572_403_200


def test_every_rank_holds_all_weights_below_zero_3():
    whole = planned("devstral-small-2-lora", zero(2))
    sharded = planned("devstral-small-2-lora", zero(3))
    assert whole.memory.weights_gib == pytest.approx(8 * sharded.memory.weights_gib)
    assert "ZeRO-2: every rank holds all weights" in whole.notes
    assert "ZeRO-3 shards the frozen weights too" in sharded.notes


def test_zero_shards_states_then_gradients_then_weights():
    trained = 23_572_403_200
    whole, second, third = (planned("devstral-small-2-full", zero(n)).memory for n in (0, 2, 3))
    assert whole.optimizer_gib == pytest.approx(12 * trained / GIB)
    assert second.optimizer_gib == third.optimizer_gib == whole.optimizer_gib / 32
    assert second.gradients_gib == pytest.approx(2 * trained / GIB / 32)
    assert second.weights_gib == whole.weights_gib == 32 * third.weights_gib


def test_zero_1_shards_the_states_alone(tmp_path):
    file = tmp_path / "zero1.json"
    file.write_text('{"zero_optimization": {"stage": 1}}', encoding="utf-8")
    whole = planned("devstral-small-2-full", zero(0)).memory
    first = planned("devstral-small-2-full", f"train.deepspeed={file}").memory
    assert first.optimizer_gib == whole.optimizer_gib / 32
    assert first.gradients_gib == whole.gradients_gib


def test_offload_moves_weights_and_states_to_the_machine():
    offloaded = planned("devstral-2-full", zero("3-offload"))
    assert offloaded.memory.weights_gib == offloaded.memory.optimizer_gib == 0
    assert offloaded.host_gib == pytest.approx((2 + 12 + 4) * 125_025_988_608 / GIB / 8)
    assert planned("devstral-2-full").host_gib == 0


def test_4_bit_weights_are_half_a_byte_and_their_scales():
    linear = 40 * (5120 * (4096 + 2 * 1024) + 4096 * 5120 + 3 * 5120 * 32768)
    rest = 23_572_403_200 + 438_958_080 - linear
    double = planned("devstral-small-2-qlora")
    single = planned("devstral-small-2-qlora", "train.adapter.bnb_4bit_use_double_quant=false")
    assert single.loading_gib == pytest.approx((linear * (0.5 + 1 / 16) + 2 * rest) / GIB)
    scales = 1 / 64 + 1 / 4096
    assert double.loading_gib == pytest.approx((linear * (0.5 + scales) + 2 * rest) / GIB)


def test_4_bit_weights_stand_whole_on_each_device_while_loading():
    result = planned("devstral-2-qlora")
    assert result.loading_gib > 60 > result.memory.weights_gib
    assert result.total_gib >= result.loading_gib
    assert any("loaded whole on every device" in note for note in result.notes)


def test_checkpointing_costs_less_and_activations_grow_with_rows():
    kept = planned("devstral-small-2-lora", "train.gradient_checkpointing=false").memory
    again = planned("devstral-small-2-lora").memory
    double = planned("devstral-small-2-lora", "train.per_device_train_batch_size=2").memory
    assert kept.activations_gib > 5 * again.activations_gib
    assert double.activations_gib == 2 * again.activations_gib
    inputs = 40 * 32768 * 5120 * 2
    layer = 32768 * 2 * (4 * 5120 + 2 * 4096 + 2 * 1024 + 4 * 32768)
    assert again.activations_gib == pytest.approx((inputs + 2 * layer) / GIB)


def test_a_step_counts_rows_accumulation_and_ranks():
    result = planned("devstral-small-2-lora", "train.gradient_accumulation_steps=3")
    assert result.tokens_per_step == 32768 * 3 * 8


def test_a_tenth_of_the_device_stays_free():
    total = planned("devstral-small-2-lora").total_gib
    enough = planned("devstral-small-2-lora", f"cluster.memory_gib={total / 0.9 + 0.01}")
    scarce = planned("devstral-small-2-lora", f"cluster.memory_gib={total / 0.9 - 0.01}")
    assert (enough.fits, scarce.fits) == (True, False)


@pytest.mark.parametrize("model", ["devstral-small-2", "devstral-2"])
@pytest.mark.parametrize("method", ["qlora", "lora", "full"])
def test_each_shipped_recipe_fits_its_cluster(model, method):
    result = planned(f"{model}-{method}")
    assert result.fits
    assert result.method == method


def test_without_a_shape_there_is_no_plan():
    with pytest.raises(RecipeError, match=r"^import\.shape is missing and the plan counts from it"):
        planned("quickstart", "import={type: checkpoint, path: /x}")


def test_the_plan_says_that_nothing_was_measured(capsys):
    result = planned("devstral-2-qlora")
    print_plan(result, as_json=False)
    out = capsys.readouterr().out
    assert "formulas, not measured on a GPU" in out
    assert "125,025,988,608 parameters" in out
    assert out.endswith("it fits\n")
    print_plan(result, as_json=True)
    values = json.loads(capsys.readouterr().out)
    assert values["basis"] == "formulas, not measured on a GPU"
    assert values["memory"]["weights_gib"] == result.memory.weights_gib

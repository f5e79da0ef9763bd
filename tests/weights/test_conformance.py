import pytest
import torch

from devtune.weights.published import import_checkpoint, plan_import
from tests.published import as_published, edit_config, refusal, rewrite, small_2, to_mistral


def test_another_quantisation_is_refused(small_dir, tmp_path):
    awq = {"quantization_config": {"quant_method": "awq"}}
    edit_config(small_dir, lambda config: config.update(awq))
    assert "quant_method is awq; import the published FP8" in refusal(small_dir, tmp_path / "base")


@pytest.mark.parametrize("key", ["llama_4_scaling_beta", "beta_fast", "mscale_all_dim"])
def test_a_rope_without_its_keys_is_refused(small_dir, tmp_path, key):
    edit_config(small_dir, lambda config: config["rope_parameters"].pop(key))
    assert f"rope_parameters lacks {key};" in refusal(small_dir, tmp_path / "base")


def as_mistral(config, **changes):
    rope = {"rope_type": "default", "rope_theta": 1e9}
    config.update(architectures=["MistralForCausalLM"], model_type="mistral", rope_parameters=rope)
    config.update(changes)


def test_other_architectures_need_no_rope_keys_of_ministral3(small_dir, tmp_path):
    edit_config(small_dir, as_mistral)
    assert import_checkpoint(small_dir, tmp_path / "base")["num_tensors"] == 21


def test_a_mistral_without_rope_theta_is_refused(small_dir, tmp_path):
    edit_config(small_dir, lambda config: as_mistral(config, rope_parameters={}))
    message = refusal(small_dir, tmp_path / "base")
    assert "lacks rope_theta, for which transformers would take 10000;" in message
    edit_config(small_dir, lambda config: config.update(rope_theta=1e9))
    plan_import(small_dir)


def test_ministral3_patched_to_mistral_is_refused(small_dir, tmp_path):
    def patch(config):
        as_mistral(config, rope_parameters=config["rope_parameters"])

    edit_config(small_dir, patch)
    message = refusal(small_dir, tmp_path / "base")
    assert "model_type is mistral, but llama_4_scaling_beta is ministral3's;" in message


@pytest.mark.parametrize("kind", ["llama", "mistral4", "mixtral", None])
def test_another_model_type_is_refused(small_dir, tmp_path, kind):
    edit_config(small_dir, lambda config: config.update(model_type=kind))
    message = refusal(small_dir, tmp_path / "base")
    assert f"model_type is {kind}; devtune imports mistral and ministral3, alone or" in message


def test_another_text_model_inside_the_wrapper_is_refused(small_config, save_model, tmp_path):
    path = save_model(small_2(small_config), tmp_path / "small2", as_published)
    edit_config(path, lambda config: config["text_config"].update(model_type="mistral4"))
    assert "model_type is mistral4; devtune imports" in refusal(path, tmp_path / "base")


def test_an_architecture_that_is_not_that_of_the_model_type_is_refused(small_dir, tmp_path):
    other = "Ministral3ForTokenClassification"
    edit_config(small_dir, lambda config: config.update(architectures=[other]))
    message = refusal(small_dir, tmp_path / "base")
    assert f"architectures says {other}, but model_type ministral3 is Ministral3For" in message


@pytest.mark.parametrize(
    "change", [{"hidden_size": "64"}, {"hidden_act": "nope"}, {"num_attention_heads": 0}]
)
def test_a_config_transformers_cannot_use_is_named(small_dir, tmp_path, change):
    edit_config(small_dir, lambda config: config.update(change))
    message = refusal(small_dir, tmp_path / "base")
    assert f"{small_dir / 'config.json'}: transformers refuses it (" in message


def test_a_tensor_without_a_place_is_named(small_dir, tmp_path):
    extra = {"model.layers.2.mlp.up_proj.weight": torch.ones(96, 64)}
    rewrite(small_dir, lambda tensors: tensors.update(extra))
    message = refusal(small_dir, tmp_path / "base")
    assert "model.layers.2.mlp.up_proj.weight has no place in Ministral3ForCausalLM" in message
    assert message.startswith(str(small_dir / "model.safetensors"))


def test_a_missing_tensor_is_named_and_the_others_counted(small_dir, tmp_path):
    def lose(tensors):
        for name in ("model.layers.1.mlp.up_proj.weight", "model.norm.weight"):
            tensors.pop(name)

    rewrite(small_dir, lose)
    message = refusal(small_dir, tmp_path / "base")
    expected = "lacks model.layers.1.mlp.up_proj.weight and 1 more of Ministral3ForCausalLM;"
    assert f"{small_dir}: {expected}" in message


@pytest.mark.parametrize("name", ["model.layers.1.mlp.up_proj.weight", "lm_head.weight"])
def test_another_shape_is_named_with_the_expected_one(small_dir, tmp_path, name):
    rewrite(small_dir, lambda tensors: tensors.update({name: torch.ones(7, 64)}))
    message = refusal(small_dir, tmp_path / "base")
    assert f"{name} is [7, 64], but config.json makes it [" in message


@pytest.mark.parametrize("dtype", [torch.float8_e5m2, torch.float64, torch.int8])
def test_another_dtype_is_named(small_dir, tmp_path, dtype):
    name = "model.norm.weight"
    rewrite(small_dir, lambda tensors: tensors.update({name: tensors[name].to(dtype)}))
    message = refusal(small_dir, tmp_path / "base")
    assert f"{name} is " in message
    assert "; import a checkpoint in BF16, F16, F32 or F8_E4M3" in message


def test_half_the_layers_are_not_a_model(small_dir, tmp_path):
    edit_config(small_dir, lambda config: config.update(num_hidden_layers=4))
    assert "lacks model.layers.2.input_layernorm.weight and 17 more of" in refusal(
        small_dir, tmp_path / "base"
    )


def test_a_tensor_of_mistral_s_layout_is_named_as_it_is_spelled_there(small_dir, tmp_path):
    own = to_mistral(small_dir, tmp_path / "own")
    (own / "consolidated.safetensors").rename(own / "model.safetensors")
    rewrite(own, lambda tensors: tensors.update({"layers.0.moe.weight": torch.ones(1)}))
    (own / "model.safetensors").rename(own / "consolidated.safetensors")
    message = refusal(own, tmp_path / "base")
    assert "consolidated.safetensors: layers.0.moe.weight has no place in" in message

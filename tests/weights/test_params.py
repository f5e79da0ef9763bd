import json
from math import prod

import pytest

from devtune.errors import DevtuneError
from devtune.model import tensor_shapes
from devtune.weights.params import config_of_params

DEVSTRAL_2 = {
    "dim": 12288, "n_layers": 88, "head_dim": 128, "hidden_dim": 28672, "n_heads": 96,
    "n_kv_heads": 8, "rope_theta": 1000000.0, "norm_eps": 1e-05, "vocab_size": 131072,
    "tied_embeddings": False, "max_position_embeddings": 262144,
    "quantization": {"qformat_weight": "fp8_e4m3", "qscheme_act": "TENSOR"},
    "yarn": {
        "original_max_position_embeddings": 4096, "factor": 64, "apply_scale": True, "beta": 4,
        "alpha": 1,
    },
}  # fmt: skip
SMALL_2 = {
    "dim": 5120, "n_layers": 40, "head_dim": 128, "hidden_dim": 32768, "n_heads": 32,
    "n_kv_heads": 8, "rope_theta": 100000000.0, "norm_eps": 1e-05, "vocab_size": 131072,
    "tied_embeddings": False, "max_position_embeddings": 393216,
    "llama_4_scaling": {"original_max_position_embeddings": 8192, "beta": 0.1},
    "quantization": {"qformat_weight": "fp8_e4m3", "qscheme_act": "TENSOR"},
    "yarn": {
        "original_max_position_embeddings": 8192, "factor": 48, "apply_scale": False, "beta": 32,
        "alpha": 1,
    },
    "vision_encoder": {
        "image_token_id": 10, "image_break_token_id": 12, "image_end_token_id": 13,
        "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16,
        "mm_projector_id": "patch_merge", "spatial_merge_size": 2, "hidden_size": 1024,
        "num_channels": 3, "image_size": 1540, "max_image_size": 1540, "patch_size": 14,
        "rope_theta": 10000.0, "add_pre_mm_projector_layer_norm": True, "adapter_bias": False,
    },
}  # fmt: skip
SMALL_2507 = {
    "dim": 5120, "n_layers": 40, "head_dim": 128, "hidden_dim": 32768, "n_heads": 32,
    "n_kv_heads": 8, "rope_theta": 1000000000.0, "norm_eps": 1e-05, "vocab_size": 131072,
    "max_seq_len": 131072,
}  # fmt: skip


def config_of(directory, params):
    (directory / "params.json").write_text(json.dumps(params), encoding="utf-8")
    return config_of_params(directory)


def refusal(directory, params):
    with pytest.raises(DevtuneError) as raised:
        config_of(directory, params)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith(f"{directory / 'params.json'}: ")
    return str(raised.value)


def without(params, *keys):
    return {key: value for key, value in params.items() if key not in keys}


def parameters(config, file):
    return {name: prod(shape) for name, shape in tensor_shapes(config, file).items()}


def test_devstral_2_applies_yarn_s_magnitude_and_scales_no_query(tmp_path):
    config = config_of(tmp_path, DEVSTRAL_2)
    assert config["architectures"] == ["Ministral3ForCausalLM"]
    assert config["rope_parameters"] == {
        "rope_type": "yarn", "rope_theta": 1e6, "factor": 64.0, "beta_fast": 4.0, "beta_slow": 1.0,
        "original_max_position_embeddings": 4096, "mscale": 1.0, "mscale_all_dim": 0.0,
        "llama_4_scaling_beta": 0.0,
    }  # fmt: skip
    assert config["tie_word_embeddings"] is False
    assert sum(parameters(config, tmp_path).values()) == pytest.approx(125.03e9, rel=1e-4)


def test_small_2_is_a_ministral3_inside_the_vision_wrapper(tmp_path):
    config = config_of(tmp_path, SMALL_2)
    text = config["text_config"]
    assert (config["model_type"], text["model_type"]) == ("mistral3", "ministral3")
    assert text["max_position_embeddings"] == 393216
    assert text["rope_parameters"] == {
        "rope_type": "yarn", "rope_theta": 1e8, "factor": 48.0, "beta_fast": 32.0,
        "beta_slow": 1.0, "original_max_position_embeddings": 8192, "mscale": 1.0,
        "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1,
    }  # fmt: skip
    assert config["tie_word_embeddings"] is text["tie_word_embeddings"] is False
    held = parameters(config, tmp_path)
    seeing = sum(n for name, n in held.items() if "vision" in name or "multi_modal" in name)
    assert seeing == 438_958_080  # as configs/model/devstral-small-2.yaml says
    assert sum(held.values()) - seeing == pytest.approx(23.57e9, rel=1e-3)


def test_without_apply_scale_it_is_off_beside_a_vision_tower_only(tmp_path):
    for params, expected in ((DEVSTRAL_2, 0.0), (SMALL_2, 1.0)):
        config = config_of(tmp_path, {**params, "yarn": without(params["yarn"], "apply_scale")})
        text = config.get("text_config", config)
        assert text["rope_parameters"]["mscale_all_dim"] == expected


def test_devstral_small_of_2025_has_no_yarn_and_no_window(tmp_path):
    config = config_of(tmp_path, SMALL_2507)
    assert (config["architectures"], config["model_type"]) == (["MistralForCausalLM"], "mistral")
    assert config["rope_parameters"] == {"rope_type": "default", "rope_theta": 1e9}
    assert config["sliding_window"] is None
    assert config["max_position_embeddings"] == 131072


@pytest.mark.parametrize("key", ["dim", "n_kv_heads", "head_dim", "norm_eps", "rope_theta"])
def test_a_missing_key_is_named(tmp_path, key):
    assert f": lacks {key}; copy it from" in refusal(tmp_path, without(DEVSTRAL_2, key))


def test_a_missing_key_of_yarn_or_vision_is_named_with_its_place(tmp_path):
    yarn = without(SMALL_2["yarn"], "beta")
    assert "yarn lacks beta; copy" in refusal(tmp_path, {**SMALL_2, "yarn": yarn})
    vision = without(SMALL_2["vision_encoder"], "patch_size")
    message = refusal(tmp_path, {**SMALL_2, "vision_encoder": vision})
    assert "vision_encoder lacks patch_size; copy" in message


def test_a_context_that_nothing_tells_is_asked_for(tmp_path):
    message = refusal(tmp_path, without(SMALL_2507, "max_seq_len"))
    assert "lacks max_position_embeddings; add it (131072 for Devstral Small 2505" in message


def test_two_original_contexts_are_refused(tmp_path):
    scaling = {"original_max_position_embeddings": 16384, "beta": 0.1}
    message = refusal(tmp_path, {**SMALL_2, "llama_4_scaling": scaling})
    assert "yarn and llama_4_scaling differ in original_max_position_embeddings" in message


def test_another_architecture_is_refused(tmp_path):
    message = refusal(tmp_path, {**DEVSTRAL_2, "moe": {"num_experts": 128}})
    assert "moe belongs to an architecture devtune does not import;" in message


def test_another_quantisation_is_refused(tmp_path):
    message = refusal(tmp_path, {**DEVSTRAL_2, "quantization": {"qformat_weight": "nvfp4"}})
    assert "qformat_weight is nvfp4; import the published FP8 or a BF16" in message

import json
import re
from pathlib import Path

import pytest
import torch
from transformers import (
    Ministral3Config,
    Ministral3ForCausalLM,
    Mistral3Config,
    Mistral3ForConditionalGeneration,
)

from devtune.config import load
from devtune.errors import DevtuneError
from devtune.plan import text_parameters
from devtune.train.adapter import check_wrapped
from devtune.tuning import LINEAR_LAYERS

ROOT = Path(__file__).resolve().parents[2]
ROPE = {
    "rope_type": "yarn",
    "rope_theta": 1e6,
    "factor": 64.0,
    "original_max_position_embeddings": 4096,
    "llama_4_scaling_beta": 0.0,
}
TEXT_KEYS = (
    "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim",
    "intermediate_size", "vocab_size", "tie_word_embeddings",
)  # fmt: skip
VISION = {
    "model_type": "pixtral",
    "num_hidden_layers": 24,
    "hidden_size": 1024,
    "num_attention_heads": 16,
    "head_dim": 64,
    "intermediate_size": 4096,
    "patch_size": 14,
    "image_size": 1540,
}


def shape_of(model):
    return load(ROOT / "recipes" / f"{model}-lora" / "recipe.yaml").recipe.import_.shape


def config_of(shape):
    text = {key: getattr(shape, key) for key in TEXT_KEYS}
    if shape.architecture == "Ministral3ForCausalLM":
        return Ministral3Config(**text, rope_parameters=ROPE)
    text |= {"model_type": "ministral3", "rope_parameters": ROPE}
    return Mistral3Config(text_config=text, vision_config=VISION, tie_word_embeddings=False)


@pytest.fixture(params=[("devstral-small-2", 280), ("devstral-2", 616)], ids=lambda each: each[0])
def model(request, tmp_path):
    name, expected = request.param
    shape = shape_of(name)
    config = config_of(shape)
    (tmp_path / "config.json").write_text(json.dumps(config.to_dict(), default=str))
    kind = Ministral3ForCausalLM if name == "devstral-2" else Mistral3ForConditionalGeneration
    with torch.device("meta"):
        return kind(config), shape, tmp_path, expected


def linear_names(network, pattern):
    modules = network.named_modules()
    linear = [name for name, each in modules if isinstance(each, torch.nn.Linear)]
    return [name for name in linear if re.fullmatch(pattern, name)]


def test_the_default_pattern_wraps_all_text_layers_and_no_vision(model):
    network, _, base, expected = model
    names = linear_names(network, LINEAR_LAYERS)
    assert check_wrapped(names, base) == expected
    assert not [name for name in names if "vision" in name or "projector" in name]


def test_the_shape_in_the_part_counts_the_real_models_parameters(model):
    network, shape, _, _ = model
    everything = sum(each.numel() for each in network.parameters())
    assert text_parameters(shape) + shape.vision_parameters == everything


def test_a_pattern_by_suffix_is_refused_where_it_meets_vision_or_misses_layers(model):
    network, shape, base, _ = model
    names = linear_names(network, r".*\.(q|k|v|o)_proj")
    if shape.vision_parameters:
        with pytest.raises(DevtuneError, match="also matches model.vision_tower"):
            check_wrapped(names, base)
    else:
        assert check_wrapped(names, base) == 4 * 88
    with pytest.raises(DevtuneError, match="every layer must be wrapped alike"):
        check_wrapped(linear_names(network, LINEAR_LAYERS)[7:], base)

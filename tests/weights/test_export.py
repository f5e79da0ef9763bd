import json
import math

import pytest
import torch
from transformers import Ministral3Config, Mistral3Config
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from devtune.weights.export import attention_factor, serving_config

SMALL_2 = {
    "rope_type": "yarn", "rope_theta": 1e8, "factor": 48.0, "beta_fast": 32.0, "beta_slow": 1.0,
    "original_max_position_embeddings": 8192, "mscale": 1.0, "mscale_all_dim": 1.0,
    "llama_4_scaling_beta": 0.1,
}  # fmt: skip
DEVSTRAL_2 = {
    **SMALL_2, "rope_theta": 1e6, "factor": 64.0, "beta_fast": 4.0, "mscale_all_dim": 0.0,
    "original_max_position_embeddings": 4096, "llama_4_scaling_beta": 0.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("rope", "expected"), [(SMALL_2, 1.0), (DEVSTRAL_2, 0.1 * math.log(64) + 1)]
)
def test_the_attention_factor_is_the_one_transformers_computes(rope, expected):
    config = Ministral3Config(rope_parameters=rope, head_dim=128)
    _, theirs = ROPE_INIT_FUNCTIONS["yarn"](config, torch.device("cpu"))
    assert attention_factor(rope) == pytest.approx(theirs)
    assert attention_factor(rope) == pytest.approx(expected)


def test_the_query_scale_is_written_where_vllm_looks_for_it():
    config = {"model_type": "mistral3", "text_config": {"rope_parameters": SMALL_2}}
    written = serving_config(config)
    assert written["text_config"]["llama_4_scaling"] == {
        "original_max_position_embeddings": 8192,
        "beta": 0.1,
    }
    assert written["text_config"]["rope_parameters"] == {**SMALL_2, "attention_factor": 1.0}
    assert config["text_config"]["rope_parameters"] == SMALL_2
    assert Mistral3Config(**written).text_config.rope_parameters["attention_factor"] == 1.0


def test_without_query_scaling_no_key_is_invented():
    written = serving_config({"model_type": "ministral3", "rope_parameters": DEVSTRAL_2})
    assert "llama_4_scaling" not in written
    assert written["rope_parameters"]["attention_factor"] == pytest.approx(1.4159, abs=1e-4)


def test_plain_rope_is_left_alone():
    config = {"rope_parameters": {"rope_type": "default", "rope_theta": 1e5}}
    assert serving_config(json.loads(json.dumps(config))) == config

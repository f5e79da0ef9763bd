import json

import pytest
import torch
from transformers import Ministral3Config, Ministral3ForCausalLM

from devtune.weights.checkpoint import ShardWriter, natural
from tests.breeze import built

YARN = {
    "rope_type": "yarn",
    "rope_theta": 1e6,
    "factor": 4.0,
    "original_max_position_embeddings": 64,
    "beta_fast": 4.0,
    "beta_slow": 1.0,
    "mscale": 1.0,
    "mscale_all_dim": 0.0,
    "llama_4_scaling_beta": 0.0,
}
SIZES = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "vocab_size": 128,
    "max_position_embeddings": 256,
}


@pytest.fixture(scope="session")
def breeze_build(request):
    return built(request, "bf16")


@pytest.fixture(scope="session")
def breeze_dir(breeze_build):
    return breeze_build / "model"


@pytest.fixture(scope="session")
def breeze_metrics(breeze_build):
    return json.loads((breeze_build / "metrics.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def breeze_fp8_dir(request):
    return built(request, "fp8") / "model"


def save(model, directory, rename=lambda name: name, left_out=()):
    directory.mkdir()
    held = model.state_dict().items()
    state = {rename(name): tensor for name, tensor in held if name not in left_out}
    with ShardWriter(directory, 40_000) as writer:
        for name in sorted(state, key=natural):
            writer.add(name, state[name])
    config = {**model.config.to_dict(), "architectures": [type(model).__name__]}
    (directory / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (directory / "tekken.json").write_text("{}", encoding="utf-8")
    return directory


@pytest.fixture
def save_model():
    return save


@pytest.fixture
def small_config():
    return Ministral3Config(**SIZES, rope_parameters=YARN)


@pytest.fixture
def small_model(small_config):
    torch.manual_seed(0)
    return Ministral3ForCausalLM(small_config).to(torch.bfloat16).eval()


@pytest.fixture
def small_dir(small_model, tmp_path):
    return save(small_model, tmp_path / "small")

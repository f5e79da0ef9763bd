import json

import pytest

from devtune.errors import DevtuneError
from devtune.train.adapter import check_wrapped


@pytest.fixture
def base(tmp_path):
    text = {"num_hidden_layers": 2, "model_type": "ministral3"}
    config = {"model_type": "mistral3", "text_config": text}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return tmp_path


def names(*modules, layers=(0, 1)):
    return [f"model.language_model.layers.{n}.{each}" for n in layers for each in modules]


def test_layers_wrapped_alike_are_counted(base):
    assert check_wrapped(names("self_attn.q_proj", "mlp.up_proj"), base) == 4


def test_a_vision_tower_must_not_be_wrapped(base):
    tower = "model.vision_tower.transformer.layers.0.attention.q_proj"
    with pytest.raises(DevtuneError, match=f"also matches {tower}; tighten it"):
        check_wrapped([*names("self_attn.q_proj"), tower], base)


def test_a_module_outside_the_layers_is_named(base):
    with pytest.raises(DevtuneError, match="matches lm_head, not in a layer"):
        check_wrapped([*names("self_attn.q_proj"), "lm_head"], base)


def test_layers_wrapped_unlike_each_other_are_refused(base):
    uneven = [*names("self_attn.q_proj"), *names("mlp.up_proj", layers=(1,))]
    with pytest.raises(DevtuneError, match="wraps 3 modules in 2 of 2 layers; every layer must"):
        check_wrapped(uneven, base)

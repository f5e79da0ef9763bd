import pytest

from devtune.weights.names import in_memory

PAIRS = {
    "language_model.model.layers.3.mlp.up_proj.weight": (
        "model.language_model.layers.3.mlp.up_proj.weight"
    ),
    "language_model.lm_head.weight": "lm_head.weight",
    "vision_tower.patch_conv.weight": "model.vision_tower.patch_conv.weight",
    "multi_modal_projector.norm.weight": "model.multi_modal_projector.norm.weight",
}


@pytest.mark.parametrize(("disk", "memory"), PAIRS.items())
def test_the_published_spelling_becomes_the_one_transformers_holds(disk, memory):
    assert in_memory(disk) == memory


@pytest.mark.parametrize("name", [*PAIRS.values(), "model.layers.0.input_layernorm.weight"])
def test_the_spelling_in_memory_stays(name):
    assert in_memory(name) == name

import pytest

from devtune.weights.names import from_mistral, in_memory, is_leftover, on_disk

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


@pytest.mark.parametrize(("disk", "memory"), PAIRS.items())
def test_the_spelling_in_memory_becomes_the_published_one_of_a_wrapper(disk, memory):
    assert on_disk(memory) == disk


MISTRAL = {
    "layers.3.feed_forward.w2.weight": "language_model.model.layers.3.mlp.down_proj.weight",
    "layers.3.attention.wq.qscale_weight": (
        "language_model.model.layers.3.self_attn.q_proj.weight_scale_inv"
    ),
    "layers.3.attention.wo.qscale_act": (
        "language_model.model.layers.3.self_attn.o_proj.activation_scale"
    ),
    "layers.10.ffn_norm.weight": ("language_model.model.layers.10.post_attention_layernorm.weight"),
    "norm.weight": "language_model.model.norm.weight",
    "output.weight": "language_model.lm_head.weight",
    "vision_encoder.transformer.layers.0.feed_forward.w1.weight": (
        "vision_tower.transformer.layers.0.feed_forward.gate_proj.weight"
    ),
    "vision_encoder.patch_conv.weight": "vision_tower.patch_conv.weight",
    "vision_language_adapter.w_in.bias": "multi_modal_projector.linear_1.bias",
    "pre_mm_projector_norm.weight": "multi_modal_projector.norm.weight",
}


@pytest.mark.parametrize(("own", "published"), MISTRAL.items())
def test_mistral_s_own_spelling_becomes_the_published_one(own, published):
    assert from_mistral(own, in_wrapper=True) == published
    alone = published.removeprefix("language_model.")
    assert from_mistral(own, in_wrapper=False) == alone


@pytest.mark.parametrize(
    "name", ["layers.0.moe.gate.weight", "rope.freqs", "layers.0.attention.wq"]
)
def test_a_name_mistral_s_layout_does_not_have_stays(name):
    assert from_mistral(name, in_wrapper=True) == name


def test_what_a_quantiser_saw_of_activations_is_left_over():
    assert is_leftover("layers.0.attention.k_fake_quantizer.qscale_act")
    assert is_leftover("model.layers.0.mlp.up_proj.activation_scale")
    assert not is_leftover("model.layers.0.mlp.up_proj.weight_scale_inv")

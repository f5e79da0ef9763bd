"""Tensor names: as published checkpoints spell them on disk, and as transformers holds them."""

import re

WEIGHT_SCALE = ".weight_scale_inv"
ACTIVATION_SCALE = ".activation_scale"
_DISK_TO_MEMORY = (
    ("language_model.lm_head.", "lm_head."),
    ("language_model.model.", "model.language_model."),
    ("vision_tower.", "model.vision_tower."),
    ("multi_modal_projector.", "model.multi_modal_projector."),
)
_ATTENTION = {f"w{letter}": f"{letter}_proj" for letter in "qkvo"}
_FEED_FORWARD = {"w1": "gate_proj", "w2": "down_proj", "w3": "up_proj"}
_TEXT_LAYER = {
    **{f"attention.{theirs}": f"self_attn.{ours}" for theirs, ours in _ATTENTION.items()},
    **{f"feed_forward.{theirs}": f"mlp.{ours}" for theirs, ours in _FEED_FORWARD.items()},
    "attention_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
_VISION_LAYER = {
    **{f"attention.{theirs}": f"attention.{ours}" for theirs, ours in _ATTENTION.items()},
    **{f"feed_forward.{theirs}": f"feed_forward.{ours}" for theirs, ours in _FEED_FORWARD.items()},
    "attention_norm": "attention_norm",
    "ffn_norm": "ffn_norm",
}
_OUTSIDE_LAYERS = {
    "output": "language_model.lm_head",
    "norm": "language_model.model.norm",
    "tok_embeddings": "language_model.model.embed_tokens",
    "vision_encoder.ln_pre": "vision_tower.ln_pre",
    "vision_encoder.patch_conv": "vision_tower.patch_conv",
    "vision_language_adapter.w_in": "multi_modal_projector.linear_1",
    "vision_language_adapter.w_out": "multi_modal_projector.linear_2",
    "patch_merger.merging_layer": "multi_modal_projector.patch_merger.merging_layer",
    "pre_mm_projector_norm": "multi_modal_projector.norm",
}
_SUFFIXES = {
    "weight": ".weight",
    "bias": ".bias",
    "qscale_weight": WEIGHT_SCALE,
    "qscale_act": ACTIVATION_SCALE,
}
_LAYER = re.compile(r"(vision_encoder\.transformer\.)?layers\.(\d+)\.(.+)")


def in_memory(name: str) -> str:
    """Return the in-memory spelling of a tensor name; a name already in it is left as it is.

    Source: the `mistral3` entry of transformers' `conversion_mapping.py`.
    """
    for disk, memory in _DISK_TO_MEMORY:
        if name.startswith(disk):
            return memory + name.removeprefix(disk)
    return name


def on_disk(name: str) -> str:
    """Return the published spelling of a name in a `mistral3` wrapper: `in_memory` undone."""
    for disk, memory in _DISK_TO_MEMORY:
        if name.startswith(memory):
            return disk + name.removeprefix(memory)
    return name


def from_mistral(name: str, in_wrapper: bool) -> str:
    """Return the published Hugging Face spelling of a name of Mistral's own layout.

    `in_wrapper` is whether the model has a vision tower. A name that layout does not have is left
    as it is. Source: transformers' `convert_ministral3_weights_to_hf.py`.
    """
    module, _, suffix = name.rpartition(".")
    place = _module(module)
    if place is None or suffix not in _SUFFIXES:
        return name
    published = place + _SUFFIXES[suffix]
    return published if in_wrapper else published.removeprefix("language_model.")


def _module(module: str) -> str | None:
    if not (layer := _LAYER.fullmatch(module)):
        return _OUTSIDE_LAYERS.get(module)
    of_vision, number, part = layer.groups()
    found = (_VISION_LAYER if of_vision else _TEXT_LAYER).get(part)
    where = "vision_tower.transformer" if of_vision else "language_model.model"
    return found and f"{where}.layers.{number}.{found}"


def is_leftover(name: str) -> bool:
    """Whether a tensor only says how a quantiser saw activations, which BF16 has no use for."""
    return name.endswith((ACTIVATION_SCALE, ".qscale_act")) or "fake_quantizer" in name

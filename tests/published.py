"""Checkpoints as Mistral publishes them, in miniature, and what can be wrong with them."""

import json

import pytest
import torch
from transformers import Mistral3Config, Mistral3ForConditionalGeneration, PixtralVisionConfig

from devtune.errors import DevtuneError
from devtune.weights.checkpoint import INDEX, CheckpointReader, ShardWriter, read_json, write_json
from devtune.weights.published import import_checkpoint

VISION_ONLY = {
    "vision_tower.ln_pre": "vision_encoder.ln_pre",
    "vision_tower.patch_conv": "vision_encoder.patch_conv",
    "multi_modal_projector.linear_1": "vision_language_adapter.w_in",
    "multi_modal_projector.linear_2": "vision_language_adapter.w_out",
    "multi_modal_projector.patch_merger.merging_layer": "patch_merger.merging_layer",
    "multi_modal_projector.norm": "pre_mm_projector_norm",
}
PARTS = {
    "q_proj": "wq", "k_proj": "wk", "v_proj": "wv", "o_proj": "wo", "gate_proj": "w1",
    "down_proj": "w2", "up_proj": "w3", "self_attn": "attention", "mlp": "feed_forward",
    "input_layernorm": "attention_norm", "post_attention_layernorm": "ffn_norm",
    "embed_tokens": "tok_embeddings", "lm_head": "output", "weight_scale_inv": "qscale_weight",
    "activation_scale": "qscale_act",
}  # fmt: skip


def rewrite(directory, change, max_shard_bytes=10**9):
    """Give a checkpoint other tensors: `change` gets them by name."""
    reader = CheckpointReader(directory)
    tensors = {name: reader.load(name).clone() for name in reader.entries}
    change(tensors)
    for file in [*directory.glob("*.safetensors"), directory / INDEX]:
        file.unlink(missing_ok=True)
    with ShardWriter(directory, max_shard_bytes) as writer:
        for name, tensor in tensors.items():
            writer.add(name, tensor)


def edit_config(directory, change):
    config = read_json(directory / "config.json")
    change(config)
    write_json(directory / "config.json", config)


def refusal(path, out):
    """The one line an import ends with, before it has written anything."""
    with pytest.raises(DevtuneError) as raised:
        import_checkpoint(path, out)
    assert "\n" not in str(raised.value)
    assert not out.exists() or not list(out.iterdir())
    return str(raised.value)


def as_published(name):
    for ours, theirs in (
        ("model.language_model.", "language_model.model."),
        ("lm_head.", "language_model.lm_head."),
        ("model.vision_tower.", "vision_tower."),
        ("model.multi_modal_projector.", "multi_modal_projector."),
    ):
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    return name


def small_2(text_config, tied=False):
    """Devstral Small 2 in miniature: a text model in the vision wrapper."""
    torch.manual_seed(0)
    vision = PixtralVisionConfig(
        hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
        image_size=56, patch_size=14, hidden_act="silu", rope_theta=1e4,
    )  # fmt: skip
    config = Mistral3Config(vision_config=vision, text_config=text_config, tie_word_embeddings=tied)
    return Mistral3ForConditionalGeneration(config).to(torch.bfloat16).eval()


def to_mistral(directory, out, num_shards=1):
    """Write the checkpoint at `directory` in Mistral's own layout: consolidated and params.json."""
    config = read_json(directory / "config.json")
    text, vision = config.get("text_config", config), config.get("vision_config")
    reader = CheckpointReader(directory)
    tensors = {}
    for name in reader.entries:
        tensor = reader.load(name)
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            kind = "num_attention_heads" if "q_proj" in name else "num_key_value_heads"
            heads = vision["num_attention_heads"] if "vision" in name else text[kind]
            tensor = side_by_side(tensor, heads)
        tensors[mistral_name(name)] = tensor
    out.mkdir()
    names = list(tensors)
    for number in range(num_shards):
        file = "consolidated.safetensors"
        if num_shards > 1:
            file = f"consolidated-{number + 1:05d}-of-{num_shards:05d}.safetensors"
        with ShardWriter(out) as writer:
            for name in names[number::num_shards]:
                writer.add(name, tensors[name])
        (out / "model.safetensors").rename(out / file)
    (out / "params.json").write_text(json.dumps(params(text, vision)), encoding="utf-8")
    (out / "tekken.json").write_text("{}", encoding="utf-8")
    return out


def side_by_side(tensor, heads):
    # transformers turns row i of a head with row i + half, Mistral with the next row.
    size = tensor.shape[0] // heads
    rows = [
        head * size + row + half
        for head in range(heads)
        for row in range(size // 2)
        for half in (0, size // 2)
    ]
    return tensor.view(torch.uint8)[rows].view(tensor.dtype)


def mistral_name(name):
    for ours, theirs in VISION_ONLY.items():
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    for prefix in ("language_model.model.", "language_model.", "model."):
        name = name.removeprefix(prefix)
    name = name.replace("vision_tower.", "vision_encoder.")
    return ".".join(PARTS.get(part, part) for part in name.split("."))


def params(text, vision):
    rope = text["rope_parameters"]
    found = {
        "dim": text["hidden_size"], "n_layers": text["num_hidden_layers"],
        "head_dim": text["head_dim"], "hidden_dim": text["intermediate_size"],
        "n_heads": text["num_attention_heads"], "n_kv_heads": text["num_key_value_heads"],
        "rope_theta": rope["rope_theta"], "norm_eps": text["rms_norm_eps"],
        "vocab_size": text["vocab_size"], "tied_embeddings": text["tie_word_embeddings"],
        "max_position_embeddings": text["max_position_embeddings"],
    }  # fmt: skip
    if rope["rope_type"] == "yarn":
        original = rope["original_max_position_embeddings"]
        found["yarn"] = {
            "original_max_position_embeddings": original, "factor": rope["factor"],
            "apply_scale": rope["mscale_all_dim"] == 0, "beta": rope["beta_fast"],
            "alpha": rope["beta_slow"],
        }  # fmt: skip
        if beta := rope["llama_4_scaling_beta"]:
            scaling = {"original_max_position_embeddings": original, "beta": beta}
            found["llama_4_scaling"] = scaling
    if vision:
        sizes = (
            "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
            "image_size", "patch_size", "num_channels",
        )  # fmt: skip
        found["vision_encoder"] = {
            **{key: vision[key] for key in sizes},
            "rope_theta": vision["rope_parameters"]["rope_theta"],
            "adapter_bias": False, "image_token_id": 10, "image_break_token_id": 12,
            "image_end_token_id": 13, "max_image_size": 56, "mm_projector_id": "patch_merge",
            "spatial_merge_size": 2, "add_pre_mm_projector_layer_norm": True,
        }  # fmt: skip
    return found

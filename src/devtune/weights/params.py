"""Mistral's own description of a model, `params.json`, said as a Hugging Face `config.json`.

Reads params.json; writes nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devtune.errors import DevtuneError
from devtune.weights.checkpoint import read_json

PARAMS = "params.json"
TEXT_KEYS = {
    "dim": "hidden_size",
    "n_layers": "num_hidden_layers",
    "hidden_dim": "intermediate_size",
    "n_heads": "num_attention_heads",
    "n_kv_heads": "num_key_value_heads",
    "norm_eps": "rms_norm_eps",
    "head_dim": "head_dim",
    "vocab_size": "vocab_size",
}
YARN_KEYS = ("factor", "original_max_position_embeddings", "beta", "alpha")
VISION_KEYS = (
    "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "image_size",
    "patch_size",
)  # fmt: skip
OTHER_ARCHITECTURES = ("moe", "q_lora_rank", "kv_lora_rank", "ssm_config")


def config_of_params(path: Path) -> dict[str, Any]:
    """Return the config.json of the model that `path`/params.json describes, for BF16 weights.

    With `yarn` it is a ministral3, without it a mistral (Devstral Small 2505 and 2507); with a
    `vision_encoder` either is inside a mistral3. Raises `DevtuneError` for a key that is missing,
    or that means an architecture or a quantisation devtune does not import.
    Source: transformers' `convert_ministral3_weights_to_hf.py`.
    """
    file = path / PARAMS
    params = read_json(file)
    _refuse_others(file, params)
    _require(file, params, (*TEXT_KEYS, "rope_theta"), "")
    text = {
        **{ours: params[theirs] for theirs, ours in TEXT_KEYS.items()},
        **_rope(file, params),
        "max_position_embeddings": _max_positions(file, params),
        "sliding_window": params.get("sliding_window"),
        "tie_word_embeddings": bool(params.get("tied_embeddings", False)),
        "hidden_act": "silu",
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 11,
    }
    if vision := params.get("vision_encoder"):
        return _in_wrapper(file, text, vision)
    yarn = text["model_type"] == "ministral3"
    architecture = "Ministral3ForCausalLM" if yarn else "MistralForCausalLM"
    return {**text, "architectures": [architecture], "dtype": "bfloat16"}


def _refuse_others(file: Path, params: Mapping[str, Any]) -> None:
    for key in OTHER_ARCHITECTURES:
        if params.get(key):
            raise DevtuneError(
                f"{file}: {key} belongs to an architecture devtune does not import; set import.path"
                " to a Devstral, Ministral 3 or Mistral Small checkpoint"
            )
    quantisation = (params.get("quantization") or {}).get("qformat_weight", "fp8_e4m3")
    if quantisation != "fp8_e4m3":
        raise DevtuneError(
            f"{file}: qformat_weight is {quantisation}; import the published FP8 or a BF16"
            " checkpoint"
        )


def _require(file: Path, found: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    missing = [key for key in keys if found.get(key) is None]
    if missing:
        raise DevtuneError(
            f"{file}: {where}lacks {', '.join(missing)}; copy it from the model's repository again"
        )


def _max_positions(file: Path, params: Mapping[str, Any]) -> int:
    found = params.get("max_position_embeddings") or params.get("max_seq_len")
    if not found:
        raise DevtuneError(
            f"{file}: lacks max_position_embeddings; add it (131072 for Devstral Small 2505 and"
            " 2507), or download the Hugging Face layout"
        )
    return int(found)


def _rope(file: Path, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return model_type and rope_parameters; yarn's magnitude is off where apply_scale is false."""
    theta, yarn = float(params["rope_theta"]), params.get("yarn")
    if not yarn:
        plain = {"rope_type": "default", "rope_theta": theta}
        return {"model_type": "mistral", "rope_parameters": plain}
    _require(file, yarn, YARN_KEYS, "yarn ")
    scaling = params.get("llama_4_scaling") or {}
    original = yarn["original_max_position_embeddings"]
    if scaling.get("original_max_position_embeddings", original) != original:
        raise DevtuneError(
            f"{file}: yarn and llama_4_scaling differ in original_max_position_embeddings, for"
            " which transformers has one value; download the Hugging Face layout"
        )
    applies = yarn.get("apply_scale", "vision_encoder" not in params)
    rope = {
        "rope_type": "yarn",
        "rope_theta": theta,
        "factor": float(yarn["factor"]),
        "original_max_position_embeddings": original,
        "beta_fast": float(yarn["beta"]),
        "beta_slow": float(yarn["alpha"]),
        "mscale": 1.0,
        "mscale_all_dim": 0.0 if applies else 1.0,
        "llama_4_scaling_beta": float(scaling.get("beta", 0.0)),
    }
    return {"model_type": "ministral3", "rope_parameters": rope}


def _in_wrapper(file: Path, text: dict[str, Any], vision: Mapping[str, Any]) -> dict[str, Any]:
    _require(file, vision, (*VISION_KEYS, "rope_theta"), "vision_encoder ")
    return {
        "architectures": ["Mistral3ForConditionalGeneration"],
        "dtype": "bfloat16",
        "image_token_index": vision.get("image_token_id", 10),
        "model_type": "mistral3",
        "multimodal_projector_bias": bool(vision.get("adapter_bias", False)),
        "projector_hidden_act": "gelu",
        "spatial_merge_size": vision.get("spatial_merge_size", 2),
        "text_config": text,
        "tie_word_embeddings": text["tie_word_embeddings"],
        "vision_config": {
            **{key: vision[key] for key in VISION_KEYS},
            "head_dim": vision["hidden_size"] // vision["num_attention_heads"],
            "hidden_act": "silu",
            "model_type": "pixtral",
            "num_channels": vision.get("num_channels", 3),
            "rope_parameters": {
                "rope_theta": float(vision["rope_theta"]),
                "rope_type": "axial",
            },
        },
        "vision_feature_layer": -1,
    }

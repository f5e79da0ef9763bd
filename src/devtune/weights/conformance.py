"""Is this the model its config says? Config traps, tensor names, shapes and dtypes, from headers.

Reads what config.json and the headers of the shards say; writes nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from devtune.errors import DevtuneError
from devtune.model import ARCHITECTURES, tensor_shapes, text_config
from devtune.weights.entries import TensorEntry
from devtune.weights.names import in_memory

ROPE_KEYS = ("rope_theta", "llama_4_scaling_beta", "original_max_position_embeddings")
YARN_KEYS = ("factor", "beta_fast", "beta_slow", "mscale", "mscale_all_dim")
TEXT_MODELS = ("mistral", "ministral3")
DTYPES = ("BF16", "F16", "F32", "F8_E4M3")
HEAD, EMBEDDING = "lm_head.weight", "embed_tokens.weight"


def check_config(file: Path, config: Mapping[str, Any]) -> None:
    """Refuse a config that transformers would load as another model, or not at all."""
    text = text_config(config)
    outer, inner = str(config.get("model_type")), str(text.get("model_type"))
    if outer not in ARCHITECTURES or inner not in TEXT_MODELS:
        raise DevtuneError(
            f"{file}: model_type is {inner if outer in ARCHITECTURES else outer};"
            " devtune imports mistral and ministral3, alone or inside mistral3"
        )
    expected = ARCHITECTURES[outer]
    said = (config.get("architectures") or [expected])[0]
    if said != expected:
        raise DevtuneError(
            f"{file}: architectures says {said}, but model_type {outer} is {expected};"
            " copy config.json from the model's repository"
        )
    _check_quantisation(file, config)
    _check_rope(file, text)


def _check_quantisation(file: Path, config: Mapping[str, Any]) -> None:
    for part in (config, text_config(config)):
        method = (part.get("quantization_config") or {"quant_method": "fp8"}).get("quant_method")
        if method != "fp8":
            raise DevtuneError(
                f"{file}: quant_method is {method}; import the published FP8 or a BF16 checkpoint"
            )


def _check_rope(file: Path, text: Mapping[str, Any]) -> None:
    """Refuse a config without a key that transformers would default or trip over."""
    rope = cast(dict[str, Any], text.get("rope_parameters") or {})
    if text["model_type"] == "mistral":
        _check_plain_rope(file, text, rope)
        return
    yarn = rope.get("rope_type", rope.get("type")) == "yarn"
    needed = ROPE_KEYS + (YARN_KEYS if yarn else ())
    missing = [key for key in needed if rope.get(key) is None]
    if missing:
        raise DevtuneError(
            f"{file}: rope_parameters lacks {', '.join(missing)};"
            " copy config.json from the model's repository (llama_4_scaling_beta may be 0)"
        )


def _check_plain_rope(file: Path, text: Mapping[str, Any], rope: Mapping[str, Any]) -> None:
    if "llama_4_scaling_beta" in rope:
        raise DevtuneError(
            f"{file}: model_type is mistral, but llama_4_scaling_beta is ministral3's; write"
            " ministral3, as published, or the model answers gibberish"
        )
    if rope.get("rope_theta") is None and text.get("rope_theta") is None:
        raise DevtuneError(
            f"{file}: lacks rope_theta, for which transformers would take 10000; copy config.json"
            " from the model's repository"
        )


def check_tensors(
    path: Path, config: Mapping[str, Any], tensors: Mapping[str, TensorEntry], tied: bool
) -> None:
    """Compare names, shapes and dtypes with the class `config` names.

    `tensors` maps names as base/ will have them to what is on disk, scales and leftovers not
    among them. Raises `DevtuneError` for the first that is too many, missing, of another shape or
    of a dtype that is not imported.
    """
    expected = tensor_shapes(config, path / "config.json")
    architecture = ARCHITECTURES[config["model_type"]]
    held = {in_memory(name): entry for name, entry in tensors.items()}
    if tied and HEAD not in held:
        expected.pop(HEAD, None)
    for name, entry in held.items():
        if name not in expected:
            raise DevtuneError(
                f"{entry.file}: {entry.name} has no place in {architecture} as config.json"
                " describes it; copy config.json and weights from the same repository"
            )
        if entry.shape != expected[name]:
            raise DevtuneError(
                f"{entry.file}: {entry.name} is {list(entry.shape)}, but config.json makes it"
                f" {list(expected[name])}; copy config.json and weights from the same repository"
            )
        if entry.dtype not in DTYPES:
            raise DevtuneError(
                f"{entry.file}: {entry.name} is {entry.dtype}; import a checkpoint in BF16, F16,"
                " F32 or F8_E4M3"
            )
    if missing := sorted(expected.keys() - held.keys()):
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise DevtuneError(
            f"{path}: lacks {missing[0]}{more} of {architecture}; copy the missing shard, or the"
            " config.json of this model"
        )

"""A published checkpoint becomes BF16 `base/`, one tensor after another.

Reads config.json, *.safetensors, tekken.json and what belongs to them; writes the same without FP8.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch

from devtune.errors import DevtuneError
from devtune.model import text_config
from devtune.progress import Progress
from devtune.weights.checkpoint import (
    MAX_SHARD_BYTES,
    CheckpointReader,
    ShardWriter,
    TensorEntry,
    read_json,
    refuse_code,
    write_json,
)
from devtune.weights.fp8 import ACTIVATION_SCALE, WEIGHT_SCALE, dequantise

COPIED = (
    "tekken.json", "generation_config.json", "LICENSE*", "NOTICE*", "chat_template.*",
    "processor_config.json", "preprocessor_config.json", "*SYSTEM_PROMPT*", "tokenizer.json",
    "tokenizer_config.json", "special_tokens_map.json",
)  # fmt: skip
"""What goes along. Not params.json: beside new weights it makes vLLM serve the old ones."""
ROPE_KEYS = ("rope_theta", "llama_4_scaling_beta", "original_max_position_embeddings")
YARN_KEYS = ("factor", "beta_fast", "beta_slow", "mscale", "mscale_all_dim")


def import_checkpoint(
    path: Path, out: Path, max_shard_bytes: int = MAX_SHARD_BYTES, progress: Progress | None = None
) -> dict[str, Any]:
    """Fill the directory `out` with the checkpoint at `path` in BF16 and return counts.

    FP8 weights are multiplied by their scale; every other tensor is carried byte for byte, under
    the name it has on disk. Memory: one shard of at most `max_shard_bytes` and one tensor.
    Raises `DevtuneError` when the directory holds code, tekken.json is missing, the config lacks
    what its architecture needs, or a weight is damaged or has no usable scale.
    """
    refuse_code(path)
    config = read_json(path / "config.json")
    _check_quantisation(path, config)
    _check_rope(path, config)
    if not (path / "tekken.json").is_file():
        raise DevtuneError(
            f"{path / 'tekken.json'}: missing; copy it from the model's repository, Devstral is"
            " tokenised with nothing else"
        )
    reader = CheckpointReader(path)
    resolved = _resolve_config(path, config, reader.entries)
    out.mkdir(parents=True, exist_ok=True)
    names = [name for name in reader.entries if not name.endswith((WEIGHT_SCALE, ACTIVATION_SCALE))]
    num_dequantised = num_parameters = 0
    shown = (progress or Progress("quiet")).track("import", names, len(names), "tensors")
    with ShardWriter(out, max_shard_bytes) as writer:
        for name in shown:
            tensor = _in_bf16(reader, name)
            num_dequantised += reader.entries[name].dtype.startswith("F8_")
            num_parameters += tensor.numel()
            writer.add(name, tensor)
    write_json(out / "config.json", resolved)
    _copy_files(path, out)
    return {
        "num_tensors": len(names),
        "num_dequantised": num_dequantised,
        "num_parameters": num_parameters,
        "num_bytes": writer.num_bytes,
    }


def _in_bf16(reader: CheckpointReader, name: str) -> torch.Tensor:
    """Return a tensor as it is, or an FP8 one times its scale."""
    entry = reader.entries[name]
    tensor = reader.load(name)
    if not entry.dtype.startswith("F8_"):
        return tensor
    scale_name = name.removesuffix(".weight") + WEIGHT_SCALE
    if not name.endswith(".weight") or scale_name not in reader.entries:
        raise DevtuneError(
            f"{entry.file}: {name} is FP8 but {scale_name} is missing; without its scale the"
            " weight means nothing: copy the checkpoint again"
        )
    scale = reader.load(scale_name)
    if scale.numel() != 1 or not torch.isfinite(scale.float()).all() or scale.float().min() <= 0:
        shape = list(scale.shape)
        raise DevtuneError(
            f"{reader.entries[scale_name].file}: {scale_name} of shape {shape} is not one positive"
            " number; devtune reads FP8 with one scale for a tensor, as Devstral 2 is published"
        )
    return dequantise(tensor, scale)


def _check_quantisation(path: Path, config: Mapping[str, Any]) -> None:
    for part in (config, text_config(config)):
        method = (part.get("quantization_config") or {"quant_method": "fp8"}).get("quant_method")
        if method != "fp8":
            raise DevtuneError(
                f"{path / 'config.json'}: quant_method is {method}; import the published FP8 or a"
                " BF16 checkpoint"
            )


def _check_rope(path: Path, config: Mapping[str, Any]) -> None:
    """Refuse a ministral3 config without a key that transformers would default or trip over."""
    text = text_config(config)
    if text.get("model_type") != "ministral3":
        return
    rope = cast(dict[str, Any], text.get("rope_parameters") or {})
    yarn = rope.get("rope_type", rope.get("type")) == "yarn"
    needed = ROPE_KEYS + (YARN_KEYS if yarn else ())
    missing = [key for key in needed if rope.get(key) is None]
    if missing:
        raise DevtuneError(
            f"{path / 'config.json'}: rope_parameters lacks {', '.join(missing)};"
            " copy config.json from the model's repository (llama_4_scaling_beta may be 0)"
        )


def _resolve_config(
    path: Path, config: Mapping[str, Any], entries: Mapping[str, TensorEntry]
) -> dict[str, Any]:
    """Return the config of the BF16 weights, with tie_word_embeddings said at every level.

    `Mistral3Config` ties by default: a config that says nothing loads with a wrong lm_head.
    """
    levels = (config, text_config(config))
    said = {level["tie_word_embeddings"] for level in levels if "tie_word_embeddings" in level}
    has_head = any(name.endswith("lm_head.weight") for name in entries)
    tied = said.pop() if len(said) == 1 else not has_head
    if not tied and not has_head:
        raise DevtuneError(
            f"{path}: tie_word_embeddings is false but there is no lm_head.weight;"
            " copy the missing shard or correct config.json"
        )
    resolved = {**config, "tie_word_embeddings": tied}
    resolved.pop("quantization_config", None)
    if "text_config" in config:
        nested = {**text_config(config), "tie_word_embeddings": tied}
        nested.pop("quantization_config", None)
        resolved["text_config"] = nested
    return resolved


def _copy_files(path: Path, out: Path) -> None:
    for pattern in COPIED:
        for file in sorted(path.glob(pattern)):
            if file.is_file():
                shutil.copyfile(file, out / file.name)

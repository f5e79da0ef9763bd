"""A published checkpoint becomes BF16 `base/`: first a plan, checked in full, then its bytes.

Reads config.json and model*.safetensors, or params.json and consolidated*.safetensors, tekken.json
and what belongs to them; writes the Hugging Face layout without FP8.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from devtune.errors import DevtuneError
from devtune.model import text_config
from devtune.progress import Progress
from devtune.weights.checkpoint import (
    CONSOLIDATED,
    INDEX,
    MAX_SHARD_BYTES,
    SINGLE,
    CheckpointReader,
    natural,
    read_json,
    refuse_code,
    write_json,
)
from devtune.weights.conformance import EMBEDDING, HEAD, check_config, check_tensors
from devtune.weights.entries import TensorEntry
from devtune.weights.names import WEIGHT_SCALE, from_mistral, is_leftover
from devtune.weights.params import PARAMS, config_of_params
from devtune.weights.pieces import Carried, same_bytes
from devtune.weights.streaming import Planned, Shard, plan_shards, write_shards
from devtune.weights.sums import verify_sums

COPIED = (
    "tekken.json", "generation_config.json", "LICENSE*", "NOTICE*", "chat_template.*",
    "processor_config.json", "preprocessor_config.json", "*SYSTEM_PROMPT*", "tokenizer.json",
    "tokenizer_config.json", "special_tokens_map.json",
)  # fmt: skip
"""What goes along. Not params.json: beside new weights it makes vLLM serve the old ones."""
HUGGING_FACE, MISTRAL = ("model", "config.json"), (CONSOLIDATED, PARAMS)
"""How the files of one layout begin, which need not be there when the other is read."""


@dataclass(frozen=True)
class ImportPlan:
    """What base/ will hold, and where each byte of it comes from."""

    path: Path
    config: dict[str, Any]
    """config.json of base/."""
    tensors: dict[str, Carried]
    """By their names in base/, in the order they are written."""
    shards: tuple[Shard, ...]
    is_mistral: bool
    """Whether it is read from Mistral's own layout."""

    @property
    def entries(self) -> dict[str, TensorEntry]:
        """What is on disk for each tensor of base/."""
        return {name: carried.source for name, carried in self.tensors.items()}


def import_checkpoint(
    path: Path, out: Path, max_shard_bytes: int = MAX_SHARD_BYTES, progress: Progress | None = None
) -> dict[str, Any]:
    """Fill the directory `out` with the checkpoint at `path` in BF16 and return counts.

    Raises `DevtuneError` before anything is written when the checkpoint is not sound.
    """
    return carry_out(plan_import(path, max_shard_bytes), out, progress or Progress("quiet"))


def plan_import(path: Path, max_shard_bytes: int = MAX_SHARD_BYTES) -> ImportPlan:
    """Plan base/ from configs and headers of the checkpoint at `path`; writes nothing.

    Where both layouts are in the directory the Hugging Face one is taken. Raises `DevtuneError`
    when the directory holds code, tekken.json is missing, the config lacks what its architecture
    needs, or a tensor is missing, too many, of another shape or dtype, or without a usable scale.
    """
    refuse_code(path)
    is_mistral = _is_mistral(path)
    config = config_of_params(path) if is_mistral else read_json(path / "config.json")
    check_config(path / (PARAMS if is_mistral else "config.json"), config)
    if not (path / "tekken.json").is_file():
        raise DevtuneError(
            f"{path / 'tekken.json'}: missing; copy it from the model's repository, Devstral is"
            " tokenised with nothing else"
        )
    reader = CheckpointReader(path, CONSOLIDATED if is_mistral else "model")
    entries = _as_published(reader, config) if is_mistral else reader.entries
    kept = {
        name: entry
        for name, entry in entries.items()
        if not is_leftover(name) and not name.endswith(WEIGHT_SCALE)
    }
    config = _resolve_config(path, config, kept)
    check_tensors(path, config, kept, config["tie_word_embeddings"])
    scales = _scales(reader, entries)
    heads = _heads(config) if is_mistral else {}
    tensors = {
        name: Carried(
            planned=Planned(name, entry.shape, "BF16" if name in scales else entry.dtype),
            source=entry,
            scale=scales.get(name),
            num_heads=next((n for end, n in heads.items() if name.endswith(end)), 0),
        )
        for name, entry in kept.items()
    }
    shards = plan_shards((each.planned for each in tensors.values()), max_shard_bytes)
    return ImportPlan(path, config, tensors, shards, is_mistral)


def carry_out(plan: ImportPlan, out: Path, progress: Progress) -> dict[str, Any]:
    """Write what was planned to `out` and return counts; shards that are whole there are kept.

    FP8 weights are multiplied by their scale; every other tensor is carried byte for byte. Memory:
    a few MiB. Raises `DevtuneError` when the disk is too small, or a file is not the one that its
    SHA256SUMS names.
    """
    out.mkdir(parents=True, exist_ok=True)
    _clear(plan, out)
    check_room(plan, out)
    num_verified = verify_sums(plan.path, progress, HUGGING_FACE if plan.is_mistral else MISTRAL)
    written = write_shards(out, plan.shards, lambda name: plan.tensors[name].pieces())
    for _ in progress.track("import", written, len(plan.tensors), "tensors"):
        pass
    write_json(out / "config.json", plan.config)
    _copy_files(plan.path, out)
    return {
        "num_tensors": len(plan.tensors),
        "num_dequantised": sum(each.scale is not None for each in plan.tensors.values()),
        "num_parameters": sum(each.num_parameters for each in plan.entries.values()),
        "num_bytes": sum(each.planned.num_bytes for each in plan.tensors.values()),
        "num_files_verified": num_verified,
        "max_context": max_context(plan.path, plan.config),
    }


def max_context(path: Path, config: Mapping[str, Any]) -> int | None:
    """Return the tokens the model at `path` is published for.

    `max_position_embeddings`, or what generation_config.json says where that is less.
    """
    said = text_config(config).get("max_position_embeddings")
    file = path / "generation_config.json"
    generation = read_json(file) if file.is_file() else {}
    return min((each for each in (said, generation.get("max_length")) if each), default=None)


def check_room(plan: ImportPlan, out: Path) -> None:
    """Raise `DevtuneError` unless the disk of `out` takes what is still to be written."""
    needed = sum(each.num_bytes for each in plan.shards if not each.is_whole(out))
    free = shutil.disk_usage(out).free
    if needed > free:
        raise DevtuneError(
            f"{out}: base/ needs {needed / 1e9:,.1f} GB, {free / 1e9:,.1f} GB are free; free space"
            " there or set import.out to a larger disk"
        )


def _is_mistral(path: Path) -> bool:
    has_weights = (path / INDEX).is_file() or (path / SINGLE).is_file()
    return not has_weights and (path / PARAMS).is_file()


def _as_published(reader: CheckpointReader, config: Mapping[str, Any]) -> dict[str, TensorEntry]:
    """Entries of Mistral's layout under the names, and in the order, of the Hugging Face one."""
    in_wrapper = "text_config" in config
    renamed = {from_mistral(name, in_wrapper): entry for name, entry in reader.entries.items()}
    return {name: renamed[name] for name in sorted(renamed, key=natural)}


def _heads(config: Mapping[str, Any]) -> dict[str, int]:
    """Number of heads by the ending of the weights whose rows Mistral orders otherwise."""
    text, vision = text_config(config), config.get("vision_config") or {}
    heads = {
        ".self_attn.q_proj.weight": text["num_attention_heads"],
        ".self_attn.k_proj.weight": text["num_key_value_heads"],
    }
    for each in (".attention.q_proj.weight", ".attention.k_proj.weight") if vision else ():
        heads[each] = vision["num_attention_heads"]
    return heads


def _scales(
    reader: CheckpointReader, entries: Mapping[str, TensorEntry]
) -> dict[str, torch.Tensor]:
    """Return the scale of every FP8 weight by the weight's name."""
    for name, entry in entries.items():
        weight = entries.get(name.removesuffix(WEIGHT_SCALE) + ".weight")
        if name.endswith(WEIGHT_SCALE) and (weight is None or weight.dtype != "F8_E4M3"):
            held = "is missing" if weight is None else f"is {weight.dtype}"
            raise DevtuneError(
                f"{entry.file}: {entry.name} scales a weight that {held}; copy the checkpoint again"
            )
    quantised = [name for name, entry in entries.items() if entry.dtype == "F8_E4M3"]
    return {name: _scale(reader, entries, name) for name in quantised}


def _scale(reader: CheckpointReader, entries: Mapping[str, TensorEntry], name: str) -> torch.Tensor:
    scale_name = name.removesuffix(".weight") + WEIGHT_SCALE
    if scale_name not in entries:
        raise DevtuneError(
            f"{entries[name].file}: {name} is FP8 but {scale_name} is missing; without its scale"
            " the weight means nothing: copy the checkpoint again"
        )
    entry = entries[scale_name]
    scale = reader.load(entry.name)
    if scale.numel() != 1 or not torch.isfinite(scale.float()).all() or scale.float().min() <= 0:
        raise DevtuneError(
            f"{entry.file}: {scale_name} of shape {list(scale.shape)} is not one positive number;"
            " devtune reads FP8 with one scale for a tensor, as Devstral 2 is published"
        )
    return scale


def _resolve_config(
    path: Path, config: Mapping[str, Any], entries: Mapping[str, TensorEntry]
) -> dict[str, Any]:
    """Return the config of the BF16 weights, with tie_word_embeddings said at every level.

    `Mistral3Config` ties by default: a config that says nothing loads with a wrong lm_head.
    """
    levels = (config, text_config(config))
    said = {level["tie_word_embeddings"] for level in levels if "tie_word_embeddings" in level}
    head = next((each for name, each in entries.items() if name.endswith(HEAD)), None)
    tied = said.pop() if len(said) == 1 else head is None
    if not tied and head is None:
        raise DevtuneError(
            f"{path}: tie_word_embeddings is false but there is no lm_head.weight;"
            " copy the missing shard or correct config.json"
        )
    embedding = next((each for name, each in entries.items() if name.endswith(EMBEDDING)), None)
    if tied and head and embedding and not same_bytes(head, embedding):
        raise DevtuneError(
            f"{head.file}: {head.name} is not the embedding, but tie_word_embeddings is true;"
            " write false in config.json, or transformers may not use it"
        )
    resolved = {**config, "tie_word_embeddings": tied}
    resolved.pop("quantization_config", None)
    if "text_config" in config:
        nested = {**text_config(config), "tie_word_embeddings": tied}
        nested.pop("quantization_config", None)
        resolved["text_config"] = nested
    return resolved


def _clear(plan: ImportPlan, out: Path) -> None:
    """Remove what an earlier attempt left of shards that are not whole."""
    whole = {each.file for each in plan.shards if each.is_whole(out)}
    for file in out.glob("*.safetensors*"):
        if file.name not in whole:
            file.unlink()


def _copy_files(path: Path, out: Path) -> None:
    for pattern in COPIED:
        for file in sorted(path.glob(pattern)):
            if file.is_file():
                shutil.copyfile(file, out / file.name)

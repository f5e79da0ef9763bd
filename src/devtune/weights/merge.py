"""adapter/ into base/ → model/: tensor by tensor, accumulated in float32, one tensor in memory.

Reads `adapter_model.safetensors` and `adapter_config.json` (LoRA, QLoRA) or `model*.safetensors`
(full); writes the base's layout with the base's tensor names. Untouched tensors are the same bytes.
"""

import math
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from devtune.errors import DevtuneError
from devtune.progress import Progress
from devtune.recipe import MergeSection
from devtune.stage import MANIFEST, Outcome
from devtune.weights.checkpoint import CheckpointReader, read_json
from devtune.weights.entries import read_blocks
from devtune.weights.names import in_memory
from devtune.weights.pieces import PIECE_BYTES
from devtune.weights.streaming import Planned, plan_shards, write_shards

ADAPTER = "adapter_model.safetensors"
ADAPTER_CONFIG = "adapter_config.json"
PREFIX = "base_model.model."
Change = Callable[[torch.Tensor], torch.Tensor]


def merge(
    section: MergeSection, adapter: Path, base: Path, out: Path, progress: Progress
) -> Outcome:
    """Write base + adapter. Raises unless exactly the adapter's modules changed."""
    is_lora = (adapter / ADAPTER).is_file()
    changes = lora_changes(adapter) if is_lora else full_changes(adapter)
    entries = CheckpointReader(base).entries
    used: set[str] = set()
    differing: set[str] = set()

    def pieces(name: str) -> Iterable[Any]:
        key = in_memory(name)
        if key not in changes:
            return read_blocks(entries[name], PIECE_BYTES)
        tensor = entries[name].load()
        changed = changes[key](tensor)
        used.add(key)
        if not torch.equal(changed, tensor):
            differing.add(name)
        return (changed.contiguous().flatten().view(torch.uint8).numpy(),)

    planned = (Planned(name, each.shape, each.dtype) for name, each in entries.items())
    shards = plan_shards(planned, int(section.max_shard_gb * 1e9))
    written = write_shards(out, shards, pieces)
    for _ in progress.track("merge", written, len(entries), "tensors"):
        pass
    _check_merged(adapter, set(changes), used, len(differing))
    _copy_rest(base, out)
    return Outcome(
        summary=f"{len(differing)} of {len(entries)} tensors changed",
        counts={"tensors": len(entries), "changed": len(differing)},
    )


def lora_changes(adapter: Path) -> dict[str, Change]:
    """Return, by in-memory weight name, what a LoRA, rsLoRA or DoRA adapter does to the weight."""
    config = read_json(adapter / ADAPTER_CONFIG)
    for key in ("rank_pattern", "alpha_pattern", "modules_to_save", "trainable_token_indices"):
        if config.get(key):
            raise DevtuneError(
                f"{adapter / ADAPTER_CONFIG}: `{key}` is set, which devtune's merge does not take;"
                " train without it"
            )
    tensors = load_file(adapter / ADAPTER)
    rank = int(config["r"])
    scale = config["lora_alpha"] / (math.sqrt(rank) if config.get("use_rslora") else rank)
    modules = {key.partition(".lora_")[0].removeprefix(PREFIX) for key in tensors}
    return {
        f"{module}.weight": _lora_change(_parts(tensors, module, adapter), scale)
        for module in sorted(modules)
    }


def _parts(tensors: dict[str, torch.Tensor], module: str, adapter: Path) -> dict[str, torch.Tensor]:
    """The tensors of one wrapped module by their short names: A, B and perhaps magnitude."""
    wanted = {"A": "lora_A.weight", "B": "lora_B.weight", "magnitude": "lora_magnitude_vector"}
    parts: dict[str, torch.Tensor] = {}
    for short, suffix in wanted.items():
        for spelling in (suffix, f"{suffix}.weight"):
            found = tensors.get(f"{PREFIX}{module}.{spelling}")
            if found is not None:
                parts[short] = found.float()
    if "A" not in parts or "B" not in parts:
        raise DevtuneError(f"{adapter / ADAPTER}: {module} lacks lora_A or lora_B; train it again")
    return parts


def _lora_change(parts: dict[str, torch.Tensor], scale: float) -> Change:
    """W [out, in] → W + scale · B [out, r] · A [r, in]; with DoRA, rows rescaled to `magnitude`."""

    def change(weight: torch.Tensor) -> torch.Tensor:
        merged = weight.float() + scale * (parts["B"] @ parts["A"])
        if "magnitude" in parts:
            merged *= (parts["magnitude"] / merged.norm(dim=1)).unsqueeze(1)
        return merged.to(weight.dtype)

    return change


def full_changes(adapter: Path) -> dict[str, Change]:
    """Return, by in-memory weight name, the trained tensor that takes the place of the base's."""
    trained = CheckpointReader(adapter)

    def replacement(name: str) -> Change:
        return lambda weight: trained.load(name).to(weight.dtype)

    return {in_memory(name): replacement(name) for name in trained.entries}


def _check_merged(adapter: Path, asked: set[str], used: set[str], num_changed: int) -> None:
    tied = {"lm_head.weight"}  # saved beside the embedding it is tied to
    missing = asked - used - tied
    if missing:
        raise DevtuneError(
            f"{adapter}: {len(missing)} of its tensors have no place in the base, e.g. "
            f"{min(missing)}; it was trained on another base"
        )
    if not num_changed:
        raise DevtuneError(
            f"{adapter}: merging it changes no tensor; it was not trained, or its changes are"
            " smaller than BF16 can hold: train longer or with a larger learning rate"
        )


def _copy_rest(base: Path, out: Path) -> None:
    """Carry everything that is not weights: config, tokenizer, generation config, licence."""
    for file in sorted(base.iterdir()):
        skip = file.name == MANIFEST or file.name.endswith((".safetensors", ".index.json"))
        if file.is_file() and not skip:
            shutil.copyfile(file, out / file.name)

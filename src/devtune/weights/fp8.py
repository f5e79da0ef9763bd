"""FP8 as Devstral 2 is published in: E4M3, one scale for a tensor, static activation scales.

Reads and rewrites a checkpoint directory; the scales are BF16 scalars of no dimension.
"""

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from devtune.weights.checkpoint import (
    INDEX,
    MAX_SHARD_BYTES,
    CheckpointReader,
    ShardWriter,
    read_json,
    write_json,
)
from devtune.weights.names import ACTIVATION_SCALE, WEIGHT_SCALE

LARGEST = 448.0
"""The largest finite float8_e4m3fn."""
QUANTIZATION_CONFIG: dict[str, Any] = {
    "quant_method": "fp8",
    "activation_scheme": "static",
    "weight_block_size": None,
    "dequantize": False,
    "modules_to_not_convert": ["model.vision_tower", "model.multi_modal_projector", "lm_head"],
}


def quantise(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (float8_e4m3fn of the same shape, 0-d BF16 scale), so that weight ≈ fp8 * scale."""
    scale = scale_of(weight.abs().max())
    scaled = weight.to(torch.float32) / scale.to(torch.float32)
    return scaled.clamp(-LARGEST, LARGEST).to(torch.float8_e4m3fn), scale


def dequantise(weight: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Return `weight` (float8, any shape) times `scale` (one element), in BF16.

    The product is taken in float32 and rounded once, as transformers 5.23 does.
    """
    product = weight.to(torch.float32) * scale.to(torch.float32).reshape(())
    return product.to(torch.bfloat16)


def codebook(scale: torch.Tensor) -> Any:
    """Return what `dequantise` makes of each of the 256 codes, as the bits of BF16: uint16 [256].

    Looking codes up gives the same bits as multiplying, at a multiple of the speed.
    """
    codes = torch.arange(256, dtype=torch.uint8).view(torch.float8_e4m3fn)
    return dequantise(codes, scale).view(torch.uint16).numpy()


def scale_of(largest: torch.Tensor) -> torch.Tensor:
    """Return the 0-d BF16 scale that maps the absolute maximum `largest` onto 448."""
    scale = (largest.to(torch.float32) / LARGEST).to(torch.bfloat16)
    return scale if scale > 0 else torch.ones_like(scale)


def activation_scales(
    model: torch.nn.Module, batches: Iterable[torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Return the static input scale of every linear layer but lm_head, by module name.

    `batches` are token ids of shape (batch, length); each passes through `model` once, and a
    scale is the largest absolute input seen, divided by 448.
    """
    largest: dict[str, torch.Tensor] = {}
    with _watched(model, largest), torch.inference_mode():
        for ids in batches:
            model(input_ids=ids, use_cache=False, logits_to_keep=1)
    return {name: scale_of(value) for name, value in largest.items()}


@contextmanager
def _watched(model: torch.nn.Module, largest: dict[str, torch.Tensor]) -> Generator[None]:
    def watch(name: str) -> Any:
        def hook(_module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            seen = inputs[0].detach().abs().max()
            largest[name] = torch.maximum(largest[name], seen) if name in largest else seen

        return hook

    hooks = [
        module.register_forward_pre_hook(watch(name))
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and name != "lm_head"
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def quantise_directory(
    directory: Path, scales: Mapping[str, torch.Tensor], max_shard_bytes: int = MAX_SHARD_BYTES
) -> None:
    """Turn a BF16 checkpoint into a published-looking FP8 one, in place.

    `scales` are the activation scales by module name; exactly these modules become FP8.
    """
    reader = CheckpointReader(directory)
    fresh = directory / "fp8.new"
    fresh.mkdir()
    with ShardWriter(fresh, max_shard_bytes) as writer:
        for name in reader.entries:
            module = name.removesuffix(".weight")
            if module not in scales:
                writer.add(name, reader.load(name))
                continue
            weight, scale = quantise(reader.load(name))
            writer.add(module + ACTIVATION_SCALE, scales[module])
            writer.add(name, weight)
            writer.add(module + WEIGHT_SCALE, scale)
    for old in {entry.file for entry in reader.entries.values()} | {directory / INDEX}:
        old.unlink(missing_ok=True)
    for file in sorted(fresh.iterdir()):
        file.rename(directory / file.name)
    fresh.rmdir()
    config = read_json(directory / "config.json")
    write_json(directory / "config.json", {**config, "quantization_config": QUANTIZATION_CONFIG})

"""The import stage: breeze or a published checkpoint becomes `base/`, always BF16.

Reads an installed package or a checkpoint directory; writes config.json, weights and tekken.json.
"""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devtune.errors import DevtuneError
from devtune.model import text_config
from devtune.progress import Progress
from devtune.recipe import BreezeImport, CheckpointImport, Shape
from devtune.stage import MARK, Outcome
from devtune.weights.breeze import build_breeze
from devtune.weights.checkpoint import CheckpointReader, read_json
from devtune.weights.entries import TensorEntry
from devtune.weights.params import PARAMS
from devtune.weights.published import carry_out, import_checkpoint, max_context, plan_import

VISION = ("vision_tower", "multi_modal_projector")


def import_weights(
    section: BreezeImport | CheckpointImport, out: Path, progress: Progress
) -> Outcome:
    """Fill `out` with the weights `section` names.

    breeze in fp8 is first written as Mistral would publish it, then imported like any checkpoint.
    Raises `DevtuneError` when the weights cannot be read or are not of `section.shape`.
    """
    if isinstance(section, CheckpointImport):
        metrics = _import_published(section, out, progress)
    else:
        metrics = _import_breeze(section, out, progress)
    config = read_json(out / "config.json")
    architecture = (config.get("architectures") or ["unknown architecture"])[0]
    return Outcome(
        summary=f"{architecture}, {metrics['num_parameters'] / 1e6:,.0f} M parameters in BF16",
        counts={"tensors": metrics["num_tensors"]},
        metrics=metrics,
    )


def check_shape(
    shape: Shape, file: Path, config: dict[str, Any], entries: Mapping[str, TensorEntry]
) -> None:
    """Raise `DevtuneError` for the first field of `shape` that the model at `file` contradicts."""
    found = _shape_of(config, entries)
    for name, expected in shape.model_dump().items():
        if found[name] != expected:
            raise DevtuneError(
                f"{file}: {name} is {found[name]}, but import.shape.{name}"
                f" says {expected}; correct the recipe or set import.path to the model it means"
            )


def _shape_of(config: dict[str, Any], entries: Mapping[str, TensorEntry]) -> dict[str, Any]:
    """Return what a model says about each field of `Shape`; None where nothing."""
    vision = sum(
        entry.num_parameters for name, entry in entries.items() if any(v in name for v in VISION)
    )
    values = {name: text_config(config).get(name) for name in Shape.model_fields}
    architecture = (config.get("architectures") or [None])[0]
    return {**values, "architecture": architecture, "vision_parameters": vision}


def _import_published(section: CheckpointImport, out: Path, progress: Progress) -> dict[str, Any]:
    """Nothing is written before names, shapes and dtypes are those of the config and the recipe."""
    plan = plan_import(section.path)
    if section.shape is not None:
        file = section.path / (PARAMS if plan.is_mistral else "config.json")
        check_shape(section.shape, file, plan.config, plan.entries)
    positions = text_config(plan.config).get("max_position_embeddings")
    context = max_context(section.path, plan.config)
    if context != positions:
        progress.say("import", f"published for {context:,} tokens, config.json says {positions:,}")
    return carry_out(plan, out, progress)


def _import_breeze(section: BreezeImport, out: Path, progress: Progress) -> dict[str, Any]:
    """breeze is built in seconds, so what a killed run left is not worth keeping."""
    out.mkdir(parents=True, exist_ok=True)
    for child in out.iterdir():
        if child.name != MARK:
            shutil.rmtree(child) if child.is_dir() else child.unlink()
    if section.format == "fp8":
        metrics = _import_fp8_breeze(out, progress)
    else:
        metrics = build_breeze(out, progress)
    if section.shape is not None:
        config, entries = read_json(out / "config.json"), CheckpointReader(out).entries
        check_shape(section.shape, out / "config.json", config, entries)
    return metrics


def _import_fp8_breeze(out: Path, progress: Progress) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="published.", dir=out) as published:
        built = build_breeze(Path(published), progress, "fp8")
        return {**built, **import_checkpoint(Path(published), out, progress=progress)}

"""The import stage: breeze or a published checkpoint becomes `base/`, always BF16.

Reads an installed package or a checkpoint directory; writes config.json, weights and tekken.json.
"""

import tempfile
from pathlib import Path
from typing import Any

from devtune.errors import DevtuneError
from devtune.model import text_config
from devtune.progress import Progress
from devtune.recipe import BreezeImport, CheckpointImport, Shape
from devtune.stage import Outcome
from devtune.weights.breeze import build_breeze
from devtune.weights.checkpoint import CheckpointReader, read_json
from devtune.weights.published import import_checkpoint

VISION = ("vision_tower", "multi_modal_projector")


def import_weights(
    section: BreezeImport | CheckpointImport, out: Path, progress: Progress
) -> Outcome:
    """Fill `out` with the weights `section` names.

    breeze in fp8 is first written as Mistral would publish it, then imported like any checkpoint.
    Raises `DevtuneError` when the weights cannot be read or are not of `section.shape`.
    """
    if isinstance(section, CheckpointImport):
        metrics = import_checkpoint(section.path, out, progress=progress)
    elif section.format == "fp8":
        metrics = _import_fp8_breeze(out, progress)
    else:
        metrics = build_breeze(out, progress)
    if section.shape is not None:
        check_shape(section.shape, out)
    config = read_json(out / "config.json")
    architecture = (config.get("architectures") or ["unknown architecture"])[0]
    return Outcome(
        summary=f"{architecture}, {metrics['num_parameters'] / 1e6:,.0f} M parameters in BF16",
        counts={"tensors": metrics["num_tensors"]},
        metrics=metrics,
    )


def check_shape(shape: Shape, directory: Path) -> None:
    """Raise `DevtuneError` for the first field of `shape` that `directory` contradicts."""
    found = _shape_of(directory)
    for name, expected in shape.model_dump().items():
        if found[name] != expected:
            raise DevtuneError(
                f"{directory / 'config.json'}: {name} is {found[name]}, but import.shape.{name}"
                f" says {expected}; correct the recipe or set import.path to the model it means"
            )


def _shape_of(directory: Path) -> dict[str, Any]:
    """Return what a model directory says about each field of `Shape`; None where nothing."""
    config = read_json(directory / "config.json")
    entries = CheckpointReader(directory).entries.values()
    vision = sum(each.num_parameters for each in entries if any(v in each.name for v in VISION))
    values = {name: text_config(config).get(name) for name in Shape.model_fields}
    architecture = (config.get("architectures") or [None])[0]
    return {**values, "architecture": architecture, "vision_parameters": vision}


def _import_fp8_breeze(out: Path, progress: Progress) -> dict[str, Any]:
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="published.", dir=out) as published:
        built = build_breeze(Path(published), progress, "fp8")
        return {**built, **import_checkpoint(Path(published), out, progress=progress)}

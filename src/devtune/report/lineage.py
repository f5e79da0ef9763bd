"""The stage directories a dataset or a model was made of, found beside it by fingerprint.

Reads the manifests of stage directories; writes nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from devtune.errors import DevtuneError
from devtune.fingerprint import fingerprint_of
from devtune.line import LINE
from devtune.stage import MANIFEST, read_manifest

OUTPUTS = {stage.name: stage.output for stage in LINE}
MODELS = ("export", "merge", "train")
"""Stages that write weights that were taught."""
ELSEWHERE = "base"
"""May be shared by several runs, so it need not stand beside what was made of it."""


class Part(NamedTuple):
    """A stage directory, or why it cannot be used: `missing` says it, `""` when it can."""

    directory: Path
    manifest: Mapping[str, Any]
    missing: str


def open_dataset(dataset: Path) -> dict[str, Any]:
    """Return the manifest of a finished dataset; raises for the directory of another stage."""
    return open_output(dataset, "render")


def open_output(directory: Path, stage: str) -> dict[str, Any]:
    """Return the manifest of a finished directory of `stage`; raises for that of another one."""
    manifest = read_manifest(directory)
    if manifest["stage"] != stage:
        output = OUTPUTS[stage]
        article = "an" if output[0] in "aeiou" else "a"
        raise DevtuneError(
            f"{directory}: written by {manifest['stage']}; give {article} {output}/ directory"
        )
    return manifest


def find_part(name: str, beside: Path, reader: Mapping[str, Any]) -> Part:
    """Find the directory `name` beside `beside` that the stage with manifest `reader` read.

    One that is not there, not finished, or the work of another run is no fault of the dataset.
    """
    directory = beside.parent / name
    if not (directory / MANIFEST).is_file():
        return Part(directory, {}, f"{name}/ is not beside it")
    try:
        manifest = read_manifest(directory)
    except DevtuneError:
        return Part(directory, {}, f"{name}/ beside it has a damaged {MANIFEST}")
    if manifest["fingerprint"] != reader.get("inputs", {}).get(name):
        return Part(directory, {}, f"{name}/ beside it is of another run")
    return Part(directory, manifest, "")


def find_lineage(model: Path, run: Path | None = None) -> dict[str, Part]:
    """Return a directory of weights and all it was made of, by name, the latest first.

    They are looked for in `run`, by default the directory `model` stands in. Every fingerprint is
    checked twice: against what its reader noted, and against what the manifest signs. Raises
    `DevtuneError` for the first link that does not hold; only a `base/` may be missing.
    """
    manifest = read_manifest(model)
    if manifest["stage"] not in MODELS:
        raise DevtuneError(
            f"{model}: written by {manifest['stage']}; give a serving/, model/ or adapter/"
            " directory"
        )
    found = {OUTPUTS[manifest["stage"]]: Part(model, manifest, "")}
    for stage in reversed(LINE):  # what a stage reads was written by an earlier one
        reader = found.get(stage.output)
        if reader is None or reader.missing:
            continue
        _check_signature(reader)
        for name in sorted(reader.manifest["inputs"]):
            part = find_part(name, (run or model.parent) / stage.output, reader.manifest)
            if part.missing and name != ELSEWHERE:
                raise DevtuneError(_absent(name, part, reader))
            if part.missing or name not in found:
                found[name] = part
    order = [stage.output for stage in reversed(LINE)]
    return {name: found[name] for name in order if name in found}


def _absent(name: str, part: Part, reader: Part) -> str:
    noted = reader.manifest["inputs"][name][:12]
    return (
        f"{reader.directory}: {part.missing}; put the {name}/ of fingerprint {noted}… at"
        f" {part.directory}, or give --run the directory that holds it"
    )


def _check_signature(part: Part) -> None:
    signed = {key: part.manifest[key] for key in ("stage", "section", "inputs")}
    if fingerprint_of(signed) != part.manifest["fingerprint"]:
        raise DevtuneError(
            f"{part.directory / MANIFEST}: does not have the fingerprint of what it says; restore"
            " it, or move the directory away and run its stage again"
        )

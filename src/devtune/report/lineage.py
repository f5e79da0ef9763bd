"""The stage directories a dataset was made of, found beside it by fingerprint.

Reads the manifests of `dataset/`, `samples/` and `corpus/`; writes nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from devtune.errors import DevtuneError
from devtune.stage import MANIFEST, read_manifest


class Part(NamedTuple):
    """A stage directory, or why it cannot be used: `missing` says it, `""` when it can."""

    directory: Path
    manifest: Mapping[str, Any]
    missing: str


def open_dataset(dataset: Path) -> dict[str, Any]:
    """Return the manifest of a finished dataset; raises for the directory of another stage."""
    manifest = read_manifest(dataset)
    if manifest["stage"] != "render":
        raise DevtuneError(f"{dataset}: written by {manifest['stage']}; give a dataset/ directory")
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

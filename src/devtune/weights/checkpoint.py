"""Safetensors directories read and written one tensor at a time, and code in them refused.

Reads `model.safetensors`, or the shards `model.safetensors.index.json` names; writes the same.
Of Mistral's own layout it reads `consolidated*.safetensors`, with or without an index.
"""

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from devtune.errors import DevtuneError, one_line
from devtune.weights.entries import TensorEntry, read_entries

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
CONSOLIDATED = "consolidated"
"""How the files of Mistral's own layout are called."""
MAX_SHARD_BYTES = 5_000_000_000
PICKLES = (".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth")
CODE_KEYS = ("auto_map", "_attn_implementation_internal")


class CheckpointReader:
    """A checkpoint directory; its headers are read at once, its tensors one at a time.

    `entries` maps names to `TensorEntry` in natural order (layer 2 before layer 10), the order in
    which they should be written. Raises `DevtuneError` when weights are missing, a shard is missing
    or cut off, two hold the same tensor, or the index does not fit the shards. `stem` is `model`,
    or `CONSOLIDATED` for Mistral's own layout.
    """

    def __init__(self, directory: Path, stem: str = "model") -> None:
        self.directory = directory
        found: dict[str, TensorEntry] = {}
        for file, expected in _files(directory, stem).items():
            held = read_entries(file)
            for name in sorted(expected - held.keys()):
                raise DevtuneError(
                    f"{directory / f'{stem}.safetensors.index.json'}: names {name} in {file.name},"
                    " which does not hold it; copy index and shards from the same place again"
                )
            for name in sorted(held.keys() & found.keys()):
                raise DevtuneError(
                    f"{file}: holds {name}, which {found[name].file.name} holds too; remove the"
                    " shard that is not part of this checkpoint"
                )
            found |= held
        self.entries = {name: found[name] for name in sorted(found, key=natural)}

    def load(self, name: str) -> torch.Tensor:
        """Return one tensor, on the CPU, in its dtype on disk; `KeyError` if there is none."""
        return self.entries[name].load()


class ShardWriter:
    """Write tensors given one after another as shards of at most `max_shard_bytes`.

    Holds one shard in memory. A tensor larger than a shard gets a file of its own. Equal tensors
    in equal order give equal bytes. Used as a context manager; nothing is valid before its end.
    Raises `DevtuneError` when the disk refuses.
    """

    def __init__(self, directory: Path, max_shard_bytes: int = MAX_SHARD_BYTES) -> None:
        self.directory = directory
        self.max_shard_bytes = max_shard_bytes
        self.num_bytes = 0
        """Bytes of tensor data taken so far."""
        self._shards: list[list[str]] = []
        self._names: set[str] = set()
        self._pending: dict[str, torch.Tensor] = {}
        self._pending_bytes = 0

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        if error_type is None:
            self._finish()

    def add(self, name: str, tensor: torch.Tensor) -> None:
        """Take the next tensor, any shape and dtype; `ValueError` if the name was given before."""
        if name in self._names:
            raise ValueError(f"{name} was added before")
        num_bytes = tensor.numel() * tensor.element_size()
        if self._pending and self._pending_bytes + num_bytes > self.max_shard_bytes:
            self._flush()
        self._names.add(name)
        self._pending[name] = tensor.detach().to("cpu").contiguous()
        self._pending_bytes += num_bytes
        self.num_bytes += num_bytes

    def _flush(self) -> None:
        file = self._part(len(self._shards))
        try:
            save_file(self._pending, file, metadata={"format": "pt"})
        except SafetensorError as error:
            raise DevtuneError(
                f"{file}: cannot be written ({error}); free space there or set another run_dir"
            ) from None
        except OSError as error:
            raise DevtuneError(one_line(error, file)) from None
        self._shards.append(list(self._pending))
        self._pending, self._pending_bytes = {}, 0

    def _part(self, number: int) -> Path:
        return self.directory / f"model-{number + 1:05d}.safetensors.part"

    def _finish(self) -> None:
        """Give the shards their names, which need the number of shards, and write the index."""
        if self._pending or not self._shards:
            self._flush()
        total = len(self._shards)
        if total == 1:
            self._part(0).rename(self.directory / SINGLE)
            return
        weight_map: dict[str, str] = {}
        for number, names in enumerate(self._shards):
            final = f"model-{number + 1:05d}-of-{total:05d}.safetensors"
            self._part(number).rename(self.directory / final)
            weight_map.update(dict.fromkeys(names, final))
        index = {"metadata": {"total_size": self.num_bytes}, "weight_map": weight_map}
        write_json(self.directory / INDEX, index)


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """Sort key that counts: `layers.2` comes before `layers.10`."""
    return tuple(
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)
    )


def read_json(file: Path) -> dict[str, Any]:
    """Return the JSON object in `file`; a missing or unreadable one is a `DevtuneError`."""
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DevtuneError(f"{file}: missing; copy the whole model directory again") from None
    except ValueError as error:
        raise DevtuneError(f"{file}: not readable as JSON ({error}); copy it again") from None
    except OSError as error:
        raise DevtuneError(one_line(error, file)) from None
    if not isinstance(value, dict):
        raise DevtuneError(f"{file}: not a JSON object; copy it again")
    return cast(dict[str, Any], value)


def write_json(file: Path, value: dict[str, Any]) -> None:
    """Write `value` as transformers does: two spaces, sorted keys, newline at the end."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    file.write_text(text + "\n", encoding="utf-8")


def refuse_code(directory: Path) -> None:
    """Raise `DevtuneError` if a model directory holds anything that loading could execute.

    That is pickled weights, Python files, and the keys by which a config names code.
    """
    if not directory.is_dir():
        raise DevtuneError(f"{directory}: no such directory; correct the path of the checkpoint")
    for file in sorted(directory.rglob("*")):
        if file.suffix.lower() in PICKLES:
            raise DevtuneError(
                f"{file}: a pickle can run code when it is read; remove it, use *.safetensors"
            )
        if file.suffix.lower() == ".py":
            raise DevtuneError(f"{file}: code of a model is never run; remove it")
        if file.name.endswith("config.json"):
            _refuse_code_keys(file, read_json(file))


def _refuse_code_keys(file: Path, value: Any) -> None:
    if isinstance(value, list):
        for each in cast(list[Any], value):
            _refuse_code_keys(file, each)
    if not isinstance(value, dict):
        return
    for key, each in cast(dict[str, Any], value).items():
        if key in CODE_KEYS:
            raise DevtuneError(f"{file}: {key} names code to run; remove this key")
        _refuse_code_keys(file, each)


def _files(directory: Path, stem: str) -> dict[Path, set[str]]:
    """Return the weight files and the tensors the index expects in each."""
    single, index = directory / f"{stem}.safetensors", directory / f"{stem}.safetensors.index.json"
    if not index.is_file():
        if single.is_file():
            return {single: set()}
        numbered = sorted(directory.glob(f"{stem}-*-of-*.safetensors"))
        if stem == CONSOLIDATED and numbered:
            return _numbered(numbered)
        raise DevtuneError(
            f"{directory}: neither {index.name} nor {single.name};"
            " give a directory with weights as they are published"
        )
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise DevtuneError(f"{index}: no weight_map; copy it again")
    expected: defaultdict[Path, set[str]] = defaultdict(set)
    for name, file in sorted(cast(dict[str, str], weight_map).items()):
        if Path(file).name != file:
            raise DevtuneError(
                f"{index}: {name} is in {file}, outside the directory; write bare file names"
            )
        expected[directory / file].add(name)
    return dict(expected)


def _numbered(files: list[Path]) -> dict[Path, set[str]]:
    """Without an index, the names of consolidated shards tell how many there must be."""
    total = files[0].stem.rpartition("-of-")[2]
    wanted = range(1, int(total) + 1) if total.isdecimal() else range(0)
    names = [f"{CONSOLIDATED}-{number:05d}-of-{total}.safetensors" for number in wanted]
    return {files[0].with_name(name): set[str]() for name in names}

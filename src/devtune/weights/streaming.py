"""Safetensors shards written piece by piece: first the header, then bytes as they come.

Reads what the caller yields; writes `model*.safetensors` and their index. A shard has its name only
when it is whole, so a later run goes on behind the last one that is.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

from devtune.errors import DevtuneError, one_line
from devtune.weights.checkpoint import INDEX, SINGLE, write_json

ELEMENT_BYTES = {"F32": 4, "BF16": 2, "F16": 2, "F8_E4M3": 1}
"""Bytes of one element, in the order in which safetensors lays dtypes out."""
ALIGNMENT = 8
Pieces = Callable[[str], Iterable[Any]]
"""Tensor name → buffers that make up its bytes in order."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A tensor that is going to be written."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    """One of `ELEMENT_BYTES`."""

    @property
    def num_bytes(self) -> int:
        """Bytes it takes on disk."""
        return prod(self.shape) * ELEMENT_BYTES[self.dtype]


@dataclass(frozen=True)
class Shard:
    """One file that is going to be written."""

    file: str
    tensors: tuple[Planned, ...]
    """In the order of their bytes."""

    @cached_property
    def header(self) -> bytes:
        """What stands before the first tensor, byte for byte as safetensors writes it."""
        entries: dict[str, Any] = {"__metadata__": {"format": "pt"}}
        end = 0
        for each in self.tensors:
            start, end = end, end + each.num_bytes
            entries[each.name] = {
                "dtype": each.dtype,
                "shape": each.shape,
                "data_offsets": (start, end),
            }
        text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % ALIGNMENT)
        return len(text).to_bytes(8, "little") + text

    @property
    def num_bytes(self) -> int:
        """Size of the file."""
        return len(self.header) + sum(each.num_bytes for each in self.tensors)

    def is_whole(self, directory: Path) -> bool:
        """Whether `directory` has this file, of this size and with this header."""
        file = directory / self.file
        if not file.is_file() or file.stat().st_size != self.num_bytes:
            return False
        with file.open("rb") as opened:
            return opened.read(len(self.header)) == self.header


def plan_shards(tensors: Iterable[Planned], max_shard_bytes: int) -> tuple[Shard, ...]:
    """Divide `tensors`, in their order, into shards of at most `max_shard_bytes` of data.

    A tensor larger than that gets a file of its own. Equal tensors in equal order give equal files.
    """
    groups: list[list[Planned]] = [[]]
    num_bytes = 0
    for each in tensors:
        if groups[-1] and num_bytes + each.num_bytes > max_shard_bytes:
            groups.append([])
            num_bytes = 0
        groups[-1].append(each)
        num_bytes += each.num_bytes
    order = list(ELEMENT_BYTES)
    laid_out = [tuple(sorted(g, key=lambda t: (order.index(t.dtype), t.name))) for g in groups]
    if len(groups) == 1:
        return (Shard(SINGLE, laid_out[0]),)
    total = len(groups)
    return tuple(
        Shard(f"model-{number:05d}-of-{total:05d}.safetensors", group)
        for number, group in enumerate(laid_out, start=1)
    )


def write_shards(directory: Path, shards: tuple[Shard, ...], pieces: Pieces) -> Iterator[str]:
    """Write the shards that are not whole yet, then the index; yield each tensor's name when done.

    Memory: one piece. Raises `DevtuneError` when the disk refuses.
    """
    for shard in shards:
        if shard.is_whole(directory):
            yield from (each.name for each in shard.tensors)
        else:
            yield from _write(directory / shard.file, shard, pieces)
    if len(shards) > 1:
        total_size = sum(each.num_bytes for shard in shards for each in shard.tensors)
        weight_map = {each.name: shard.file for shard in shards for each in shard.tensors}
        index = {"metadata": {"total_size": total_size}, "weight_map": weight_map}
        write_json(directory / INDEX, index)


def _write(file: Path, shard: Shard, pieces: Pieces) -> Iterator[str]:
    part = file.with_name(file.name + ".part")
    try:
        with part.open("wb") as opened:
            opened.write(shard.header)
            for each in shard.tensors:
                start = opened.tell()
                for piece in pieces(each.name):
                    opened.write(piece)
                if opened.tell() - start != each.num_bytes:
                    raise ValueError(f"{each.name} did not come with {each.num_bytes} bytes")
                yield each.name
            opened.flush()
            os.fsync(opened.fileno())
        part.rename(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DevtuneError(one_line(error, part)) from None

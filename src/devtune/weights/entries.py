"""One tensor in a safetensors file: what the header says of it, and its bytes.

Reads files with plain reads: a memory map of a file larger than the machine's memory is refused.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from devtune.errors import DevtuneError, one_line

DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "I64": torch.int64,
    "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8,
    "BOOL": torch.bool,
}  # fmt: skip
LARGEST_HEADER_BYTES = 100_000_000
"""As safetensors has it."""


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor of a checkpoint, as the header of its file describes it."""

    name: str
    shape: tuple[int, ...]
    """Empty for a 0-d scalar."""
    dtype: str
    """As safetensors spells it: `BF16`, `F32`, `F8_E4M3`, …"""
    file: Path
    offset: int
    """Where its first byte is in the file."""
    num_bytes: int

    @property
    def num_parameters(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    def load(self) -> torch.Tensor:
        """Return it on the CPU, in its dtype on disk."""
        tensor = torch.empty(self.shape, dtype=DTYPES[self.dtype])
        if self.num_bytes:
            block = next(read_blocks(self, self.num_bytes))
            tensor = torch.from_numpy(block).view(DTYPES[self.dtype]).reshape(self.shape)
        return tensor


def read_entries(file: Path) -> dict[str, TensorEntry]:
    """Return what the header of a safetensors file says, by name; it must fit the file exactly."""
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            text = opened.read(min(length, LARGEST_HEADER_BYTES))
        header = cast(dict[str, Any], json.loads(text))
        header.pop("__metadata__", None)
        entries = {name: _entry(file, name, each, 8 + length) for name, each in header.items()}
        _check_cover(entries.values(), 8 + length, size)
    except FileNotFoundError:
        raise DevtuneError(f"{file}: missing; copy this shard again") from None
    except OSError as error:
        raise DevtuneError(one_line(error, file)) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:100]
        raise DevtuneError(f"{file}: damaged or cut off ({reason}); copy it again") from None
    return entries


def read_blocks(entry: TensorEntry, block_bytes: int) -> Iterator[Any]:
    """Yield the bytes of a tensor on disk as uint8 arrays; each is valid until the next."""
    buffer: Any = np.empty(min(block_bytes, entry.num_bytes), np.uint8)
    left = entry.num_bytes
    try:
        with entry.file.open("rb") as opened:
            opened.seek(entry.offset)
            while left:
                block = buffer[: min(left, len(buffer))]
                if opened.readinto(memoryview(block)) != len(block):
                    raise DevtuneError(f"{entry.file}: cut off while it was read; copy it again")
                left -= len(block)
                yield block
    except OSError as error:
        raise DevtuneError(one_line(error, entry.file)) from None


def _entry(file: Path, name: str, said: dict[str, Any], start: int) -> TensorEntry:
    first, end = said["data_offsets"]
    shape = tuple(int(size) for size in said["shape"])
    entry = TensorEntry(name, shape, str(said["dtype"]), file, start + first, end - first)
    dtype = DTYPES.get(entry.dtype)
    if min(shape, default=0) < 0 or (
        dtype is not None and entry.num_parameters * dtype.itemsize != entry.num_bytes
    ):
        raise ValueError(f"{name} of shape {list(shape)} in {entry.num_bytes} bytes")
    return entry


def _check_cover(entries: Any, start: int, size: int) -> None:
    """Raise `ValueError` unless the tensors lie one behind the other up to the end of the file."""
    end = start
    for each in sorted(entries, key=lambda entry: (entry.offset, entry.num_bytes)):
        if each.offset != end or each.num_bytes < 0:
            raise ValueError(f"{each.name} is not where the one before it ends")
        end += each.num_bytes
    if end != size:
        raise ValueError(f"{size} bytes, where the header says {end}")

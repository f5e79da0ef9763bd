"""Where the bytes of an imported tensor come from: read in pieces, put in order, dequantised.

Reads source shards; writes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from devtune.weights.entries import TensorEntry, read_blocks
from devtune.weights.fp8 import codebook
from devtune.weights.streaming import Planned

PIECE_BYTES = 1 << 22


@dataclass(frozen=True, slots=True)
class Carried:
    """One tensor of base/ and how it is made."""

    planned: Planned
    source: TensorEntry
    scale: torch.Tensor | None = None
    """One positive number that FP8 values are multiplied by."""
    num_heads: int = 0
    """Heads whose rows Mistral's own layout orders otherwise; 0 where rows stay."""

    def pieces(self) -> Iterator[Any]:
        """Yield the bytes of the tensor in order, as arrays of at most 8 MiB, or of one head."""
        block_bytes = self.source.num_bytes // self.num_heads if self.num_heads else PIECE_BYTES
        table = None if self.scale is None else codebook(self.scale)
        for block in read_blocks(self.source, block_bytes):
            ordered = _rope_halves(block, self.source) if self.num_heads else block
            yield ordered if table is None else table[ordered]


def same_bytes(one: TensorEntry, other: TensorEntry) -> bool:
    """Whether two tensors on disk are equal byte for byte."""
    if (one.shape, one.dtype) != (other.shape, other.dtype):
        return False
    pairs = zip(read_blocks(one, PIECE_BYTES), read_blocks(other, PIECE_BYTES), strict=True)
    return all(np.array_equal(first, second) for first, second in pairs)


def _rope_halves(head: Any, source: TensorEntry) -> Any:
    """One head's rows from pairs that lie side by side, as Mistral rotates them, to two halves.

    Source: `permute_for_rope` of transformers' `convert_ministral3_weights_to_hf.py`.
    """
    row_bytes = source.num_bytes // source.shape[0]
    return head.reshape(-1, 2, row_bytes).transpose(1, 0, 2).reshape(-1)

"""MinHash: a set of shingles as a short row of numbers that are alike when the sets are.

Reads and writes nothing. The permutations are rensa's R-MinHash with a fixed seed; see
`benchmarks/near_duplicates.py` for how it compares.
"""

import hashlib
from typing import Any, TypeAlias

import numpy as np
import rensa
from numpy.typing import NDArray

from devtune.data.selection.shingles import Hashes, fold, shingles
from devtune.steps.selection import Sketch

Signature: TypeAlias = "NDArray[np.uint32]"
SEED = 1


def signature(text: str, step: Sketch) -> Signature:
    """Return `step.num_perm` numbers; two texts agree in about their Jaccard share of them."""
    return sign(shingles(text, step.ngram), step.num_perm)


def sign(members: Hashes, num_perm: int) -> Signature:
    """Return the MinHash of a set of shingles; of an empty one, the largest numbers."""
    offsets = np.array([0, len(members)], np.uint64)
    engine: Any = rensa.RMinHash  # pyright: ignore[reportAttributeAccessIssue] (no stubs)
    matrix = engine.digest_matrix_from_flat_token_hashes(members, offsets, num_perm, SEED)
    return np.array(matrix.to_rows()[0], np.uint32)


def band_keys(row: Signature, bands: int, rows: int) -> Hashes:
    """Return one number for each band of the first `bands * rows` values."""
    cut = row[: bands * rows].astype(np.uint64).reshape(bands, rows)
    return fold(cut.T)


def digest_of(text: str) -> int:
    """Return 64 bits of the SHA-256 of `text`: equal texts, equal numbers."""
    content = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "little")

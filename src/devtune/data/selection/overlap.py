"""Held-out samples that would measure memory: their answer, or nearly all of it, is trained on.

Reads sketches of answers and what was found of passages; writes nothing.

Two questions are asked. Does all code of the answer stand in trained text, moved or not? Is the
answer alike to a trained one of its family? A third one, whether a run of ten words of its added
lines is trained on, is not asked: inside one codebase such runs are its idioms, which the model is
to learn, and a copied answer is found by the first two.
"""

from collections.abc import Iterable, Iterator, Set

import numpy as np
from numpy.typing import NDArray

from devtune.data.corpus import passage_of
from devtune.data.selection.passages import is_decisive, passage_id
from devtune.data.selection.shingles import Hashes, are_alike
from devtune.data.selection.sketches import Sketches

AT_THE_CUT = "already_at_the_cut"
NEAR_DUPLICATE = "near_duplicate_of_training"
MAX_CANDIDATES = 16
"""Trained answers a held-out one is compared with in a band: thousands alike cost no more."""


def is_at_the_cut(
    evidence: Iterable[str], blobs: Iterable[str], found: Set[str], trained_blobs: Set[str]
) -> bool:
    """Whether an answer is there already when training is cut.

    `evidence` is its code and `found` the ids of the passages training has; or every one of the
    `blobs` it was made from is a version that training sees. Short passages alone do not decide.
    """
    versions = [blob for blob in blobs if blob]
    if versions and all(blob in trained_blobs for blob in versions):
        return True
    passages = [lines for text in evidence if (lines := passage_of(text))]
    return any(map(is_decisive, passages)) and all(passage_id(each) in found for each in passages)


def find_near(trained: Sketches, held_out: Sketches, min_jaccard: float) -> dict[int, int]:
    """Map rows of `held_out` to a row of `trained` that is alike; rows without one are not there.

    In each band a row is compared with the first `MAX_CANDIDATES` distinct texts that agree with
    it, in the order of their digests, until one is alike.
    """
    _, firsts = np.unique(trained.digests, return_index=True)
    near: dict[int, int] = {}
    for keys, asked in zip(trained.bands(), held_out.bands(), strict=True):
        for row, candidates in _matches(keys[firsts], asked):
            if row in near:
                continue
            members = held_out.shingles_of(row)
            for each in firsts[candidates].tolist():
                if are_alike(trained.shingles_of(each), members, min_jaccard):
                    near[row] = each
                    break
    return dict(sorted(near.items()))


def _matches(keys: Hashes, asked: Hashes) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Give each row of `asked` whose key is among `keys`, and the first places it has there."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.searchsorted(ordered, asked, side="left")
    ends = np.searchsorted(ordered, asked, side="right")
    for row in np.flatnonzero(ends > starts).tolist():
        yield row, order[starts[row] : min(ends[row], starts[row] + MAX_CANDIDATES)]

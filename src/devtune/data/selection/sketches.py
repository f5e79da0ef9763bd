"""What near-duplicate search remembers of texts: band keys, digests and shingles, on disk.

Reads and writes directories of `keys.npy` (texts x bands), `digests.npy`, `offsets.npy` and
`shingles.npy`; they are mapped, not loaded.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from devtune.data.selection.shingles import NO_HASHES, Hashes, shingles
from devtune.data.selection.signatures import band_keys, digest_of, sign
from devtune.steps.selection import Sketch

REMEMBERED_SHINGLES = 1 << 22
"""Shingles kept in memory: 32 MB."""


def write_sketches(texts: Iterable[tuple[str, str]], step: Sketch, out: Path) -> int:
    """Write what is needed of each `(group, text)` into the directory `out`; return how many.

    Texts of different groups are never alike, whatever they say.
    """
    keys: list[Hashes] = []
    digests: list[int] = []
    sets: list[Hashes] = []
    for group, text in texts:
        members = shingles(text, step.ngram)
        salt = np.uint64(digest_of(group))
        keys.append(band_keys(sign(members, step.num_perm), step.bands, step.rows) ^ salt)
        digests.append(digest_of(f"{group}\0{text}"))
        sets.append(members)
    offsets = np.cumsum([0, *map(len, sets)], dtype=np.int64)
    np.save(out / "keys.npy", np.array(keys, np.uint64).reshape(len(keys), step.bands))
    np.save(out / "digests.npy", np.array(digests, np.uint64))
    np.save(out / "offsets.npy", offsets)
    np.save(out / "shingles.npy", np.concatenate([NO_HASHES, *sets]))
    return len(digests)


class Sketches:
    """The sketches of several directories, as one row after another."""

    def __init__(self, directories: Sequence[Path]) -> None:
        self._keys = [np.load(each / "keys.npy", mmap_mode="r") for each in directories]
        self._offsets = [np.load(each / "offsets.npy") for each in directories]
        self._shingles = [np.load(each / "shingles.npy", mmap_mode="r") for each in directories]
        self._firsts = np.cumsum([0, *(len(each) - 1 for each in self._offsets)])
        digests = [np.load(each / "digests.npy") for each in directories]
        self.digests: Hashes = np.concatenate([NO_HASHES, *digests])
        self.num_bands = self._keys[0].shape[1] if self._keys else 0
        self._recent: OrderedDict[int, Hashes] = OrderedDict()
        self._num_recent = 0

    def __len__(self) -> int:
        return len(self.digests)

    def bands(self) -> Iterator[Hashes]:
        """Give the keys of all rows, one band after another: one at a time is in memory."""
        for band in range(self.num_bands):
            yield np.concatenate([each[:, band] for each in self._keys])

    def shingles_of(self, row: int) -> Hashes:
        """Return the shingles of a row; those used last are remembered."""
        if row in self._recent:
            self._recent.move_to_end(row)
            return self._recent[row]
        part = int(np.searchsorted(self._firsts, row, side="right")) - 1
        place = row - int(self._firsts[part])
        start, end = self._offsets[part][place : place + 2]
        found = np.array(self._shingles[part][start:end])
        self._recent[row] = found
        self._num_recent += len(found)
        while self._num_recent > REMEMBERED_SHINGLES and len(self._recent) > 1:
            self._num_recent -= len(self._recent.popitem(last=False)[1])
        return found

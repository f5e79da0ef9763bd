"""Texts that are nearly the same: candidates by band keys, decided by exact Jaccard, one kept.

Reads sketches through the functions it is given; writes nothing. The result does not hang on the
order of the rows: they are looked at in the order of their digests.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from devtune.data.selection.shingles import Hashes, are_alike
from devtune.records import Split

MAX_REPRESENTATIVES = 16
"""Texts of one bucket that later ones are compared with: what 10,000 alike files cost is linear."""
ShinglesOf = Callable[[int], Hashes]


class Copy(NamedTuple):
    """What decides which of several alike texts is kept."""

    split: Split
    date: str
    """ISO 8601 in UTC."""
    place: str
    """Source and path."""


class Clusters:
    """Rows joined into sets; the smallest row of a set names it (union-find)."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def find(self, row: int) -> int:
        """Return the name of the set of `row`."""
        parents = self._parents
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row

    def join(self, one: int, other: int) -> None:
        """Make one set of two."""
        first, second = sorted((self.find(one), self.find(other)))
        self._parents[second] = first

    def sets(self) -> list[list[int]]:
        """Return the sets of more than one row, rows and sets ascending."""
        found: dict[int, list[int]] = {}
        for row in range(len(self._parents)):
            found.setdefault(self.find(row), []).append(row)
        return [rows for rows in found.values() if len(rows) > 1]


def buckets(bands: Iterable[Hashes]) -> Iterator[list[int]]:
    """Give the rows that agree in a band, ascending, for each key of each band in turn.

    `bands` holds one key a row for each band; only one band is in memory.
    """
    for keys in bands:
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        borders = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
        starts = np.concatenate(([0], borders))
        ends = np.append(borders, len(keys))
        for at in np.flatnonzero(ends - starts > 1):
            yield order[starts[at] : ends[at]].tolist()


def find_clusters(
    bands: Iterable[Hashes], digests: Hashes, shingles_of: ShinglesOf, min_jaccard: float
) -> list[list[int]]:
    """Return the sets of rows that are connected by exact similarity of at least `min_jaccard`.

    Equal digests are one text. A text is compared with the first `MAX_REPRESENTATIVES` texts of its
    bucket that are not alike among themselves.
    """
    clusters = Clusters(len(digests))
    _, firsts, places = np.unique(digests, return_index=True, return_inverse=True)
    for row, first in enumerate(firsts[places].tolist()):
        clusters.join(first, row)
    distinct = (keys[firsts] for keys in bands)
    for members in buckets(distinct):
        _compare([int(firsts[each]) for each in members], clusters, shingles_of, min_jaccard)
    return clusters.sets()


def _compare(
    rows: list[int], clusters: Clusters, shingles_of: ShinglesOf, min_jaccard: float
) -> None:
    representatives: list[int] = []
    for row in rows:
        if clusters.find(row) in {clusters.find(each) for each in representatives}:
            continue
        members = shingles_of(row)
        for each in representatives:
            if are_alike(shingles_of(each), members, min_jaccard):
                clusters.join(each, row)
                break
        else:
            if len(representatives) < MAX_REPRESENTATIVES:
                representatives.append(row)


def choose(clusters: Iterable[Iterable[int]], copies: Sequence[Copy]) -> dict[int, int]:
    """Map every row that goes to the one of its cluster that stays.

    What is trained on stays before what is held out, then the newest, then the first place.
    """
    chosen: dict[int, int] = {}
    for rows in clusters:
        by_place = sorted(rows, key=lambda row: (copies[row].place, row))
        kept = max(by_place, key=lambda row: (copies[row].split == "train", copies[row].date))
        chosen.update((row, kept) for row in sorted(rows) if row != kept)
    return chosen


def multiplicities(chosen: Mapping[int, int]) -> dict[int, int]:
    """Return how many texts each kept row stands for, itself included; for those above one."""
    return {row: count + 1 for row, count in sorted(Counter(chosen.values()).items())}

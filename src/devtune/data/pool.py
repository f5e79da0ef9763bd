"""All samples of a build as selection sees them: small rows in memory, texts on the disk.

Reads the parts `making` wrote; writes which samples stay.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from devtune.data.corpus import Made
from devtune.data.making import EVIDENCE, INDEX, MADE, Evidence
from devtune.data.selection.index import IndexRow, Selection
from devtune.jsonl import read_jsonl
from devtune.records import Sample

ALIVE = "alive.npy"


@dataclass(slots=True)
class Pool:
    """All samples of a build: those that still stay, and why the others went."""

    parts: Sequence[Path]
    bases: list[int] = field(default_factory=list[int])
    """Position of the first sample of each part."""
    rows: dict[int, IndexRow] = field(default_factory=dict[int, IndexRow])
    """Those that stay, by position."""
    dropped: dict[int, str] = field(default_factory=dict[int, str])
    folded: dict[int, int] = field(default_factory=dict[int, int])
    notes: list[str] = field(default_factory=list[str])

    @staticmethod
    def of(parts: Sequence[Path]) -> "Pool":
        """Read the index of every part."""
        pool = Pool(parts)
        for part in parts:
            base = len(pool.rows)
            pool.bases.append(base)
            for row in read_jsonl(part / INDEX, IndexRow):
                position = base + row.position
                pool.rows[position] = replace(row, position=position)
        return pool

    def take(self, selection: Selection) -> None:
        """Let go what a step did not keep."""
        for position, reason in selection.dropped:
            self.drop(position, reason)
        self.folded.update(selection.folded)
        self.notes += selection.notes

    def drop(self, position: int, reason: str) -> None:
        """Let one sample go."""
        self.dropped[position] = reason
        del self.rows[position]

    def samples(self, folder: Path) -> "Samples":
        """Return those that stay now, to be read by any process; `folder` remembers which."""
        np.save(folder / ALIVE, np.array(sorted(self.rows), np.int64))
        return Samples(tuple(self.parts), tuple(self.bases), folder / ALIVE)

    def units(self) -> list[Any]:
        """Numbers of the parts."""
        return list(range(len(self.parts)))

    def evidence(self) -> Iterator[Evidence]:
        """Yield what tells of each held-out sample that stays, with its position among all."""
        for part, base in zip(self.parts, self.bases, strict=True):
            for each in read_jsonl(part / EVIDENCE, Evidence):
                if base + each.position in self.rows:
                    yield replace(each, position=base + each.position)


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples that stay, read part by part."""

    parts: tuple[Path, ...]
    bases: tuple[int, ...]
    alive: Path

    def of_unit(self, unit: int) -> Iterator[tuple[int, Sample]]:
        """Yield (position, sample) of one part, without what selection knows of it."""
        return ((position, made.sample) for position, made in self.of(unit))

    def of(self, unit: int) -> Iterator[tuple[int, Made]]:
        """Yield (position, sample) of one part."""
        alive = set(np.load(self.alive).tolist())
        for number, made in enumerate(read_jsonl(self.parts[unit] / MADE, Made)):
            if self.bases[unit] + number in alive:
                yield self.bases[unit] + number, made

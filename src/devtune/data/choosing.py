"""The selection steps of a pipeline, applied to samples that lie on the disk in parts.

Reads the parts `making` wrote and the corpus; writes into the scratch directory, and
`contamination.jsonl`. In memory is one small row a sample, never its text.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from devtune.data.chunks import Chunk, chunks_of
from devtune.data.corpus import Made
from devtune.data.making import EVIDENCE, INDEX, MADE, Evidence
from devtune.data.parts import Run, run_parts
from devtune.data.selection.benchmark_texts import read_benchmarks, read_texts
from devtune.data.selection.ceilings import cap, max_per_family, max_per_task
from devtune.data.selection.contamination import Hit, References, find_hits, write_matches
from devtune.data.selection.equals import exact_dedup
from devtune.data.selection.index import IndexRow, Selection
from devtune.data.selection.mixture import mix
from devtune.data.selection.overlap import AT_THE_CUT, NEAR_DUPLICATE, find_near, is_at_the_cut
from devtune.data.selection.passages import Wanted
from devtune.data.selection.sketches import Sketches, write_sketches
from devtune.data.selection.wording import answer_of, text_of
from devtune.jsonl import read_jsonl, to_json
from devtune.records import SPLITS, Change, Contamination, SourceFile, Split
from devtune.steps.selection import (
    Cap,
    Decontaminate,
    ExactDedup,
    HeldOutOverlap,
    MaxPerFamily,
    MaxPerTask,
    Mix,
    SelectionStep,
)

CONTAMINATION, ALIVE, MATCHES = "contamination.jsonl", "alive.npy", "matches.jsonl"
TRAINED_ROWS: dict[str, type[Any]] = {"files.jsonl": SourceFile, "changes.jsonl": Change}


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

    def of(self, unit: int) -> Iterator[tuple[int, Made]]:
        """Yield (position, sample) of one part."""
        alive = set(np.load(self.alive).tolist())
        for number, made in enumerate(read_jsonl(self.parts[unit] / MADE, Made)):
            if self.bases[unit] + number in alive:
                yield self.bases[unit] + number, made


@dataclass(frozen=True, slots=True)
class Finding:
    """Which passages, and which file versions, training sees in one chunk of the corpus."""

    corpus: Path
    wanted: Path

    def __call__(self, unit: Any, out: Path) -> None:
        """Look through one chunk."""
        name, start, end = unit
        wanted = Wanted.load(self.wanted)
        found: set[str] = set()
        blobs: set[str] = set()
        for _, row in Chunk(self.corpus / name, start, end).rows(TRAINED_ROWS[name]):
            for blob, text in _trained_texts(row) if row.split == "train" else ():
                if blob not in blobs:
                    blobs.add(blob)
                    found |= wanted.find(text)
        (out / "found.json").write_text(json.dumps([sorted(found), sorted(blobs)]))


@dataclass(frozen=True, slots=True)
class Sketching:
    """Sketches of the answers of one part, a directory for each side of the split."""

    samples: Samples
    step: HeldOutOverlap

    def __call__(self, unit: Any, out: Path) -> None:
        """Sketch one part."""
        sides: dict[Split, list[tuple[int, str, str]]] = {split: [] for split in SPLITS}
        for position, made in self.samples.of(unit):
            sides[made.split].append((position, made.sample.family, answer_of(made.sample)))
        for split, rows in sides.items():
            (out / split).mkdir()
            write_sketches(((family, text) for _, family, text in rows), self.step, out / split)
            np.save(out / split / "positions.npy", np.array([row[0] for row in rows], np.int64))


@dataclass(frozen=True, slots=True)
class Matching:
    """What the samples of one part share with texts nothing may be trained on."""

    samples: Samples
    references: Path

    def __call__(self, unit: Any, out: Path) -> None:
        """Look up one part."""
        rows = (
            (position, made.sample.sample_id, _place(made), text_of(made.sample))
            for position, made in self.samples.of(unit)
        )
        write_matches(rows, References.load(self.references), out / MATCHES)


def choose_samples(
    steps: Sequence[SelectionStep], pool: Pool, corpus: Path, out: Path, run: Run
) -> None:
    """Apply the steps to `pool`, from top to bottom."""
    for number, step in enumerate(steps):
        match step:
            case ExactDedup():
                pool.take(exact_dedup(list(pool.rows.values())))
            case Cap():
                pool.take(cap(step, list(pool.rows.values())))
            case Mix():
                pool.take(mix(step, list(pool.rows.values())))
            case MaxPerTask():
                pool.take(max_per_task(step, list(pool.rows.values())))
            case MaxPerFamily():
                pool.take(max_per_family(step, list(pool.rows.values())))
            case HeldOutOverlap():
                _drop_overlap(step, pool, corpus, run, str(number))
            case Decontaminate():
                _drop_contaminated(step, pool, out, run, str(number))
            case _:
                continue


def _drop_overlap(step: HeldOutOverlap, pool: Pool, corpus: Path, run: Run, number: str) -> None:
    """Drop held-out samples that training has: in one piece, or nearly."""
    folder = run.scratch / f"overlap_{number}"
    folder.mkdir(exist_ok=True)
    Wanted.of(chain.from_iterable(each.texts for each in pool.evidence())).save(folder / "wanted")
    units = [
        (name, chunk.start, chunk.end)
        for name in TRAINED_ROWS
        for chunk in chunks_of(corpus / name)
    ]
    finding = Finding(corpus, folder / "wanted")
    parts = run_parts(f"held out {number}", units, finding, run)
    found: set[str] = set()
    blobs: set[str] = set()
    for part in parts:
        passages, versions = json.loads((part / "found.json").read_text())
        found.update(passages)
        blobs.update(versions)
    for each in list(pool.evidence()):
        if is_at_the_cut(each.texts, each.blobs, found, blobs):
            pool.drop(each.position, AT_THE_CUT)
    sketching = Sketching(_samples(pool, folder), step)
    sketched = run_parts(f"answers {number}", _units(pool), sketching, run)
    trained, held_out = (Sketches([part / split for part in sketched]) for split in SPLITS)
    rows = [np.load(part / "held_out" / "positions.npy").tolist() for part in sketched]
    positions = list(chain.from_iterable(rows))
    for row in find_near(trained, held_out, step.min_jaccard):
        pool.drop(positions[row], NEAR_DUPLICATE)


def _drop_contaminated(step: Decontaminate, pool: Pool, out: Path, run: Run, number: str) -> None:
    """Drop samples that share words in a row with a benchmark, and write down which words."""
    if not step.texts and step.benchmarks is None:
        return
    folder = run.scratch / f"contamination_{number}"
    folder.mkdir(exist_ok=True)
    documents = chain(
        chain.from_iterable(map(read_texts, step.texts)),
        read_benchmarks(step.benchmarks) if step.benchmarks else (),
    )
    references = References.of(documents, step.ngram)
    references.save(folder)
    matching = Matching(_samples(pool, folder), folder)
    parts = run_parts(f"contamination {number}", _units(pool), matching, run)
    found = find_hits([part / MATCHES for part in parts], references, step.max_document_frequency)
    with (out / CONTAMINATION).open("ab") as file:
        for hit in found.hits:
            file.write(to_json(_hit_row(hit, pool.rows[hit.position])))
    for position in sorted({hit.position for hit in found.hits}):
        pool.drop(position, "contaminated")
    counts = Counter(hit.benchmark for hit in found.hits)
    pool.notes += [f"{name}: {number} matches" for name, number in sorted(counts.items())]


def _hit_row(hit: Hit, row: IndexRow) -> Contamination:
    return Contamination(
        hit.sample_id, row.family, row.source, row.path, hit.benchmark, hit.document, hit.ngram
    )


def _samples(pool: Pool, folder: Path) -> Samples:
    np.save(folder / ALIVE, np.array(sorted(pool.rows), np.int64))
    return Samples(tuple(pool.parts), tuple(pool.bases), folder / ALIVE)


def _units(pool: Pool) -> list[Any]:
    return list(range(len(pool.parts)))


def _trained_texts(row: SourceFile | Change) -> Iterator[tuple[str, str]]:
    """Yield (blob id, text) of every file version a row shows."""
    if isinstance(row, SourceFile):
        yield row.provenance.blob, row.text
        return
    for edit in row.edits:
        yield edit.provenance.blob, edit.new
        yield edit.old_blob, edit.old


def _place(made: Made) -> str:
    where = made.sample.provenance[0]
    return f"{where.source}/{where.path}"

"""The selection steps of a pipeline, applied to samples that lie on the disk in parts.

Reads the parts `making` wrote and the corpus; writes into the scratch directory, and
`contamination.jsonl`. In memory is one small row a sample, never its text.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from devtune.data.chunks import Chunk, chunks_of
from devtune.data.parts import Run, run_parts
from devtune.data.pool import Pool, Samples
from devtune.data.selection.benchmark_texts import read_benchmarks, read_texts
from devtune.data.selection.ceilings import cap, max_per_family, max_per_task
from devtune.data.selection.contamination import Hit, References, find_hits, write_matches
from devtune.data.selection.duplicates import Copy, choose, find_clusters
from devtune.data.selection.equals import exact_dedup
from devtune.data.selection.index import IndexRow
from devtune.data.selection.mixture import mix
from devtune.data.selection.overlap import AT_THE_CUT, NEAR_DUPLICATE, find_near, is_at_the_cut
from devtune.data.selection.passages import Wanted
from devtune.data.selection.sketches import Sketches, write_sketches
from devtune.data.selection.wording import answer_of, text_of
from devtune.jsonl import to_json
from devtune.records import SPLITS, Change, Contamination, Sample, SourceFile, Split
from devtune.steps.selection import (
    Cap,
    Decontaminate,
    ExactDedup,
    HeldOutOverlap,
    MaxPerFamily,
    MaxPerTask,
    Mix,
    NearDuplicateSamples,
    SelectionStep,
    Sketch,
)

CONTAMINATION, MATCHES = "contamination.jsonl", "matches.jsonl"
PLACES = "places.json"
TRAINED_ROWS: dict[str, type[Any]] = {"files.jsonl": SourceFile, "changes.jsonl": Change}


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
    step: Sketch
    splits: tuple[Split, ...] = SPLITS

    def __call__(self, unit: Any, out: Path) -> None:
        """Sketch one part."""
        sides: dict[Split, list[tuple[int, Sample]]] = {split: [] for split in self.splits}
        for position, made in self.samples.of(unit):
            if made.split in sides:
                sides[made.split].append((position, made.sample))
        for split, rows in sides.items():
            (out / split).mkdir()
            texts = ((sample.family, answer_of(sample)) for _, sample in rows)
            write_sketches(texts, self.step, out / split)
            places = [(position, _rank(sample)) for position, sample in rows]
            (out / split / PLACES).write_text(json.dumps(places), encoding="utf-8")


class Readable(Protocol):
    """Conversations in numbered parts."""

    def of_unit(self, unit: int) -> Iterator[tuple[int, Sample]]:
        """Yield (position, conversation) of one part."""
        ...


@dataclass(frozen=True, slots=True)
class Matching:
    """What the samples of one part share with texts nothing may be trained on."""

    samples: Readable
    references: Path

    def __call__(self, unit: Any, out: Path) -> None:
        """Look up one part."""
        rows = (
            (position, each.sample_id, _place(each), text_of(each))
            for position, each in self.samples.of_unit(unit)
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
            case NearDuplicateSamples():
                _drop_near_duplicates(step, pool, run, str(number))
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
    sketching = Sketching(pool.samples(folder), step)
    sketched = run_parts(f"answers {number}", pool.units(), sketching, run)
    trained, held_out = (Sketches([part / split for part in sketched]) for split in SPLITS)
    places = _places(sketched, "held_out")
    for row in find_near(trained, held_out, step.min_jaccard):
        pool.drop(places[row][0], NEAR_DUPLICATE)


def _drop_near_duplicates(step: NearDuplicateSamples, pool: Pool, run: Run, number: str) -> None:
    """Keep one of the samples of a family that are nearly the same."""
    folder = run.scratch / f"near_{number}"
    folder.mkdir(exist_ok=True)
    sketching = Sketching(pool.samples(folder), step, ("train",))
    sketched = run_parts(f"near duplicates {number}", pool.units(), sketching, run)
    sketches = Sketches([part / "train" for part in sketched])
    places = _places(sketched, "train")
    clusters = find_clusters(
        sketches.bands(), sketches.digests, sketches.shingles_of, step.min_jaccard
    )
    chosen = choose(clusters, [Copy("train", rank, str(position)) for position, rank in places])
    for row in sorted(chosen):
        pool.drop(places[row][0], "near_duplicate")


def _places(parts: Sequence[Path], split: Split) -> list[tuple[int, str]]:
    return [
        (position, rank)
        for part in parts
        for position, rank in json.loads((part / split / PLACES).read_text(encoding="utf-8"))
    ]


def _rank(sample: Sample) -> str:
    """Sort key: of alike samples the last one stays."""
    return f"{sample.outcome == 'resolved':d} {sample.provenance[0].date}"


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
    matching = Matching(pool.samples(folder), folder)
    parts = run_parts(f"contamination {number}", pool.units(), matching, run)
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


def _trained_texts(row: SourceFile | Change) -> Iterator[tuple[str, str]]:
    """Yield (blob id, text) of every file version a row shows."""
    if isinstance(row, SourceFile):
        yield row.provenance.blob, row.text
        return
    for edit in row.edits:
        yield edit.provenance.blob, edit.new
        yield edit.old_blob, edit.old


def _place(sample: Sample) -> str:
    where = sample.provenance[0]
    return f"{where.source}/{where.path}"

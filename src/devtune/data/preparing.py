"""What is known of all files before samples are made of them: near-duplicates, and the code graph.

Reads `files.jsonl` of a corpus; writes sketches, facts and the graph into the scratch directory,
and `duplicates.jsonl`.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devtune.data.chunks import Chunk, chunks_of, read_at
from devtune.data.code.facts import Fact, describe
from devtune.data.code.graph import write_graph
from devtune.data.parts import TEMPORARY, Run, run_parts
from devtune.data.selection.duplicates import Copy, choose, find_clusters
from devtune.data.selection.sketches import Sketches, write_sketches
from devtune.data.temporary import temporary_files_in
from devtune.jsonl import write_jsonl
from devtune.records import DuplicateCluster, Rejected, SourceFile
from devtune.steps.selection import NearDuplicateFiles

FILES, COPIES, FACTS, GRAPH = "files.jsonl", "copies.json", "facts.jsonl", "graph.sqlite"
DUPLICATES = "duplicates.jsonl"


@dataclass(frozen=True, slots=True)
class Sketching:
    """Sketches of the files of one chunk. Both sides of the split have a group of their own."""

    corpus: Path
    step: NearDuplicateFiles

    def __call__(self, unit: Any, out: Path) -> None:
        """Sketch one chunk."""
        copies: list[tuple[int, str, str, str]] = []

        def texts() -> Iterator[tuple[str, str]]:
            for offset, file in Chunk(self.corpus / FILES, *unit).rows(SourceFile):
                where = file.provenance
                copies.append((offset, file.split, where.date, f"{where.source}/{where.path}"))
                yield file.split, file.text

        write_sketches(texts(), self.step, out)
        (out / COPIES).write_text(json.dumps(copies), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Describing:
    """What the files of one chunk say of the graph."""

    corpus: Path

    def __call__(self, unit: Any, out: Path) -> None:
        """Describe one chunk."""
        with (out / FACTS).open("w", encoding="utf-8") as facts:
            for offset, file in Chunk(self.corpus / FILES, *unit).rows(SourceFile):
                for fact in describe(file, offset):
                    facts.write(json.dumps(fact) + "\n")


def find_duplicates(
    step: NearDuplicateFiles, corpus: Path, out: Path, run: Run
) -> tuple[frozenset[int], list[Rejected]]:
    """Write the clusters of near-duplicate files into `out`.

    Returns the offsets of the files that go, and a row for each.
    """
    parts = run_parts("near duplicates", _units(corpus), Sketching(corpus, step), run)
    rows = [row for part in parts for row in json.loads((part / COPIES).read_text("utf-8"))]
    sketches = Sketches(parts)
    clusters = find_clusters(
        sketches.bands(), sketches.digests, sketches.shingles_of, step.min_jaccard
    )
    chosen = choose(clusters, [Copy(split, date, place) for _, split, date, place in rows])
    groups: dict[int, list[int]] = {}
    for dropped, kept in chosen.items():
        groups.setdefault(kept, []).append(dropped)
    found = [_cluster(corpus, rows, kept, dropped) for kept, dropped in sorted(groups.items())]
    write_jsonl(out / DUPLICATES, found)
    return frozenset(rows[each][0] for each in chosen), list(_rejected(found))


def _cluster(
    corpus: Path, rows: Sequence[Any], kept: int, dropped: Sequence[int]
) -> DuplicateCluster:
    first, *others = (
        read_at(corpus / FILES, rows[each][0], SourceFile).provenance
        for each in (kept, *sorted(dropped))
    )
    return DuplicateCluster(first, tuple(others))


def _rejected(clusters: Sequence[DuplicateCluster]) -> Iterator[Rejected]:
    for cluster in clusters:
        kept = f"{cluster.kept.source}/{cluster.kept.path}"
        for where in cluster.dropped:
            yield Rejected("near_duplicate", where.source, where.path, where.commit, kept)


def draw_graph(corpus: Path, out: Path, run: Run) -> None:
    """Write the code graph of all files to `out`; one that is there is whole."""
    if out.is_file():
        return
    parts = run_parts("code graph", _units(corpus), Describing(corpus), run)
    draft = out.with_suffix(".new")
    with temporary_files_in(run.scratch / TEMPORARY):  # where its indexes are sorted
        write_graph(_facts(parts), draft)
    draft.rename(out)


def _facts(parts: Sequence[Path]) -> Iterator[Fact]:
    for part in parts:
        with (part / FACTS).open(encoding="utf-8") as facts:
            yield from map(json.loads, facts)


def _units(corpus: Path) -> list[Any]:
    return [(chunk.start, chunk.end) for chunk in chunks_of(corpus / FILES)]

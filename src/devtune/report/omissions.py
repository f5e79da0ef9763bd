"""What did not become part of a dataset: rejects, near-duplicates and contaminated samples.

Reads `rejected.jsonl`, `duplicates.jsonl` and `contamination.jsonl`; writes nothing. One pass over
each; memory holds what is shown.
"""

import heapq
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from devtune.jsonl import read_jsonl
from devtune.records import Contamination, DuplicateCluster, Provenance, Rejected
from devtune.report.draw import Draw

NUM_EXAMPLES = 3
NUM_CLUSTERS = 50
NUM_DROPPED = 12
NUM_HITS = 100


@dataclass(slots=True)
class Reason:
    """One reason to reject: how often, and a few examples."""

    count: int
    examples: list[Rejected]


@dataclass(slots=True)
class Cluster:
    """Files that are nearly the same; of the dropped ones the first few."""

    kept: Provenance
    dropped: tuple[Provenance, ...]
    num_dropped: int


@dataclass(slots=True)
class Duplicates:
    """All clusters counted, and the largest of them."""

    num_clusters: int = 0
    num_dropped: int = 0
    largest: list[Cluster] = field(default_factory=list[Cluster])


@dataclass(slots=True)
class Hits:
    """Samples left out for words they share with a reference, and a draw of them."""

    by_reference: dict[str, int] = field(default_factory=dict[str, int])
    examples: list[Contamination] = field(default_factory=list[Contamination])


def read_reasons(directory: Path) -> dict[str, Reason]:
    """Count `rejected.jsonl` of a stage by reason, most frequent first."""
    file = directory / "rejected.jsonl"
    if not file.is_file():
        return {}
    draws: dict[str, Draw[Rejected]] = {}
    for row in read_jsonl(file, Rejected):
        key = "\0".join((row.source, row.path, row.commit, row.detail))
        draws.setdefault(row.reason, Draw(NUM_EXAMPLES)).offer(key, row)
    ordered = sorted(draws.items(), key=lambda each: (-each[1].num_offered, each[0]))
    return {reason: Reason(draw.num_offered, draw.drawn()) for reason, draw in ordered}


def read_duplicates(samples: Path) -> Duplicates | None:
    """Count `duplicates.jsonl`, largest clusters first; None where nothing looked for any."""
    file = samples / "duplicates.jsonl"
    if not file.is_file():
        return None
    found = Duplicates()
    heap: list[tuple[int, int, Cluster]] = []
    for number, row in enumerate(read_jsonl(file, DuplicateCluster)):
        size = len(row.dropped)
        found.num_clusters += 1
        found.num_dropped += size
        entry = (size, -number, Cluster(row.kept, row.dropped[:NUM_DROPPED], size))
        if len(heap) < NUM_CLUSTERS:
            heapq.heappush(heap, entry)
        else:
            heapq.heappushpop(heap, entry)
    found.largest = [each for *_, each in sorted(heap, key=lambda entry: entry[:2])[::-1]]
    return found


def read_hits(samples: Path) -> Hits | None:
    """Count `contamination.jsonl` by reference; None where nothing was compared."""
    file = samples / "contamination.jsonl"
    if not file.is_file():
        return None
    counts: Counter[str] = Counter()
    draw: Draw[Contamination] = Draw(NUM_HITS)
    for row in read_jsonl(file, Contamination):
        counts[row.reference] += 1
        draw.offer(f"{row.sample_id} {row.reference} {row.document} {row.ngram}", row)
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    examples = sorted(draw.drawn(), key=lambda row: (row.reference, row.document, row.sample_id))
    return Hits(dict(ordered), examples)

"""What selection knows of a sample without its text, and what a step of it answers.

Reads and writes nothing.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from devtune.data.corpus import Made
from devtune.data.selection.signatures import digest_of
from devtune.data.selection.wording import answer_of
from devtune.records import Sample, Split


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One sample; a million of them fit in memory."""

    sample_id: str
    split: Split
    family: str
    source: str
    """Of its first provenance, as are path and author."""
    path: str
    author: str
    answer_hash: int
    """Of everything that is trained."""
    weight: float
    """Of its source, in the mix."""
    position: int
    """Its place among all samples; no two have the same."""
    task: str = ""
    """Of a trajectory: equal for the sessions that were given one task."""
    is_resolved: bool = False
    """Whether that task was resolved in it."""

    turns: tuple[int, ...] = ()
    """Of a trajectory: digests of all that was said up to the end of each answer."""

    @property
    def by_hash(self) -> tuple[str, int]:
        """Sort key: by chance, but always the same."""
        return self.sample_id, self.position


@dataclass(frozen=True, slots=True)
class Selection:
    """Positions that stay and positions that go, ascending; each is in one of the two."""

    kept: list[int]
    dropped: list[tuple[int, str]]
    """With the reason."""
    folded: dict[int, int] = field(default_factory=dict[int, int])
    """Of dropped ones, the kept position that takes their provenance."""
    notes: list[str] = field(default_factory=list[str])
    """What the report should say: ceilings that could not hold."""


def index_of(made: Made, position: int, weights: Mapping[str, float] | None = None) -> IndexRow:
    """Describe a sample; `weights` are those of the sources, 1 where one is not named."""
    sample = made.sample
    place = sample.provenance[0]
    return IndexRow(
        sample_id=sample.sample_id,
        split=made.split,
        family=sys.intern(sample.family),
        source=sys.intern(place.source),
        path=sys.intern(place.path),
        author=sys.intern(place.author),
        answer_hash=digest_of(answer_of(sample)),
        weight=(weights or {}).get(place.source, 1.0),
        position=position,
        task=sys.intern(sample.task),
        is_resolved=sample.outcome == "resolved",
        turns=tuple(_turns(sample)) if sample.task else (),
    )


def _turns(sample: Sample) -> Iterator[int]:
    digest = 0
    for message in sample.messages:
        called = (message.tool_call_id, message.tool_calls)
        said = (message.role, message.reasoning_content, message.content, *called)
        digest = digest_of(f"{digest} {said}")
        if message.role == "assistant":
            yield digest


def select(rows: Iterable[IndexRow], dropped: Mapping[int, str]) -> Selection:
    """Keep what is not dropped."""
    kept = sorted(row.position for row in rows if row.position not in dropped)
    return Selection(kept, sorted(dropped.items()))

"""What families give back, and how code is compared.

Reads and writes nothing.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from devtune.records import Message, Provenance, Rejected, Sample, Split


@dataclass(frozen=True, slots=True)
class Made:
    """One sample and the side of the split it belongs to."""

    split: Split
    sample: Sample
    evidence: tuple[str, ...] = ()
    """Code of the answer: a held-out sample all of whose evidence is trained on is dropped."""


Yield = Iterator[Made | Rejected]
T = TypeVar("T")
CHUNK = 64
"""Lines compared at once."""

Passage = tuple[str, ...]
"""Lines of code without indentation and blank lines: the same wherever they are moved."""


def passage_of(text: str) -> Passage:
    """Return the lines of `text` as they are compared."""
    return tuple(bare for line in text.splitlines() if (bare := line.strip()))


def split_lines(text: str) -> list[str]:
    r"""Split at `\n` only, ends kept: form feeds and the like stand inside a line."""
    return io.StringIO(text, newline="\n").readlines()


def common_ends(old: Sequence[T], new: Sequence[T]) -> tuple[int, int]:
    """Return how many lines are equal at the start, and how many of the rest at the end."""
    shorter = min(len(old), len(new))
    head = 0
    # Slices are compared many lines at a time.
    while head + CHUNK <= shorter and old[head : head + CHUNK] == new[head : head + CHUNK]:
        head += CHUNK
    while head < shorter and old[head] == new[head]:
        head += 1
    tail, rest = 0, shorter - head
    old_end, new_end = len(old), len(new)
    while (
        tail + CHUNK <= rest
        and old[old_end - tail - CHUNK : old_end - tail]
        == new[new_end - tail - CHUNK : new_end - tail]
    ):
        tail += CHUNK
    while tail < rest and old[old_end - 1 - tail] == new[new_end - 1 - tail]:
        tail += 1
    return head, tail


def make_sample(family: str, request: str, answer: str, provenance: Provenance) -> Sample:
    """One question and its answer; the id is a hash of what will be trained on."""
    messages = (Message("user", request), Message("assistant", answer))
    content = json.dumps([family, *((each.role, each.content) for each in messages)])
    sample_id = hashlib.sha256(content.encode()).hexdigest()[:16]
    return Sample(sample_id, family, messages, (provenance,))


def reject(reason: str, provenance: Provenance, detail: str = "") -> Rejected:
    """A row that says why something of this file did not become a sample."""
    return Rejected(reason, provenance.source, provenance.path, provenance.commit, detail)

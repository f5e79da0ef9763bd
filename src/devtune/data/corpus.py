"""What families give back, and how code is compared.

Reads and writes nothing.
"""

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass

from devtune.records import Message, Provenance, Rejected, Sample, Split


@dataclass(frozen=True, slots=True)
class Made:
    """One sample and the side of the split it belongs to."""

    split: Split
    sample: Sample
    evidence: tuple[str, ...] = ()
    """Code of the answer: a held-out sample all of whose evidence is trained on is dropped."""


Yield = Iterator[Made | Rejected]

Passage = tuple[str, ...]
"""Lines of code without indentation and blank lines: the same wherever they are moved."""


def passage_of(text: str) -> Passage:
    """Return the lines of `text` as they are compared."""
    return tuple(bare for line in text.splitlines() if (bare := line.strip()))


def split_lines(text: str) -> list[str]:
    r"""Split at `\n` only, ends kept: form feeds and the like stand inside a line."""
    return io.StringIO(text, newline="\n").readlines()


def make_sample(
    family: str,
    request: str,
    answer: str,
    provenance: Provenance,
    transformations: tuple[str, ...] = (),
) -> Sample:
    """One question and its answer; the id is a hash of what will be trained on."""
    messages = (Message("user", request), Message("assistant", answer))
    content = json.dumps([family, *((each.role, each.content) for each in messages)])
    sample_id = hashlib.sha256(content.encode()).hexdigest()[:16]
    return Sample(sample_id, family, messages, (provenance,), transformations=transformations)


def reject(reason: str, provenance: Provenance, detail: str = "") -> Rejected:
    """A row that says why something of this file did not become a sample."""
    return Rejected(reason, provenance.source, provenance.path, provenance.commit, detail)

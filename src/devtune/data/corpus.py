"""A finished `corpus/` as the families read it, and what they give back."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devtune.records import (
    Change,
    Message,
    Provenance,
    Rejected,
    Sample,
    SourceFile,
    Split,
    read_jsonl,
)


@dataclass(frozen=True, slots=True)
class Made:
    """One sample and the side of the split it belongs to."""

    split: Split
    sample: Sample


Yield = Iterator[Made | Rejected]


class Corpus:
    """Streams the rows of a corpus directory, as often as they are asked for."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def files(self, split: Split | None = None) -> Iterator[SourceFile]:
        """Files of the tree at the cut (`train`), and files newer than it (`held_out`)."""
        for file in read_jsonl(self.directory / "files.jsonl", SourceFile):
            if split in (None, file.split):
                yield file

    def changes(self) -> Iterator[Change]:
        """Commits, oldest first."""
        yield from read_jsonl(self.directory / "changes.jsonl", Change)


def make_sample(family: str, request: str, answer: str, provenance: Provenance) -> Sample:
    """One question and its answer; the id is a hash of what will be trained on."""
    messages = (Message("user", request), Message("assistant", answer))
    content = json.dumps([family, *((each.role, each.content) for each in messages)])
    sample_id = hashlib.sha256(content.encode()).hexdigest()[:16]
    return Sample(sample_id, family, messages, (provenance,))


def reject(reason: str, provenance: Provenance, detail: str = "") -> Rejected:
    """A row that says why something of this file did not become a sample."""
    return Rejected(reason, provenance.source, provenance.path, provenance.commit, detail)

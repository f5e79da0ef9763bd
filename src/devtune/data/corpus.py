"""A finished `corpus/` as the families read it, and what they give back.

Reads `files.jsonl` and `changes.jsonl`; writes nothing.
"""

import hashlib
import io
import json
from collections.abc import Iterable, Iterator
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
    evidence: tuple[str, ...] = ()
    """Code of the answer: a held-out sample all of whose evidence is trained on is dropped."""


Yield = Iterator[Made | Rejected]

Passage = tuple[str, ...]
"""Lines of code without indentation and blank lines: the same wherever they are moved."""


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

    def find_trained(self, passages: Iterable[Passage]) -> set[Passage]:
        """Return which of `passages` stand, in one piece, in any text that is trained on."""
        wanted: dict[str, set[Passage]] = {}
        for each in passages:
            if each:
                wanted.setdefault(each[0], set()).add(each)
        found: set[Passage] = set()
        for text in self._trained_texts() if wanted else ():
            lines = passage_of(text)
            for start, line in enumerate(lines):
                for each in wanted.get(line, ()):
                    if each not in found and lines[start : start + len(each)] == each:
                        found.add(each)
        return found

    def _trained_texts(self) -> Iterator[str]:
        for file in self.files("train"):
            yield file.text
        for change in self.changes():
            if change.split == "train":
                yield from (text for edit in change.edits for text in (edit.old, edit.new))

    def find_trained_blobs(self) -> set[str]:
        """Return the ids of every file version training sees, whole or as a side of an edit."""
        found = {file.provenance.blob for file in self.files("train")}
        for change in self.changes():
            if change.split == "train":
                found.update(edit.provenance.blob for edit in change.edits)
                found.update(edit.old_blob for edit in change.edits)
        return found


def passage_of(text: str) -> Passage:
    """Return the lines of `text` as they are compared."""
    return tuple(bare for line in text.splitlines() if (bare := line.strip()))


def split_lines(text: str) -> list[str]:
    r"""Split at `\n` only, ends kept: form feeds and the like stand inside a line."""
    return io.StringIO(text, newline="\n").readlines()


def make_sample(family: str, request: str, answer: str, provenance: Provenance) -> Sample:
    """One question and its answer; the id is a hash of what will be trained on."""
    messages = (Message("user", request), Message("assistant", answer))
    content = json.dumps([family, *((each.role, each.content) for each in messages)])
    sample_id = hashlib.sha256(content.encode()).hexdigest()[:16]
    return Sample(sample_id, family, messages, (provenance,))


def reject(reason: str, provenance: Provenance, detail: str = "") -> Rejected:
    """A row that says why something of this file did not become a sample."""
    return Rejected(reason, provenance.source, provenance.path, provenance.commit, detail)

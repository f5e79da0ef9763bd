"""The files of one commit, compared line by line.

Reads and writes nothing.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from devtune.data.corpus import split_lines
from devtune.data.families.hunks import Hunk, count_changed, find_hunks
from devtune.data.languages import language_of
from devtune.records import Change, FileEdit, Provenance, Rejected

EMPTY_BLOBS = (
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
)
"""What git calls an empty file, by its two hashes: there, but without a line."""

_CHANGELOG = re.compile(r"(?i)(?:change|history|news|release|whats_?new)")
_TICKET = re.compile(r"(?i)(?:#|!|\b(?:pr|issue|pull|gh|bug|ticket)s?\W{1,4})\d+")

_DIGEST = re.compile(r"\b[0-9a-f]{32,128}\b|\bsha(?:256|384|512)-[A-Za-z0-9+/]{40,90}=*")


@dataclass(frozen=True, slots=True)
class Delta:
    """One file and what becomes of it."""

    provenance: Provenance
    state: Literal["new", "changed", "deleted"]
    old: str
    new: str
    old_lines: Sequence[str]
    """As they stand: the last one may have no end."""
    new_lines: Sequence[str]
    hunks: Sequence[Hunk]

    @property
    def path(self) -> str:
        """Path of the file in its repository."""
        return self.provenance.path

    @property
    def language(self) -> str:
        """Fence name of its language."""
        return language_of(self.path)

    def added(self) -> Iterator[str]:
        """Yield the new lines of each hunk that has any."""
        for _, _, first, last in self.hunks:
            if first < last:
                yield "".join(self.new_lines[first:last])


def find_deltas(
    change: Change, max_files: int, max_changed_lines: int
) -> tuple[Delta, ...] | Rejected:
    """Compare the files of a commit, or say why it is no change to learn from."""
    edits = [each for each in change.edits if each.old != each.new]
    if not edits:
        return refuse(change, "nothing_changed")
    if len(edits) > max_files:
        return refuse(change, "commit_touches_many_files", detail=f"{len(edits)} files")
    # What is not kept cannot be answered; when that is most of it, the message speaks of other
    # things than the answer does.
    if 2 * len(edits) < change.num_files:
        detail = f"{len(edits)} of {change.num_files} files kept"
        return refuse(change, "most_of_the_commit_left_out", detail=detail)
    deltas: list[Delta] = []
    left = max_changed_lines
    for edit in edits:
        delta = compare(edit, left)
        if isinstance(delta, str):
            return refuse(change, delta, edit.provenance.path)
        left -= count_changed(delta.hunks)
        deltas.append(delta)
    if all(_is_only_a_last_end(each) for each in deltas):
        return refuse(change, "nothing_but_the_last_line_end", deltas[0].path)
    return tuple(deltas)


def leave_out_unknowable(
    change: Change, deltas: Sequence[Delta]
) -> tuple[list[Delta], list[Rejected]]:
    """Take off files whose new lines cite what nobody could know: ticket numbers and digests."""
    reasons = [(each, _unknowable(change, each)) for each in deltas]
    rejected = [refuse(change, reason, each.path) for each, reason in reasons if reason]
    return [each for each, reason in reasons if not reason], rejected


def _unknowable(change: Change, delta: Delta) -> str:
    added = "".join(delta.added())
    name = delta.path.rsplit("/", 1)[-1]
    if _CHANGELOG.match(name) and _TICKET.search(added):
        return "cites_tickets"
    known = f"{delta.old}{change.subject}{change.body}"
    digests = (each[0] for each in _DIGEST.finditer(added))
    return "cites_digests" if any(each not in known for each in digests) else ""


def compare(edit: FileEdit, max_changed_lines: int) -> Delta | str:
    """Compare the two sides of one file, or say why they cannot be."""
    if not is_plain(edit.provenance.path):
        return "path_not_plain"
    old_text, new_text = _plain_ends(edit.old), _plain_ends(edit.new)
    if old_text is None or new_text is None:
        return "mixed_line_ends"
    if old_text == new_text:
        return "nothing_but_line_ends"
    old, new = split_lines(old_text), split_lines(new_text)
    hunks = find_hunks(old, new, max_changed_lines)
    if isinstance(hunks, str):
        return hunks
    state = "changed"
    if not edit.old and edit.old_blob not in EMPTY_BLOBS:
        state = "new"
    if not edit.new and edit.provenance.blob not in EMPTY_BLOBS:
        state = "deleted"
    return Delta(edit.provenance, state, old_text, new_text, old, new, hunks)


def _plain_ends(text: str) -> str | None:
    """Return a text of CRLF lines with LF, as tools show it to a model; None for a mixed one."""
    if "\r" not in text:
        return text
    plain = text.replace("\r\n", "\n")
    return None if "\r" in plain or text.count("\r") != text.count("\n") else plain


def is_plain(path: str) -> bool:
    """Whether a path can stand in an answer as it is, and stays inside the repository."""
    parts = path.split("/")
    return (
        path.isprintable()
        and path == path.strip()
        and not any(mark in path for mark in ('"', "\\", "`"))
        and not any(part.lower() in ("", ".", "..", ".git") for part in parts)
        and len(path) <= 200
    )


def refuse(change: Change, reason: str, path: str = "", detail: str = "") -> Rejected:
    """A row that says why a commit did not become a sample."""
    return Rejected(reason, change.source, path, change.commit, detail or change.subject)


def _is_only_a_last_end(delta: Delta) -> bool:
    ended = [text.removesuffix("\n") for text in (delta.old, delta.new)]
    return delta.state == "changed" and ended[0] == ended[1]

"""Runs of lines that tell whose text it is, wherever they were copied or moved to.

Works on texts in memory; reads and writes no files. What many write alike is no run: imports, the
licence at the head of a file, lines without a letter.
"""

import hashlib
import re
import zlib
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

MIN_CHARACTERS = 40
"""Letters and digits of a run, as few lines as have so many; `git blame -C` takes as many."""
MAX_LINE = 1_000
"""Characters of a line that are looked at."""
CACHED_LINES = 1 << 16
_IMPORT = re.compile(r"(?:import|from|using|use|require|include|package|export \{)\b|#\s*include\b")
_COMMENT = ("#", "//", "/*", "*", ";", "--", "<!--", "%", '"""', "'''")
_LICENSE = re.compile(r"licen[cs]e|copyright|SPDX", re.IGNORECASE)
_NOT_WORDY = re.compile(r"[\W_]+")
_MARKS = " \t\r+->|"
"""What quotes and diffs put before a line."""


@dataclass(slots=True)
class Handwriting:
    """Runs by their hashes, and where each was written first."""

    since: dict[str, int] = field(default_factory=dict[str, int])
    """Run → position of the commit that wrote it."""
    openings: set[int] = field(default_factory=set[int])
    """Checksums of the first lines of runs: most lines are told from them at a glance."""

    def add(self, text: str, position: int, known: str = "") -> None:
        """Add the runs of `text` that are not in `known`."""
        others = {run for _, run in runs_of(known)}
        for opening, run in runs_of(text):
            if run not in others:
                self.openings.add(opening)
                self.since[run] = min(position, self.since.get(run, position))

    def find(self, text: str) -> list[str]:
        """Return the runs that stand in `text`, each once."""
        found = (run for _, run in runs_of(text, self.openings) if run in self.since)
        return list(dict.fromkeys(found))


def runs_of(text: str, openings: Container[int] | None = None) -> Iterator[tuple[int, str]]:
    """Yield each run as the checksum of its first line and its hash; only those with `openings`."""
    lines = [line for line in _lines_of(text) if line.size]
    for start, first in enumerate(lines):
        if openings is not None and first.checksum not in openings:
            continue
        end, size = start, 0
        while size < MIN_CHARACTERS and end < len(lines):
            size += lines[end].size
            end += 1
        if size < MIN_CHARACTERS:
            return
        whole = "\n".join(line.text for line in lines[start:end])
        yield (
            first.checksum,
            hashlib.blake2b(whole.encode("utf-8", "replace"), digest_size=8).hexdigest(),
        )


class Line:
    """One line as it is compared: without indentation and marks of quotes."""

    __slots__ = ("checksum", "size", "text")

    def __init__(self, text: str) -> None:
        self.text = text.strip(_MARKS)
        is_common = _IMPORT.match(self.text) is not None
        self.size = 0 if is_common else len(_NOT_WORDY.sub("", self.text))
        """Letters and digits; 0 where anybody would write it."""
        self.checksum = zlib.crc32(self.text.encode("utf-8", "replace"))


# Versions of a file have most lines in common.
_line = lru_cache(CACHED_LINES)(Line)


def _lines_of(text: str) -> list[Line]:
    lines = text.split("\n")
    head = _end_of_license(lines)
    return [_line(line[:MAX_LINE]) for line in lines[head:]]


def _end_of_license(lines: list[str]) -> int:
    """Count the lines of the comment a file begins with, if it speaks of a licence."""
    end = 0
    while end < len(lines) and (not (bare := lines[end].strip()) or bare.startswith(_COMMENT)):
        end += 1
    return end if any(_LICENSE.search(line) for line in lines[:end]) else 0

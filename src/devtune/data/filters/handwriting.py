"""Runs of lines that tell whose text it is, wherever they were copied or moved to.

Works on texts in memory; reads and writes no files. What many write alike is no run: imports, the
licence at the head of a file, lines without a letter.
"""

import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

MIN_CHARACTERS = 40
"""Letters and digits of a run, as few lines as have so many; `git blame -C` takes as many."""
MAX_LINE = 2_000
"""Characters of a line that are looked at."""
_IMPORT = re.compile(r"(?:import|from|using|use|require|include|package|export \{)\b|#\s*include\b")
_COMMENT = ("#", "//", "/*", "*", ";", "--", "<!--", "%", '"""', "'''")
_LICENSE = re.compile(r"licen[cs]e|copyright|SPDX", re.IGNORECASE)
_NOT_WORDY = re.compile(r"[\W_]+")


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


def runs_of(text: str, openings: Iterable[int] | None = None) -> Iterator[tuple[int, str]]:
    """Yield each run as the checksum of its first line and its hash; only those with `openings`."""
    lines = [(line, zlib.crc32(line.encode("utf-8", "replace"))) for line in _telling(text)]
    sizes = [len(_NOT_WORDY.sub("", line)) for line, _ in lines]
    for start, (_, opening) in enumerate(lines):
        if openings is not None and opening not in openings:
            continue
        end, size = start, 0
        while size < MIN_CHARACTERS and end < len(lines):
            size += sizes[end]
            end += 1
        if size < MIN_CHARACTERS:
            return
        whole = "\n".join(line for line, _ in lines[start:end])
        yield opening, hashlib.blake2b(whole.encode("utf-8", "replace"), digest_size=8).hexdigest()


def _telling(text: str) -> Iterator[str]:
    """Lines as they are compared: without indentation, and without what anybody would write."""
    bare = [line.strip()[:MAX_LINE] for line in text.split("\n")]
    for line in bare[_end_of_license(bare) :]:
        if _NOT_WORDY.sub("", line) and not _IMPORT.match(line):
            yield line


def _end_of_license(lines: list[str]) -> int:
    end = 0
    while end < len(lines) and (not lines[end] or lines[end].startswith(_COMMENT)):
        end += 1
    return end if any(_LICENSE.search(line) for line in lines[:end]) else 0

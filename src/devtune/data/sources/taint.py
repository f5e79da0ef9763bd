"""What of a history may hold erased text: whole commits, and paths from some commit on.

Reads commits, changed files and blobs through `git.Repository`; writes nothing. A path stays
tainted: renames and copies carry it on, whoever makes them, and so do runs of lines.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any

from devtune.data.filters.handwriting import Handwriting
from devtune.data.filters.licenses import is_license_file
from devtune.data.filters.tombstones import Tombstones
from devtune.data.sources.authorship import Wiped, find_wiped
from devtune.data.sources.blobs import Blobs
from devtune.data.sources.git import Repository
from devtune.data.sources.history import MAX_RENAME_CANDIDATES
from devtune.data.sources.notebook import read_notebook
from devtune.data.sources.raw import ABSENT, Entry, read_changes
from devtune.data.sources.sizes import fed, find_large_moves
from devtune.errors import DevtuneError

MAX_BYTES = 1_000_000
"""Of a blob whose lines are compared; a larger one is told by its path and its id alone."""
LATEST = 1 << 62
"""Position of a commit that is not in the history that was read."""
EMPTY = ("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", "473a0f4c3be8a93681a267e3b1e9a7dcda1185436f"
         "e141f7749120a303721813")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Taint:
    """What to leave out of one repository."""

    commits: frozenset[str] = frozenset()
    """Erased whole, message and all."""
    since: Mapping[bytes, int] = field(default_factory=dict[bytes, int])
    """Path → position of the first commit after which it may hold erased text."""
    positions: Mapping[str, int] = field(default_factory=dict[str, int])
    """Commit → its place in the history, from the oldest."""
    names: tuple[str, ...] = ()
    """Addresses and full names of erased authors in lower case."""
    writing: Handwriting = field(default_factory=Handwriting)
    """Runs of lines of what is erased, for other sources to be looked through."""

    def has_path(self, path: bytes, commit: str) -> bool:
        """Whether a path may hold erased text in the tree of `commit`."""
        first = self.since.get(path)
        return first is not None and first <= self.positions.get(commit, LATEST)

    def names_someone(self, text: str) -> bool:
        """Whether an erased author is named in a text."""
        lower = text.lower() if self.names else ""
        return any(each in lower for each in self.names)

    def without_names(self, text: str) -> str:
        """Return a message without the lines that name an erased author."""
        if not self.names_someone(text):
            return text
        lines = (line for line in text.split("\n") if not self.names_someone(line))
        return "\n".join(lines).strip("\n")


@dataclass(frozen=True, slots=True)
class Step:
    """One commit with what it changes; of a merge against each parent."""

    id: str
    entries: tuple[Entry, ...]
    own: tuple[Entry, ...]
    """What it did itself; of a merge the paths that are as in none of its parents."""


def find_taint(
    repository: Repository, tip: str, ids: Sequence[str], tombstones: Tombstones
) -> Taint:
    """Return what tombstones leave out of the history of `tip`; `ids` are those of the source."""
    if not tombstones:
        return Taint()
    wiped = find_wiped(repository, tip, tombstones)
    is_erased = tombstones.paths(ids)
    if not wiped.commits and not tombstones.has_path_in(ids):
        return Taint()
    with Blobs(repository) as blobs:
        walk = _Walk(wiped, is_erased, _Reader(blobs))
        for step in _steps(repository, wiped.order, renames=False):
            walk.learn(step)
        for step in _steps(repository, wiped.order, renames=True):
            walk.spread(step)
    return Taint(wiped.commits, walk.since, walk.positions, wiped.names, walk.writing)


class _Walk:
    """Two walks over a history: what was written by whom, and where it went."""

    def __init__(self, wiped: Wiped, is_erased: Callable[[bytes], bool], reader: "_Reader") -> None:
        self.positions = {commit: position for position, commit in enumerate(wiped.order)}
        self.since: dict[bytes, int] = {}
        self._wiped = wiped.commits
        self._is_erased = is_erased
        self._reader = reader
        self.writing = Handwriting()
        self._seen: set[str] = set(EMPTY)
        """Blobs that stood at a path that was not tainted."""
        self._tainted: set[str] = set()
        """Blobs with erased text in them."""

    def learn(self, step: Step) -> None:
        """Take in what a commit wrote, if it is erased or wrote to an erased path."""
        position = self.positions[step.id]
        for entry in step.own if step.id in self._wiped else ():
            self._learn(entry, position, self._old(entry))
        for entry in step.entries:
            if self._is_erased(entry.path):
                self.since[entry.path] = 0
                self._learn(entry, position, "")

    def _learn(self, entry: Entry, position: int, known: str) -> None:
        if not is_license_file(_name_of(entry.path)):
            text = self._reader.read(entry.mode, entry.blob, entry.path)
            self.writing.add(text, position, known)

    def _old(self, entry: Entry) -> str:
        return self._reader.read(entry.old_mode, entry.old_blob, entry.old_path)

    def spread(self, step: Step) -> None:
        """Carry the taint on through one commit."""
        position = self.positions[step.id]
        if step.id in self._wiped:
            for entry in step.own:
                if entry.mode != ABSENT and entry.blob != entry.old_blob:
                    self._taint(entry, position)
        self._reader.expect(step.entries)
        for entry in step.entries:
            if entry.mode == ABSENT:
                continue
            is_moved = entry.old_path != entry.path and self._is_tainted(entry.old_path, position)
            is_tainted = self._is_tainted(entry.path, position)
            if is_moved or is_tainted or self._holds(entry, position):
                self._taint(entry, position)

    def _is_tainted(self, path: bytes, position: int) -> bool:
        first = self.since.get(path)
        return first is not None and first <= position

    def _taint(self, entry: Entry, position: int) -> None:
        self.since.setdefault(entry.path, position)
        if entry.blob not in self._seen:
            self._tainted.add(entry.blob)

    def _holds(self, entry: Entry, position: int) -> bool:
        """Whether a file at a path that is not tainted has erased text in it.

        A run that stands in one before the erased commit that writes it is not of that commit.
        """
        if entry.blob in self._tainted:
            return True
        if entry.blob in self._seen:
            return False
        found = self.writing.find(self._reader.read(entry.mode, entry.blob, entry.path))
        if any(self.writing.since[run] <= position for run in found):
            return True
        for run in found:
            del self.writing.since[run]
        self._seen.add(entry.blob)
        return False


class _Reader:
    """Texts of blobs; what is large, missing or no text is an empty one."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def expect(self, entries: Sequence[Entry]) -> None:
        self._blobs.expect(each.blob for each in entries if each.mode.startswith("100"))

    def read(self, mode: str, blob: str, path: bytes) -> str:
        if not mode.startswith("100"):
            return ""
        with suppress(DevtuneError):  # whoever needs a missing one will say so
            if self._blobs.size(blob) <= MAX_BYTES:
                text = self._blobs.read(blob, MAX_BYTES).decode("utf-8", "replace")
                return "" if "\0" in text else _as_lines(text, path)
        return ""


def _as_lines(text: str, path: bytes) -> str:
    if not path.lower().endswith(b".ipynb"):
        return text
    notebook = read_notebook(text)
    return notebook[0] if notebook else text


def _name_of(path: bytes) -> str:
    return PurePosixPath(path.decode("utf-8", "replace")).name


def _steps(repository: Repository, commits: Sequence[str], *, renames: bool) -> Iterator[Step]:
    """Yield the commits in their order, merges against each of their parents."""
    large = find_large_moves(repository, commits, ()) if renames else set[str]()
    for is_large, some in groupby(commits, large.__contains__):
        exact = "100%" if is_large else ""
        options: tuple[str, ...] = (f"-M{exact}", f"-C{exact}", f"-l{MAX_RENAME_CANDIDATES}")
        options = (*options, "--no-rename-empty") if renames else ("--no-renames",)
        changes = read_changes(repository, "", ("-m", *options), "%H%x00%P", (), fed=fed(some))
        for (commit, parents), sides in groupby(changes, key=lambda each: tuple(each[0])):
            yield _step(commit, len(parents.split()), [entries for _, entries in sides])


def _step(commit: str, num_parents: int, sides: list[list[Entry]]) -> Step:
    entries = tuple(entry for side in sides for entry in side)
    if len(sides) < num_parents:  # git is silent about a parent that is the same
        return Step(commit, entries, ())
    common = set.intersection(*({entry.path for entry in side} for side in sides))
    return Step(commit, entries, tuple(each for each in sides[0] if each.path in common))


@lru_cache(4)
def taint_of(
    repository: Repository, tip: str, ids: tuple[str, ...], tombstones: Tombstones
) -> Taint:
    """Return the same as `find_taint`, worked out once for several who ask."""
    return find_taint(repository, tip, ids, tombstones)


def as_terms(taint: Taint) -> dict[str, Any]:
    """Return what readers of units need to know, as JSON; positions they have of their own."""
    return {
        "names": list(taint.names),
        "since": {path.decode("latin-1"): first for path, first in taint.since.items()},
    }


def from_terms(terms: Mapping[str, Any], positions: Mapping[str, int]) -> Taint:
    """Return what `as_terms` was given, as far as it was put down."""
    since = {path.encode("latin-1"): first for path, first in terms["since"].items()}
    return Taint(frozenset(), since, positions, tuple(terms["names"]))

"""The versions a file went through on its way to what it is, each with who made it.

Reads commits and trees through `git.Repository`, once for all files of a tree; writes nothing, and
never reads a blob.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from devtune.data.sources.git import Repository
from devtune.data.sources.history import MAX_AUTHOR, MAX_RENAME_CANDIDATES
from devtune.data.sources.raw import ABSENT, JOINED, SUBMODULE, Entry, read_changes
from devtune.data.sources.sizes import fed, find_large_moves

MAX_VERSIONS = 10_000
"""Of one file; whose lines are older has no author that is known."""
COMMITS_AT_ONCE = 4000
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Version:
    """One content of a file."""

    author: int
    """Place in the list of authors; `UNKNOWN` where no commit is known to have made it."""
    blob: str
    before: tuple[int, ...]
    """Which versions of the list it was made from: those of its parents, the first parent first."""


@dataclass(slots=True)
class _Draft:
    """A version as it is found; lists grow from what is to what was."""

    blob: str
    author: int = UNKNOWN
    before: list["_Draft"] = field(default_factory=list["_Draft"])


@dataclass(slots=True)
class _File:
    """One file of the tree and the versions known so far, newest first."""

    found: list[_Draft] = field(default_factory=list[_Draft])
    waiting: dict[tuple[bytes, str], _Draft] = field(
        default_factory=dict[tuple[bytes, str], _Draft]
    )
    """Versions whose commit comes later in the log, by path and blob."""


Found = tuple[_File, _Draft, list[tuple[bytes, str]]]
"""A version whose commit was met, and the paths and blobs it was made from."""


@dataclass(frozen=True, slots=True)
class Histories:
    """The versions of files, newest first: a version stands before those it was made from."""

    versions: Mapping[bytes, tuple[Version, ...]]
    authors: Sequence[str]

    def packed(self, paths: Iterable[bytes]) -> dict[str, Any]:
        """Return what is known of some paths as JSON, with the authors of those alone."""
        places: dict[int, int] = {UNKNOWN: UNKNOWN}
        packed = [
            [
                (places.setdefault(each.author, len(places) - 1), each.blob, *each.before)
                for each in self.versions.get(path, ())
            ]
            for path in paths
        ]
        known = [self.authors[each] for each in places if each != UNKNOWN]
        return {"versions": packed, "authors": known}


def unpacked(versions: Iterable[Sequence[Any]]) -> tuple[Version, ...]:
    """Read the versions of one path back."""
    return tuple(Version(author, blob, tuple(before)) for author, blob, *before in versions)


def find_versions(
    repository: Repository,
    tip: str,
    wanted: Mapping[bytes, str],
    subpaths: tuple[str, ...] = (),
) -> Histories:
    """Return the versions up to `tip` of paths, each with the blob that `wanted` names."""
    files = {path: _File() for path in wanted}
    looked_for: dict[bytes, dict[str, list[_File]]] = {}
    for path, blob in wanted.items():
        _wait(looked_for, files[path], path, _Draft(blob))
    authors: dict[str, int] = {}
    for author, entries in _log(repository, tip, subpaths) if wanted else ():
        # What a commit does to one path must not be taken for what was done to another before.
        for found in [each for entry in entries for each in _meet(looked_for, entry)]:
            _follow(looked_for, found, authors.setdefault(author, len(authors)))
        if not looked_for:
            break
    return Histories({path: _versions(file) for path, file in files.items()}, list(authors))


def _log(
    repository: Repository, tip: str, subpaths: tuple[str, ...]
) -> Generator[tuple[str, list[Entry]]]:
    """Yield author and changed files of every commit, never a parent before its child."""
    with repository.stream("rev-list", "--topo-order", tip) as output:
        commits = [line.decode("ascii").strip() for line in output]
    for start in range(0, len(commits), COMMITS_AT_ONCE):
        chunk = commits[start : start + COMMITS_AT_ONCE]
        large = find_large_moves(repository, chunk, subpaths)
        for is_large, some in groupby(chunk, large.__contains__):
            options = ("-M100%" if is_large else "-M", f"-l{MAX_RENAME_CANDIDATES}", *JOINED)
            for (author,), entries in read_changes(
                repository, tip, options, "%aN <%aE>", subpaths, fed=fed(some)
            ):
                yield author[:MAX_AUTHOR], entries


def _wait(
    looked_for: dict[bytes, dict[str, list[_File]]], file: _File, path: bytes, draft: _Draft
) -> None:
    file.waiting[path, draft.blob] = draft
    looked_for.setdefault(path, {}).setdefault(draft.blob, []).append(file)


def _meet(looked_for: dict[bytes, dict[str, list[_File]]], entry: Entry) -> Iterator[Found]:
    """Yield the versions that `entry` made."""
    blobs = looked_for.get(entry.path)
    if blobs is None or entry.blob not in blobs:
        return
    has_old = entry.old_mode not in (ABSENT, SUBMODULE)
    parents = [(entry.old_path, entry.old_blob)] if has_old else []
    parents += [(path, blob) for blob, path in entry.others]
    for file in blobs.pop(entry.blob):
        yield file, file.waiting.pop((entry.path, entry.blob)), parents
    if not blobs:
        del looked_for[entry.path]


def _follow(looked_for: dict[bytes, dict[str, list[_File]]], found: Found, author: int) -> None:
    """Put a version with those found, and look for what it was made from."""
    file, draft, parents = found
    same = next((each for each in parents if each[1] == draft.blob), None)
    if same and same not in file.waiting:
        # Moved as it was, or its mode changed: who wrote it comes later.
        _wait(looked_for, file, same[0], draft)
        return
    draft.author = author
    file.found.append(draft)
    if len(file.found) >= MAX_VERSIONS:
        return
    for path, blob in dict.fromkeys(parents):
        known = file.waiting.get((path, blob))
        if known is None:
            known = _Draft(blob)
            _wait(looked_for, file, path, known)
        draft.before.append(known)


def _versions(file: _File) -> tuple[Version, ...]:
    missing = {id(each): each for each in file.waiting.values()}
    drafts = [*file.found, *missing.values()]
    places = {id(each): place for place, each in enumerate(drafts)}
    return tuple(
        Version(each.author, each.blob, tuple(places[id(one)] for one in each.before))
        for each in drafts
    )

"""What a user asks to erase, looked for in the sources, as tombstones that keep it out.

Reads sources as far as their readers do to identify them; writes nothing.
"""

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from devtune.data.filters.tombstones import Kind, Tombstone, Tombstones, hash_of, identities_of
from devtune.data.sources.authorship import find_authors
from devtune.data.sources.directory_source import DirectoryReader
from devtune.data.sources.discussion_source import DiscussionReader
from devtune.data.sources.git_source import GitReader
from devtune.data.sources.history import read_tree
from devtune.data.sources.opening import Reader, open_sources
from devtune.errors import RecipeError
from devtune.pipeline import CollectSection

MIN_DIGITS = 7
"""Of the beginning of a commit's id."""
_DIGITS = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line names."""

    authors: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    """Name of the source, `/`, and a file or directory from its top."""
    repositories: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()


def find_targets(asked: Asked, section: CollectSection) -> list[Tombstone]:
    """Return the tombstones of what is asked for.

    Raises `RecipeError` for what is in no source and was not erased before.
    """
    known = Tombstones.load(section.tombstones, section.salt)
    # A source that was erased before can be asked for once more.
    readers = open_sources(section.model_copy(update={"tombstones": None})).readers
    targets = _Targets(readers, known)
    return [
        *(row for each in asked.authors for row in targets.author(each)),
        *(row for each in asked.paths for row in targets.path(each)),
        *(row for each in asked.repositories for row in targets.repository(each)),
        *(row for each in asked.commits for row in targets.commit(each)),
    ]


class _Targets:
    def __init__(self, readers: Sequence[Reader], known: Tombstones) -> None:
        self._readers, self._known = readers, known
        self._histories = [each for each in readers if isinstance(each, GitReader)]
        self._date = datetime.now(UTC).date().isoformat()

    def author(self, asked: str) -> Iterator[Tombstone]:
        """One for each address the person is known by."""
        wanted = identities_of(asked)
        people = list(self._people())
        found = [each for each in people if not set(each).isdisjoint(wanted)]
        if not found and not self._known.has_author(asked):
            names = (name for each in people for name in each)
            raise _nothing(f"no author {asked!r}", asked.lower(), names)
        for name in dict.fromkeys(name for each in (wanted, *found) for name in each):
            yield self._row("author", name.encode())

    def _people(self) -> Iterator[tuple[str, ...]]:
        """What each author is known by: through .mailmap and as it stands, or the login."""
        for reader in self._histories:
            for mapped, plain in find_mapped(reader):
                yield (*identities_of(mapped), *identities_of(plain))
            yield from map(identities_of, find_authors(reader.repository, reader.tip)[0])
        for reader in self._readers:
            if isinstance(reader, DiscussionReader):
                yield from map(identities_of, sorted(reader.forge.authors()))

    def path(self, asked: str) -> Iterator[Tombstone]:
        """One for each id of the source."""
        places = [each for each in self._readers if not isinstance(each, DiscussionReader)]
        inside = [each for each in places if asked.startswith(f"{each.name}/")]
        if not inside:
            names = (each.name for each in places)
            raise _nothing(
                f"{asked!r} begins with no source's name: give SOURCE/PATH", asked, names
            )
        reader: Any = max(inside, key=lambda each: len(each.name))
        path = asked.removeprefix(f"{reader.name}/").strip("/")
        raw = os.fsencode(path)
        if not _holds(reader, raw) and not self._known.paths(reader.ids())(raw):
            paths = (f"{reader.name}/{each}" for each in _paths_of(reader))
            raise _nothing(f"no path {path!r} in {reader.name} or its history", asked, paths)
        for each in reader.ids():
            scope = self._known.hash_of("source", each.encode())
            yield self._row("path", each.encode() + b"\0" + raw, scope)

    def repository(self, asked: str) -> Iterator[Tombstone]:
        """One for each id of the source."""
        found = [each for each in self._readers if each.name == asked]
        if not found and not self._known.has_source((f"name:{asked}",)):
            raise _nothing(f"no source is called {asked!r}", asked, (x.name for x in self._readers))
        for reader in found:
            for each in reader.ids():
                yield self._row("repo", each.encode())

    def commit(self, asked: str) -> Iterator[Tombstone]:
        """One for the commit, wherever it is."""
        wanted = asked.lower()
        if len(wanted) < MIN_DIGITS or not _DIGITS.fullmatch(wanted):
            raise RecipeError(f"erase: {asked!r} is no commit; give {MIN_DIGITS} digits or more")
        commits = (find_authors(each.repository, each.tip)[1] for each in self._histories)
        found = sorted({x for each in commits for x in each if x.startswith(wanted)})
        if len(found) > 1:
            raise RecipeError(f"erase: several commits begin with {asked}; give more digits")
        if not found and not self._known.has_commit(wanted):
            raise RecipeError(
                f"erase: no commit {asked} in the history of any source; see `git log` there"
            )
        yield self._row("commit", (found or [wanted])[0].encode())

    def _row(self, kind: Kind, value: bytes, scope: str = "") -> Tombstone:
        salt = self._known.salt
        return Tombstone(
            kind, hash_of(kind, value, salt), scope, hash_of("site", b"", salt), self._date
        )


def find_mapped(reader: GitReader) -> list[tuple[str, str]]:
    """Return every author twice: through .mailmap, and as commits have it."""
    layout = "--format=%aN <%aE>%x00%an <%ae>"
    with reader.repository.stream("log", "-z", layout, reader.tip, mailmap=reader.tip) as output:
        tokens = output.read().decode("utf-8", "replace").split("\0")
    return list(dict.fromkeys(zip(tokens[::2], tokens[1::2], strict=False)))


def _holds(reader: Any, path: bytes) -> bool:
    if not path:
        return False
    if isinstance(reader, DirectoryReader):
        return any(each == path or each.startswith(path + b"/") for each in _walked(reader))
    name = f":(top,literal){os.fsdecode(path)}"
    answer = reader.repository.ask("rev-list", "-1", "--full-history", reader.tip, "--", name)
    return bool(answer)


def _walked(reader: DirectoryReader) -> list[bytes]:
    return [each.path for each in reader.walk()]


def _paths_of(reader: Any) -> list[str]:
    if isinstance(reader, DirectoryReader):
        found = _walked(reader)
    else:
        found = [leaf.path for leaf in read_tree(reader.repository, reader.tip)]
    return [each.decode("utf-8", "replace") for each in found]


def _nothing(what: str, asked: str, known: Iterable[str]) -> RecipeError:
    near = difflib.get_close_matches(asked, sorted(set(known)), 1, 0.5)
    hint = f"did you mean {near[0]!r}?" if near else "nothing there is called alike"
    return RecipeError(f"erase: {what}; {hint}")

"""Issues, change requests and reviews that were exported from a forge, as rows of the corpus.

Reads the files of a directory, or one file: regular files only, no symlink below it is followed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from devtune.data.filters.tombstones import ERASED
from devtune.data.sources.exports import digest_of, open_regular, require_export, walk
from devtune.data.sources.fields import Object, as_moment, as_text
from devtune.data.sources.gitea import read_gitea
from devtune.data.sources.github import read_github
from devtune.data.sources.gitlab import read_gitlab
from devtune.data.sources.json_objects import Fault, Found, read_objects
from devtune.data.sources.pieces import Piece
from devtune.data.sources.pile import Pile
from devtune.data.sources.silence import NOBODY, Silence, authors_of
from devtune.data.sources.threads import Terms, put_together
from devtune.pipeline import ForgeSource
from devtune.records import Discussion, Rejected

CACHED_BLOBS = 1 << 16


@dataclass(frozen=True, slots=True)
class ForgeReader:
    """The export of one repository's issues and change requests."""

    name: str
    source: ForgeSource

    def identify(self) -> str:
        """Return a hash of every path and content.

        Raises `DevtuneError` when there are no files at all.
        """
        return digest_of(walk(self.source.path))

    def discussions(
        self, cut_date: str, find_blob: Callable[[str, str], str], silence: Silence = NOBODY
    ) -> Iterator[Discussion | Rejected]:
        """Yield issues, then change requests, by number, each after what is left out of it.

        `cut_date` is ISO 8601, `""` trains on everything. `find_blob(commit, path)` returns a
        blob id or `""`; it is asked once for each version. `silence` says who is not heard.
        Raises `DevtuneError` when there are no files at all.
        """
        with Pile() as pile:
            yield from self._read(pile)
            for file, which in pile.remove_strangers():
                yield Rejected("other_repository", self.name, file, "", which)
            for file, which in pile.remove_orphans():
                yield Rejected("no_discussion", self.name, file, "", which)
            terms = Terms(
                self.name,
                self.source.repository,
                as_moment(cut_date),
                lru_cache(CACHED_BLOBS)(find_blob),
                pile.branch_of,
            )
            for gathered in pile.gathered():
                heard = silence.of(gathered)
                yield from [Rejected(ERASED, self.name, "")] * heard.num_erased
                if heard.gathered:
                    yield from map(silence.cleaned, put_together(heard.gathered, terms))

    def authors(self) -> set[str]:
        """Return everybody who says something, as the forge names them."""
        with Pile() as pile:
            for _ in self._read(pile):
                continue
            gathered = pile.gathered()
            return {author for each in gathered for author in authors_of(each)}

    def _read(self, pile: Pile) -> Iterator[Rejected]:
        page = 0
        for listed in walk(self.source.path):
            file = None if listed.reason else open_regular(listed.file)
            if file is None:
                yield Rejected(listed.reason or "unreadable", self.name, listed.path)
                continue
            with file:
                first = page + 1
                for each in read_objects(file):
                    if isinstance(each, Fault):
                        yield Rejected(each.reason, self.name, listed.path, "", each.detail)
                        continue
                    page = first + each.page
                    yield from self._add(pile, each, listed.path, page)

    def _add(self, pile: Pile, found: Found, path: str, page: int) -> Iterator[Rejected]:
        pieces = recognise(found.value) or [None]
        for piece in pieces:
            if piece is None:
                detail = f"{found.place}: {_keys(found.value)}"
                yield Rejected("unknown_object", self.name, path, "", detail)
            else:
                pile.add(piece, path, page)


def open_forge(source: ForgeSource, name: str) -> ForgeReader:
    """Raise `DevtuneError` where `path` is no file, and no directory that can be listed."""
    require_export(source.path)
    return ForgeReader(name, source)


def recognise(value: Object) -> "list[Piece | None]":
    """Return the pieces of one object of any forge, none when no API gives such an object."""
    return read_gitlab(value) or read_gitea(value) or read_github(value)


def _keys(value: Object) -> str:
    """Name the first keys, so that a person can tell what it is without any of its content."""
    return ", ".join(as_text(each[:40]) for each in list(value)[:6]) or "no keys"

"""Which commits of a history are erased: by their authors, by their ids, and those that quote them.

Reads what commits say of themselves through `git.Repository`; writes nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from devtune.data.filters.tombstones import Tombstones, identities_of
from devtune.data.sources.git import Repository
from devtune.data.sources.history import MAX_AUTHOR, MAX_MESSAGE, OLDEST_FIRST
from devtune.data.sources.raw import tokens_of

MIN_NAME, MIN_TITLE = 8, 12
"""Characters of a name, and of a line of a message, that are looked for without a mark."""
_ID = re.compile(r"\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b")
_COAUTHOR = "co-authored-by:"
_QUOTED = re.compile(r'(?:revert|reapply) "(?P<title>.{1,1000})"', re.IGNORECASE)
_PREFIX = re.compile(r"(?:(?:fixup|squash|amend)! |[*-] )*")


@dataclass(frozen=True, slots=True)
class Authored:
    """Who wrote one commit."""

    id: str
    authors: tuple[str, ...]
    """`Name <mail>` of the author, through .mailmap and as it stands, and of all co-authors."""
    message: str


@dataclass(frozen=True, slots=True)
class Wiped:
    """The commits of a history that are erased."""

    order: tuple[str, ...]
    """All commits, oldest first, never a child before its parent."""
    commits: frozenset[str]
    names: tuple[str, ...]
    """Addresses and full names of erased authors in lower case."""


def read_authored(repository: Repository, tip: str) -> Iterator[Authored]:
    """Yield every commit reachable from `tip`, oldest first."""
    layout = "%H%x00%aN <%aE>%x00%an <%ae>%x00%B"
    command = ("log", "-z", *OLDEST_FIRST, "--no-notes", "--encoding=UTF-8", f"--format={layout}")
    with repository.stream(*command, tip, "--", mailmap=tip) as output:
        tokens = (each.decode("utf-8", "replace") for each in tokens_of(output))
        for commit in tokens:
            mapped, plain, message = (next(tokens, "") for _ in range(3))
            authors = (mapped[:MAX_AUTHOR], plain[:MAX_AUTHOR], *_coauthors(message))
            yield Authored(commit, tuple(dict.fromkeys(authors)), message[:MAX_MESSAGE])


def find_wiped(repository: Repository, tip: str, tombstones: Tombstones) -> Wiped:
    """Return the commits that are erased: a revert or a pick of one quotes it, so it is one too."""
    is_author = lru_cache(1 << 16)(tombstones.has_author)
    order: list[str] = []
    wiped: set[str] = set()
    titles: set[str] = set()
    names: dict[str, None] = {}
    for each in read_authored(repository, tip):
        order.append(each.id)
        erased = [author for author in each.authors if is_author(author)]
        names.update(dict.fromkeys(name for author in erased for name in _names_of(author)))
        if not (erased or tombstones.has_commit(each.id) or _quotes(each.message, wiped, titles)):
            continue
        wiped.add(each.id)
        titles.update(filter(None, [_bare(each.message.partition("\n")[0])]))
    return Wiped(tuple(order), frozenset(wiped), tuple(names))


@lru_cache(64)
def find_authors(repository: Repository, tip: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return everybody who wrote something, and all commits, each from the oldest."""
    authors: dict[str, None] = {}
    commits: list[str] = []
    for each in read_authored(repository, tip):
        authors.update(dict.fromkeys(each.authors))
        commits.append(each.id)
    return tuple(authors), tuple(commits)


def _coauthors(message: str) -> Iterator[str]:
    for line in message.split("\n"):
        if line[: len(_COAUTHOR)].lower() == _COAUTHOR:
            yield line[len(_COAUTHOR) :].strip()[:MAX_AUTHOR]


def _names_of(author: str) -> Iterator[str]:
    yield from (each for each in identities_of(author) if "@" in each)
    name = author.rpartition("<")[0].strip().lower()
    if " " in name and len(name) >= MIN_NAME:
        yield name


def _quotes(message: str, wiped: set[str], titles: set[str]) -> bool:
    if not wiped:
        return False
    if any(each in wiped for each in _ID.findall(message)):
        return True
    subject, *body = message.split("\n")
    if any(len(line) >= MIN_TITLE and _bare(line) in titles for line in body):
        return True
    # A subject two commits share by chance quotes nothing; one behind a mark does.
    if _bare(subject) in titles and _bare(subject) != subject.strip().lower():
        return True
    quoted = (_QUOTED.search(line) for line in (subject, *body))
    return any(_bare(each["title"]) in titles for each in quoted if each)


def _bare(title: str) -> str:
    plain = title.strip().lower()
    mark = _PREFIX.match(plain)
    return plain[mark.end() :] if mark else plain

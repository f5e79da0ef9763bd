"""Who of an exported discussion is not heard any more, because what they said was erased.

Works on pieces in memory; reads and writes no files.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from devtune.data.filters.tombstones import Tombstones
from devtune.data.sources.pieces import Remark
from devtune.data.sources.pile import Filed, Gathered
from devtune.records import Discussion

GHOST = "ghost"
"""What forges call whom they no longer know."""
_MENTION = re.compile(r"@(\w(?:[\w.-]{0,98}\w)?)")


@dataclass(frozen=True, slots=True)
class Heard:
    """A discussion without what erased authors said."""

    gathered: Gathered | None
    """None where they began it."""
    num_erased: int


@dataclass(frozen=True, slots=True)
class Silence:
    """What was erased of a repository and of the discussions about it."""

    tombstones: Tombstones
    commits: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()
    """Paths that ever held erased text; what is remarked on them is not heard."""
    names: tuple[str, ...] = field(default=(), repr=False)
    """Addresses and full names in lower case; lines with them go."""

    def of(self, gathered: Gathered) -> Heard:
        """Return what is left of a discussion; quotes and mentions of erased authors go too."""
        if not (self.tombstones or self.commits or self.paths):
            return Heard(gathered, 0)
        erased = {each for each in authors_of(gathered) if self._is_silent(each)}
        if any(head.author in erased for head in gathered.heads):
            return Heard(None, 1 + len(gathered.remarks))
        remarks = [x for x in gathered.remarks if not self._is_erased(x.remark, erased)]
        said = [x.remark.body for x in gathered.remarks if x.remark.author in erased]
        cleaner = _Cleaner(_lines_of(said), self._is_silent, self.names)
        kept = tuple(Filed(x.file, _cleaned(x.remark, cleaner)) for x in remarks)
        heads = tuple(_cleaned(head, cleaner) for head in gathered.heads)
        return Heard(Gathered(gathered.file, heads, kept), len(gathered.remarks) - len(kept))

    def cleaned(self, row: Any) -> Any:
        """Return a discussion that no longer names erased commits; other rows as they are."""
        if not isinstance(row, Discussion) or not self.commits:
            return row
        return replace(row, commits=tuple(x for x in row.commits if x not in self.commits))

    def _is_silent(self, author: str) -> bool:
        return self.tombstones.has_author(author)

    def _is_erased(self, remark: Remark, erased: set[str]) -> bool:
        is_erased = remark.author in erased or remark.commit in self.commits
        return is_erased or bool(remark.path) and remark.path in self.paths


NOBODY = Silence(Tombstones())


@dataclass(frozen=True, slots=True)
class _Cleaner:
    said: frozenset[str]
    is_silent: Callable[[str], bool]
    names: tuple[str, ...]

    def clean(self, text: str) -> str:
        lines = [line for line in text.split("\n") if not self._goes(line)]
        return _MENTION.sub(self._named, "\n".join(lines))

    def _named(self, mention: "re.Match[str]") -> str:
        return f"@{GHOST}" if self.is_silent(mention[1]) else mention[0]

    def _goes(self, line: str) -> bool:
        bare = line.strip()
        if bare.startswith(">") and bare.lstrip("> ") in self.said:
            return True
        lower = line.lower() if self.names else ""
        return any(name in lower for name in self.names)


def authors_of(gathered: Gathered) -> Iterator[str]:
    """Yield who said something, each time they did."""
    yield from (head.author for head in gathered.heads)
    yield from (filed.remark.author for filed in gathered.remarks)


def _cleaned(piece: Any, cleaner: _Cleaner) -> Any:
    changed = {"body": cleaner.clean(piece.body)}
    if not isinstance(piece, Remark):
        changed["title"] = cleaner.clean(piece.title)
    return replace(piece, **changed)


def _lines_of(texts: list[str]) -> frozenset[str]:
    lines = (line.strip().lstrip("> ") for text in texts for line in text.split("\n"))
    return frozenset(line for line in lines if line)

"""The pieces of a forge's export, sorted on disk, so that memory holds one discussion at a time.

Writes a private temporary database that no name leads to and that is gone when it is closed.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from pydantic import TypeAdapter

from devtune.data.sources.pieces import BranchCommit, Head, Piece, Remark
from devtune.data.temporary import spill_here

MAX_BRANCH_COMMITS = 250
"""As many as GitHub lists; a longer walk has left the branch."""
_SCHEMA = """
CREATE TABLE heads (place INTEGER PRIMARY KEY, file TEXT, space TEXT, number INTEGER,
    project TEXT, id INTEGER, is_change_request INTEGER, whole TEXT);
CREATE TABLE remarks (place INTEGER PRIMARY KEY, file TEXT, space TEXT, number INTEGER,
    project TEXT, parent INTEGER, whole TEXT);
CREATE TABLE commits (id TEXT PRIMARY KEY, place INTEGER, parents TEXT, page INTEGER);
CREATE TABLE ends (id TEXT PRIMARY KEY);
CREATE INDEX head_numbers ON heads (space, number);
CREATE INDEX head_ids ON heads (space, id);
"""
_HEAD: TypeAdapter[Head] = TypeAdapter(Head)
_REMARK: TypeAdapter[Remark] = TypeAdapter(Remark)


@dataclass(frozen=True, slots=True)
class Filed:
    """A remark and the file it was read from."""

    file: str
    remark: Remark


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that was said under one number, in the order it was read."""

    file: str
    """Where its head was read first."""
    heads: tuple[Head, ...]
    remarks: tuple[Filed, ...]


class Pile:
    """Pieces by number; use it in a `with` block so that the database goes."""

    def __init__(self) -> None:
        self._base = sqlite3.connect("", isolation_level=None)
        spill_here(self._base)
        self._base.executescript(_SCHEMA)
        self._base.execute("BEGIN")

    def __enter__(self) -> "Pile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._base.close()

    def add(self, piece: Piece, file: str, page: int) -> None:
        """Put a piece away; `page` is equal for what stood in one array."""
        match piece:
            case Head():
                self._add_head(piece, file)
            case Remark():
                whole = _REMARK.dump_json(piece).decode()
                row = (file, piece.space, piece.number, piece.project, piece.parent_id, whole)
                self._base.execute("INSERT INTO remarks VALUES (NULL, ?, ?, ?, ?, ?, ?)", row)
            case BranchCommit():
                row = (piece.id, " ".join(piece.parents), None if piece.has_parents else page)
                self._base.execute(
                    "INSERT OR IGNORE INTO commits SELECT ?, (SELECT COUNT(*) FROM commits), ?, ?",
                    row,
                )

    def _add_head(self, head: Head, file: str) -> None:
        whole = _HEAD.dump_json(head).decode()
        row = (file, head.space, head.number, head.project, head.id, head.is_change_request, whole)
        self._base.execute("INSERT INTO heads VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", row)
        for commit in (*head.bases, *head.merged_as):
            self._base.execute("INSERT OR IGNORE INTO ends VALUES (?)", (commit,))

    def remove_strangers(self) -> Iterator[tuple[str, str]]:
        """Remove what belongs to another repository than most; yield (file, which) of each."""
        main = self._ask(
            "SELECT project FROM heads WHERE project != '' GROUP BY project"
            " ORDER BY COUNT(*) DESC, project LIMIT 1"
        )
        (project,) = next(main, ("",))
        for table in ("heads", "remarks"):
            where = f"FROM {table} WHERE project NOT IN ('', ?)"
            yield from self._ask(f"SELECT file, project || ' ' || number {where}", project)
            self._base.execute(f"DELETE {where}", (project,))

    def remove_orphans(self) -> Iterator[tuple[str, str]]:
        """Find the number of each remark; remove and yield (file, which) of what has no head."""
        self._base.execute(
            "UPDATE remarks SET number = COALESCE((SELECT number FROM heads WHERE"
            " heads.space = remarks.space AND heads.id = remarks.parent), 0)"
            " WHERE number = 0 AND parent != 0"
        )
        where = (
            "FROM remarks WHERE NOT EXISTS (SELECT 1 FROM heads WHERE"
            " heads.space = remarks.space AND heads.number = remarks.number)"
        )
        yield from self._ask(f"SELECT file, 'number ' || number {where} ORDER BY place")
        self._base.execute(f"DELETE {where}")

    def gathered(self) -> Iterator[Gathered]:
        """Yield each discussion, issues first, in order of their numbers."""
        self._base.execute("CREATE INDEX remark_numbers ON remarks (space, number)")
        numbers = self._ask(
            "SELECT space, number, MAX(is_change_request) AS last FROM heads"
            " GROUP BY space, number ORDER BY last, number"
        )
        select = "FROM {} WHERE space = ? AND number = ? ORDER BY place"
        for space, number, _ in numbers:
            heads = list(self._ask("SELECT file, whole " + select.format("heads"), space, number))
            remarks = self._ask("SELECT file, whole " + select.format("remarks"), space, number)
            yield Gathered(
                heads[0][0],
                tuple(_HEAD.validate_json(whole) for _, whole in heads),
                tuple(Filed(file, _REMARK.validate_json(whole)) for file, whole in remarks),
            )

    def branch_of(self, tip: str) -> tuple[str, ...]:
        """Return the commits of the branch that ends in `tip`, as far as lists tell them."""
        start = self._commit(tip)
        if start is None:
            return (tip,)
        page = start[1]
        if page is not None:
            found = self._ask("SELECT id FROM commits WHERE page = ? ORDER BY place", page)
            return tuple(commit for (commit,) in found)
        branch, waiting = {tip: None}, start[0].split()
        while waiting:
            commit = waiting.pop(0)
            known = None if commit in branch or self._is_end(commit) else self._commit(commit)
            if known is None:
                continue
            branch[commit] = None
            waiting += known[0].split()
            if len(branch) > MAX_BRANCH_COMMITS:
                return (tip,)
        return tuple(branch)

    def _commit(self, commit: str) -> tuple[str, int | None] | None:
        return next(self._ask("SELECT parents, page FROM commits WHERE id = ?", commit), None)

    def _is_end(self, commit: str) -> bool:
        return next(self._ask("SELECT 1 FROM ends WHERE id = ?", commit), None) is not None

    def _ask(self, question: str, *values: Any) -> Iterator[Any]:
        cursor = self._base.execute(question, values)
        return iter(cursor)

"""The code graph: who defines, imports and calls what in all files of a corpus.

Writes and reads one SQLite file; reads single rows of `files.jsonl` at the byte they begin at.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from devtune.data.code.facts import Entry, Fact, Imported, Mention, Place, Use
from devtune.data.code.import_paths import group_of
from devtune.data.code.module import Function, Module, Span
from devtune.data.code.resolution import choose
from devtune.data.code.syntax import parse
from devtune.data.temporary import spill_here
from devtune.errors import DevtuneError, one_line
from devtune.jsonl import reader_of
from devtune.records import SourceFile, Split

VERSION = 1
MAX_DEFINITIONS = 20
"""A name defined more often in one source says too little."""
MAX_CALLS = 500
"""Calls of one name that are looked at, in the order of the corpus."""
_TABLES = """
CREATE TABLE scopes (id INTEGER PRIMARY KEY, source TEXT, language_group TEXT);
CREATE TABLE files (id INTEGER PRIMARY KEY, scope INTEGER, source TEXT, split TEXT, path TEXT,
    language TEXT, offset INTEGER, is_replaced INTEGER DEFAULT 0);
CREATE TABLE definitions (id INTEGER PRIMARY KEY, file INTEGER, scope INTEGER, kind TEXT,
    name TEXT, qualified_name TEXT, owner TEXT, first INTEGER, last INTEGER, signature TEXT,
    documentation TEXT, is_test INTEGER);
CREATE TABLE imports (file INTEGER, module TEXT, name TEXT);
CREATE TABLE calls (scope INTEGER, name TEXT, qualifier TEXT, line INTEGER, definition INTEGER);
"""
_INDEXES = f"""
CREATE INDEX files_by_path ON files (source, path);
CREATE INDEX definitions_by_name ON definitions (scope, name);
CREATE INDEX definitions_by_file ON definitions (file);
CREATE INDEX imports_by_file ON imports (file);
CREATE INDEX calls_by_name ON calls (scope, name);
CREATE INDEX calls_by_definition ON calls (definition);
UPDATE files SET is_replaced = 1 WHERE split = 'train' AND EXISTS (SELECT 1 FROM files AS newer
    WHERE newer.source = files.source AND newer.path = files.path AND newer.split = 'held_out');
PRAGMA user_version = {VERSION};
"""
_PLACE = "files.id, files.scope, source, split, path, language, offset"
_ENTRY = (
    "definitions.id, kind, definitions.name, qualified_name, owner, first, last, signature,"
    f" documentation, is_test, {_PLACE}"
)
_VISIBLE = {"train": "split = 'train'", "held_out": "is_replaced = 0"}
"""What a row may see: rows to train on nothing that is held out, the others the newer version."""


def write_graph(facts: Iterable[Fact], out: Path) -> None:
    """Write the rows of `describe`, file after file in the order of the corpus, as one graph."""
    try:
        out.unlink(missing_ok=True)
        connection = sqlite3.connect(out, isolation_level=None)
        try:
            spill_here(connection)
            connection.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {_TABLES}")
            connection.execute("BEGIN")
            _Writer(connection).write(facts)
            connection.execute("COMMIT")
            connection.executescript(_INDEXES)
        finally:
            connection.close()
    except OSError as error:
        raise DevtuneError(one_line(error, out)) from None
    except sqlite3.OperationalError as error:
        raise DevtuneError(
            f"{out}: the code graph cannot be written ({error}); free space there or set"
            " another run_dir"
        ) from None


class _Writer:
    """Numbers what the facts count from 0 in each file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._scopes: dict[tuple[str, str], int] = {}
        self._file = self._scope = self._definition = self._first = 0

    def write(self, facts: Iterable[Fact]) -> None:
        for kind, *values in facts:
            match kind:
                case "file":
                    self._begin(*values)
                case "definition":
                    self._definition += 1
                    row = (self._definition, self._file, self._scope, *values)
                    self._execute(f"INSERT INTO definitions VALUES ({_marks(row)})", row)
                case "import":
                    self._execute("INSERT INTO imports VALUES (?, ?, ?)", (self._file, *values))
                case _:
                    *call, function = values
                    row = (self._scope, *call, self._first + function)
                    self._execute("INSERT INTO calls VALUES (?, ?, ?, ?, ?)", row)

    def _begin(self, source: str, split: str, path: str, language: str, offset: int) -> None:
        key = (source, group_of(language))
        if key not in self._scopes:
            self._scopes[key] = len(self._scopes) + 1
            self._execute("INSERT INTO scopes VALUES (?, ?, ?)", (self._scopes[key], *key))
        self._file, self._scope = self._file + 1, self._scopes[key]
        self._first = self._definition + 1
        row = (self._file, self._scope, source, split, path, language, offset, 0)
        self._execute(f"INSERT INTO files VALUES ({_marks(row)})", row)


def _marks(row: tuple[Any, ...]) -> str:
    return ", ".join("?" * len(row))


class Graph:
    """A finished graph and the texts it was made of; nothing is kept of either but a few rows."""

    def __init__(self, file: Path, corpus_dir: Path) -> None:
        self.file = file
        self._rows_file = corpus_dir / "files.jsonl"
        self._connection = _open(file)
        self._adapter: TypeAdapter[SourceFile] = reader_of(SourceFile)
        self.resolve = lru_cache(65_536)(self._resolve)
        """Returns the `Entry` a `Mention` means, of those a `Split` may see; None if unsure."""
        self._candidates = lru_cache(4096)(self._find_candidates)
        self._imports = lru_cache(1024)(self._find_imports)
        self._module = lru_cache(8)(self._parse)
        self.row = lru_cache(32)(self._read)
        """Returns the row of a `Place`; raises where the corpus is not the one described."""

    def place(self, row: SourceFile) -> Place | None:
        """Return the place of a row of the corpus."""
        where = row.provenance
        values = (where.source, where.path, row.split)
        query = f"SELECT {_PLACE} FROM files WHERE source = ? AND path = ? AND split = ?"
        found = self._connection.execute(query, values).fetchone()
        return Place(*found) if found else None

    def entries(self, place: Place) -> list[Entry]:
        """Return what a file defines: functions in order, then classes."""
        query = (
            f"SELECT {_ENTRY} FROM definitions JOIN files ON files.id = file"
            " WHERE file = ? ORDER BY definitions.id"
        )
        return [_entry(each) for each in self._connection.execute(query, (place.id,))]

    def uses(self, function: Entry) -> list[Use]:
        """Return the different things a function calls, in order."""
        query = "SELECT name, qualifier, line FROM calls WHERE definition = ? ORDER BY rowid"
        found = self._connection.execute(query, (function.id,))
        return [
            Use(Mention(function.place, name, qualifier), line, function)
            for name, qualifier, line in found
        ]

    def _resolve(self, mention: Mention, split: Split) -> Entry | None:
        candidates = self._candidates(mention.place.scope, mention.name, split)
        return choose(mention, self._imports(mention.place.id), candidates)

    def imported(self, place: Place, split: Split) -> list[Entry]:
        """Return what a file imports by name from other files, in the order of its imports."""
        found: dict[int, Entry] = {}
        for each in self._imports(place.id):
            entry = self.resolve(Mention(place, each.name), split) if each.name else None
            if entry and entry.place.path != place.path:
                found.setdefault(entry.id, entry)
        return list(found.values())

    def callers(self, target: Entry, split: Split) -> Iterator[Use]:
        """Yield one call from each function that calls `target`, in the order of the corpus.

        Overloads of one name in one file count as one definition.
        """
        query = (
            f"SELECT calls.name, qualifier, line, {_ENTRY} FROM calls"
            " JOIN definitions ON definitions.id = definition JOIN files ON files.id = file"
            f" WHERE calls.scope = ? AND calls.name = ? AND {_VISIBLE[split]}"
            " ORDER BY calls.rowid LIMIT ?"
        )
        if not self._candidates(target.place.scope, target.name, split):
            return
        seen: set[int] = set()
        values = (target.place.scope, target.name, MAX_CALLS)
        for name, qualifier, line, *rest in self._connection.execute(query, values).fetchall():
            function = _entry(rest)
            if function.id in seen or function.id == target.id:
                continue
            mention = Mention(function.place, name, qualifier)
            found = self.resolve(mention, split)
            if found and _is_same(found, target):
                seen.add(function.id)
                yield Use(mention, line, function)

    def _read(self, place: Place) -> SourceFile:
        try:
            with self._rows_file.open("rb") as rows:
                rows.seek(place.offset)
                row = self._adapter.validate_json(rows.readline())
        except OSError as error:
            raise DevtuneError(one_line(error, self._rows_file)) from None
        except ValidationError:
            row = None
        if row is None or (row.provenance.path, row.split) != (place.path, place.split):
            raise DevtuneError(
                f"{self._rows_file}: byte {place.offset} is not the row of {place.path};"
                f" remove {self.file} and run build again"
            )
        return row

    def function(self, entry: Entry) -> Function | None:
        """Return a function with all its parts; its file is parsed for it."""
        module = self._module(entry.place)
        for each in module.functions if module else ():
            if (each.span, each.qualified_name) == (entry.span, entry.qualified_name):
                return each
        return None

    def _parse(self, place: Place) -> Module | None:
        return parse(self.row(place).text, place.language)

    def _find_candidates(self, scope: int, name: str, split: Split) -> tuple[Entry, ...]:
        query = (
            f"SELECT {_ENTRY} FROM definitions JOIN files ON files.id = file"
            f" WHERE definitions.scope = ? AND definitions.name = ? AND {_VISIBLE[split]}"
            " ORDER BY definitions.id LIMIT ?"
        )
        values = (scope, name, MAX_DEFINITIONS + 1)
        found = self._connection.execute(query, values).fetchall()
        return tuple(map(_entry, found)) if len(found) <= MAX_DEFINITIONS else ()

    def _find_imports(self, file: int) -> tuple[Imported, ...]:
        query = "SELECT module, name FROM imports WHERE file = ? ORDER BY rowid"
        return tuple(Imported(*each) for each in self._connection.execute(query, (file,)))


def _open(file: Path) -> sqlite3.Connection:
    if not file.is_file():
        raise DevtuneError(f"{file}: no code graph there; run build again")
    address = f"file:{quote(str(file.resolve()))}?mode=ro&immutable=1"
    try:
        connection = sqlite3.connect(address, uri=True)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError:
        version = 0
    if version != VERSION:
        raise DevtuneError(f"{file}: not a code graph of this version; remove it, run build again")
    return connection  # pyright: ignore


def _entry(values: Sequence[Any]) -> Entry:
    number, kind, name, qualified, owner, first, last, signature, documentation = values[:9]
    is_test, *place = values[9:]
    head = (number, Place(*place), kind, name, qualified, owner)
    return Entry(*head, Span(first, last), signature, documentation, bool(is_test))


def _is_same(one: Entry, other: Entry) -> bool:
    keys = ((each.place.id, each.qualified_name) for each in (one, other))
    return len(set(keys)) == 1

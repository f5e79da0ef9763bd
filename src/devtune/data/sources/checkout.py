"""What commands print in a checkout of one commit, asked of the objects: there is no checkout.

Reads commits, trees and blobs through `git.Repository`; writes nothing. Files that the rules leave
out are not there: no output names them.
"""

import json
import os
import shlex
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import IO

from devtune.data.sources.git import Repository
from devtune.data.sources.sizes import find_large_files
from devtune.data.temporary import unnamed_file
from devtune.records import Action

MAX_HIT_BYTES = 600
"""A longer line among the hits makes a search useless to a reader."""
MAX_PATH = 200
MAX_LEFT_OUT = 50_000
"""Characters of the paths of large files; a command takes only so many."""
_LF = "\n"
MAX_EXAMINED = 20_000
"""Hits looked at before a search counts as useless: most of them may be in files not shown."""
# The repository's own configuration may ask for colours and columns.
_GREP = (
    *("grep", "--no-color", "--no-column", "--no-heading", "--no-break", "--no-textconv"),
    *("--no-show-function", "--full-name", "-I", "-z", "-n", "-F", "-e"),
)


@dataclass(frozen=True, slots=True)
class Printed:
    """A command with its output, and the places that stand in it."""

    action: Action
    places: Mapping[str, tuple[int, ...]]
    """Paths, each with the numbers of the lines printed, from 1; none where only names are."""
    is_cut: bool = False
    """Whether `head` left something out."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """The tree of one commit as an agent would find it."""

    repository: Repository
    commit: str
    is_shown: Callable[[str], bool]

    def has_file(self, path: str) -> bool:
        """Whether a file, and one that is shown, stands at `path`."""
        found = self.repository.ask("ls-tree", "--full-tree", self.commit, "--", path) or ""
        return " blob " in found and self.is_shown(path)

    def grep(self, pattern: str, limit: int) -> Printed | None:
        """Return what `git grep -n -F` prints, by `head` at most `limit` lines of it.

        None where there is nothing, or nothing a reader would look at.
        """
        lines: list[str] = []
        places: dict[str, list[int]] = {}
        left_out = _left_out(self.repository, self.commit)
        if left_out is None:
            return None
        with self._searching(pattern, left_out) as output:
            for path, number, text in _hits(output, len(self.commit) + 1):
                if text is None:
                    return None
                if not self._is_named(path):
                    continue
                if len(lines) < limit:
                    places.setdefault(path, []).append(number)
                lines.append(f"{path}:{number}:{text}\n")
                if len(lines) > limit:
                    break
        if not lines:
            return None
        is_cut = len(lines) > limit
        arguments = {"pattern": pattern, **({"limit": limit} if is_cut else {})}
        action = Action("grep", json.dumps(arguments, ensure_ascii=False), "".join(lines[:limit]))
        return Printed(action, {path: tuple(found) for path, found in places.items()}, is_cut)

    @contextmanager
    def _searching(self, pattern: str, left_out: tuple[str, ...]) -> Generator[IO[bytes]]:
        with unnamed_file() as complaints:
            child = self.repository.converse(
                *(*_GREP, pattern, self.commit, "--", *left_out), complaints=complaints
            )
            assert child.stdout is not None
            assert child.stdin is not None
            is_read = False
            try:
                yield child.stdout
                is_read = not child.stdout.read(1)
            finally:
                child.stdin.close()
                child.stdout.close()
                if not is_read:
                    child.kill()
                child.wait()
            # Finding nothing is no fault, and is told by the code 1.
            if is_read and child.returncode not in (0, 1):
                complaints.seek(0)
                raise self.repository.fault(complaints.read().decode("utf-8", "replace"))

    def find_named(self, name: str, limit: int) -> Printed | None:
        """Return what `git ls-files '*name'` prints; None where that is nothing or too much."""
        found: list[str] = []
        for path in self._paths(""):
            if path.endswith(name) and self._is_named(path):
                found.append(path)
            if len(found) > limit:
                return None
        return _listed(f"git ls-files {shlex.quote(f'*{name}')}", found) if found else None

    def list_directory(self, directory: str, limit: int) -> Printed | None:
        """Return what `git ls-tree --name-only HEAD` prints of a directory, `""` for the top."""
        above = f"{directory}/" if directory else ""
        found: dict[str, None] = {}
        for path in self._paths(directory):
            child = above + path.removeprefix(above).split("/", 1)[0]
            if child not in found and self._is_named(path):
                found[child] = None
            if len(found) > limit:
                return None
        command = "git ls-tree --name-only HEAD"
        command += f" {shlex.quote(above)}" if above else ""
        return _listed(command, list(found)) if found else None

    def _paths(self, directory: str) -> Iterator[str]:
        where = (f"{directory}/",) if directory else ()
        command = ("ls-tree", "-r", "-z", "--name-only", "--full-tree", self.commit, "--", *where)
        with self.repository.stream(*command) as output:
            rest = b""
            while chunk := output.read(1 << 16):
                *whole, rest = (rest + chunk).split(b"\0")
                yield from (each.decode("utf-8", "replace") for each in whole)

    def _is_named(self, path: str) -> bool:
        # git quotes other names; nobody would search there for something to learn.
        return is_plain(path) and self.is_shown(path)


@lru_cache(8)
def _left_out(repository: Repository, commit: str) -> tuple[str, ...] | None:
    """Return pathspecs that spare git the files it would have to hold whole; None for too many."""
    large = find_large_files(repository, commit)
    if sum(map(len, large)) > MAX_LEFT_OUT:
        return None
    return tuple(f":(exclude,top,literal){os.fsdecode(each)}" for each in large)


def print_hits(path: str, pattern: str, hits: Mapping[int, str]) -> Action:
    """Return the search of one file: `hits` are its lines with `pattern` in them, by number."""
    arguments = json.dumps({"pattern": pattern, "path": path}, ensure_ascii=False)
    lines = (f"{path}:{number}:{line.rstrip(_LF)}{_LF}" for number, line in hits.items())
    return Action("grep", arguments, "".join(lines))


def is_plain(path: str) -> bool:
    """Whether git prints a path as it is, and a shell command can hold it."""
    parts = path.split("/")
    return (
        path.isascii()
        and path.isprintable()
        and path == path.strip()
        and not any(mark in path for mark in ('"', "\\", "`"))
        and not any(part.lower() in ("", ".", "..", ".git") for part in parts)
        and len(path) <= MAX_PATH
    )


def _hits(output: IO[bytes], prefix: int) -> Iterator[tuple[str, int, str | None]]:
    """Yield path, line number and line of each hit; a text of None: this is not worth reading."""
    for _ in range(MAX_EXAMINED):
        line = output.readline(MAX_HIT_BYTES + 5_000)
        if not line:
            return
        parts = line[prefix:].split(b"\0", 2)
        if len(parts) < 3 or not parts[1].isdigit() or len(parts[2]) > MAX_HIT_BYTES:
            yield "", 0, None
            return
        text = parts[2].decode("utf-8", "replace").removesuffix("\n")
        yield parts[0].decode("utf-8", "replace"), int(parts[1]), text
    yield "", 0, None


def _listed(command: str, found: list[str]) -> Printed:
    arguments = json.dumps({"command": command}, ensure_ascii=False)
    action = Action("run", arguments, "".join(f"{each}\n" for each in found))
    return Printed(action, dict.fromkeys(found, ()))

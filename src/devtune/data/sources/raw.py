"""What git's plumbing prints of trees and of changed files, taken apart.

Reads the output of commands run by `git.Repository`; writes nothing.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import IO, Any

from devtune.data.sources.git import Repository
from devtune.errors import DevtuneError

SYMLINK, SUBMODULE, ABSENT = "120000", "160000", "000000"
JOINED = ("-c", "--combined-all-paths")
"""Options that show the files of a merge which are as in none of its parents."""
MAX_FILES = 2_000_000
"""A few small trees that hold each other many times over can stand for more than any disk holds."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of one commit; a side that does not exist has mode `000000`."""

    old_mode: str
    mode: str
    old_blob: str
    blob: str
    old_path: bytes
    """The same as `path` unless the file was renamed."""
    path: bytes
    others: tuple[tuple[str, bytes], ...] = ()
    """Blob and path in further parents that have it, of a merge asked for with `JOINED`."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One file of a tree."""

    mode: str
    blob: str
    path: bytes


def read_changes(
    repository: Repository,
    tip: str,
    options: tuple[str, ...],
    layout: str,
    subpaths: tuple[str, ...],
    **source: Any,
) -> Generator[tuple[list[str], list[Entry]]]:
    """Yield (fields of `layout`, changed files) for each commit that comes in by `source`.

    `tip` is the commit whose `.mailmap` counts. Raises `DevtuneError` for more than `MAX_FILES`.
    """
    command = (
        *("diff-tree", "--stdin", "--root", "--always", "-r", "-z", "--raw", "--no-abbrev"),
        *("--no-notes", "--no-ext-diff", "--no-textconv", "--encoding=UTF-8"),
        *(*options, f"--format={layout}"),
        *(("--", *literal(subpaths)) if subpaths else ()),
    )
    num_fields = layout.count("%x00") + 1
    with repository.stream(*command, mailmap=tip, **source) as output:
        tokens = tokens_of(output)
        token = next(tokens, None)
        while token is not None:
            rest = [next(tokens, b"") for _ in range(num_fields - 1)]
            fields = [each.decode("utf-8", "replace") for each in (token, *rest)]
            entries: list[Entry] = []
            token = next(tokens, None)
            if token == b"":  # stands before the files of a merge
                token = next(tokens, None)
            while token is not None and token.lstrip(b"\n").startswith(b":"):
                entries.append(_entry(token, tokens))
                if len(entries) > MAX_FILES:
                    raise too_many(repository, fields[0])
                token = next(tokens, None)
            yield fields, entries


def _entry(token: bytes, tokens: Iterator[bytes]) -> Entry:
    given = token.lstrip(b"\n").decode("ascii")
    header = given.lstrip(":").split(" ")
    if given.startswith("::"):
        return _joined(header, tokens)
    old_mode, mode, old_blob, blob, status = header
    old_path = next(tokens, b"")
    path = next(tokens, b"") if status[0] in "RC" else old_path
    return Entry(old_mode, mode, old_blob, blob, old_path, path)


def _joined(header: list[str], tokens: Iterator[bytes]) -> Entry:
    """Read one file of a merge: modes and blobs of the parents, then those it has now."""
    num_parents = (len(header) - 3) // 2
    modes, blobs = header[: num_parents + 1], header[num_parents + 1 : -1]
    paths = [next(tokens, b"") for _ in range(num_parents + 1)]
    others = tuple(
        (blob, path)
        for mode, blob, path in zip(modes[1:-1], blobs[1:-1], paths[1:-1], strict=True)
        if mode not in (ABSENT, SUBMODULE)
    )
    return Entry(modes[0], modes[-1], blobs[0], blobs[-1], paths[0], paths[-1], others)


def leaf_of(token: bytes) -> Leaf:
    """Return what one line of `git ls-tree` says."""
    header, path = token.split(b"\t", 1)
    mode, _, blob = header.decode("ascii").split()
    return Leaf(mode, blob, path)


def tokens_of(output: IO[bytes]) -> Iterator[bytes]:
    """Split a stream at its NUL bytes; memory stays at the longest piece."""
    pending: list[bytes] = []
    while chunk := output.read(1 << 16):
        first, *others = chunk.split(b"\0")
        pending.append(first)
        for each in others:
            yield b"".join(pending)
            pending = [each]
    if rest := b"".join(pending):
        yield rest


def too_many(repository: Repository, commit: str) -> DevtuneError:
    """Say that a commit has more files than anybody has."""
    return DevtuneError(
        f"{repository.path}: more than {MAX_FILES:,} files at {commit[:12]}; name those to read in"
        " `subpaths` of the source"
    )


def literal(subpaths: tuple[str, ...]) -> tuple[str, ...]:
    """Return paths as git takes them word for word, without wildcards."""
    return tuple(f":(top,literal){each.strip('/')}" for each in subpaths)

"""What a repository's history says: commits with their changed files, and the tree of a commit.

Reads commits and trees through `git.Repository`; writes nothing, and never reads a blob.
"""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO

from devtune.data.git import Repository

SYMLINK, SUBMODULE, ABSENT = "120000", "160000", "000000"
MAX_RENAME_CANDIDATES = 1000


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


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit and the files it changed against its first parent."""

    id: str
    author: str
    """`Name <mail>` through .mailmap."""
    date: str
    """Committer date, ISO 8601 in UTC."""
    subject: str
    body: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One file of a tree."""

    mode: str
    blob: str
    path: bytes


def list_commits(repository: Repository, tip: str, *, merges: bool = False) -> list[str]:
    """Ids on the first-parent line up to `tip`, oldest first: merges only, or all but merges."""
    which = "--merges" if merges else "--no-merges"
    with repository.stream("rev-list", "--reverse", "--first-parent", which, tip) as output:
        return output.read().decode("ascii").split()


def read_commits(repository: Repository, tip: str) -> Iterator[Commit]:
    """Yield the commits `list_commits` names, in its order, with renames detected."""
    wanted = ("rev-list", "--reverse", "--first-parent", "--no-merges", tip)
    renames = ("-M", f"-l{MAX_RENAME_CANDIDATES}")
    layout = "%H%x00%aN <%aE>%x00%ct%x00%s%x00%b"
    for fields, entries in _diff(repository, tip, wanted, renames, layout):
        commit, author, seconds, subject, body = fields
        yield Commit(commit, author, _date(seconds), subject, body.strip("\n"), tuple(entries))


def read_tree(repository: Repository, commit: str) -> list[Leaf]:
    """Return every file of the tree of `commit`, in git's order of paths."""
    with repository.stream("ls-tree", "-r", "-z", "--full-tree", commit) as output:
        return [_leaf(token) for token in _tokens(output)]


def find_last_changes(
    repository: Repository, tip: str, wanted: Mapping[bytes, str]
) -> dict[bytes, Commit]:
    """Return for each path the latest commit up to `tip` that gave it the blob `wanted` names.

    Looks behind merges, so that a file keeps its author however it arrived. Where no commit
    gave it exactly this blob (a merge mixed two versions), the latest that touched the path.
    """
    walk = ("rev-list", "--topo-order", "--no-merges", tip)
    layout = "%H%x00%aN <%aE>%x00%ct"
    exact: dict[bytes, Commit] = {}
    touched: dict[bytes, Commit] = {}
    for (commit, author, seconds), entries in _diff(
        repository, tip, walk, ("--no-renames",), layout
    ):
        head = Commit(commit, author, _date(seconds), "", "", ())
        for entry in entries:
            if entry.path not in wanted:
                continue
            touched.setdefault(entry.path, head)
            if entry.blob == wanted[entry.path]:
                exact.setdefault(entry.path, head)
        if len(exact) == len(wanted):
            break
    return {**touched, **exact}


def _diff(
    repository: Repository,
    tip: str,
    wanted: tuple[str, ...],
    options: tuple[str, ...],
    layout: str,
) -> Generator[tuple[list[str], list[Entry]]]:
    """Yield (fields of `layout`, changed files) for each commit `wanted` lists."""
    command = (
        *("diff-tree", "--stdin", "--root", "--always", "-r", "-z", "--raw", "--no-abbrev"),
        *("--no-notes", "--no-ext-diff", "--no-textconv", "--encoding=UTF-8"),
        *(*options, f"--format={layout}"),
    )
    num_fields = layout.count("%x00") + 1
    with repository.stream(*command, fed_by=wanted, mailmap=tip) as output:
        tokens = _tokens(output)
        token = next(tokens, None)
        while token is not None:
            rest = [next(tokens, b"") for _ in range(num_fields - 1)]
            fields = [each.decode("utf-8", "replace") for each in (token, *rest)]
            entries: list[Entry] = []
            token = next(tokens, None)
            while token is not None and token.lstrip(b"\n").startswith(b":"):
                entries.append(_entry(token, tokens))
                token = next(tokens, None)
            yield fields, entries


def _entry(token: bytes, tokens: Iterator[bytes]) -> Entry:
    header = token.lstrip(b"\n").decode("ascii").removeprefix(":").split(" ")
    old_mode, mode, old_blob, blob, status = header
    old_path = next(tokens, b"")
    path = next(tokens, b"") if status[0] in "RC" else old_path
    return Entry(old_mode, mode, old_blob, blob, old_path, path)


def _leaf(token: bytes) -> Leaf:
    header, path = token.split(b"\t", 1)
    mode, _, blob = header.decode("ascii").split()
    return Leaf(mode, blob, path)


def _tokens(output: IO[bytes]) -> Iterator[bytes]:
    """Split a stream at its NUL bytes; memory stays at the longest piece."""
    rest = b""
    while chunk := output.read(1 << 16):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
    if rest:
        yield rest


def _date(seconds: str) -> str:
    try:
        moment = datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return moment.isoformat(timespec="seconds")

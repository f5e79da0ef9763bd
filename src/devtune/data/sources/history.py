"""What a repository's history says: commits with their changed files, and the tree of a commit.

Reads commits and trees through `git.Repository`; writes nothing, and never reads a blob.
"""

from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any

from devtune.data.sources.git import Repository

SYMLINK, SUBMODULE, ABSENT = "120000", "160000", "000000"
MAX_RENAME_CANDIDATES = 1000
# By committer date, never a child before its parent: the same in every clone.
OLDEST_FIRST = ("--reverse", "--date-order")


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
    """One commit and the files it changed against its only parent."""

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


@dataclass(frozen=True, slots=True)
class Head:
    """What a commit says of itself, without its files."""

    id: str
    parents: tuple[str, ...]
    author: str
    date: str
    subject: str
    body: str


def read_heads(repository: Repository, tip: str) -> Iterator[Head]:
    """Yield every commit reachable from `tip`, oldest first, never a child before its parent."""
    layout = "%H%x00%P%x00%aN <%aE>%x00%ct%x00%s%x00%b"
    command = ("log", "-z", *OLDEST_FIRST, "--no-notes", "--encoding=UTF-8", f"--format={layout}")
    with repository.stream(*command, tip, "--", mailmap=tip) as output:
        tokens = (each.decode("utf-8", "replace") for each in _tokens(output))
        for commit in tokens:
            parents, author, seconds, subject, body = (next(tokens, "") for _ in range(5))
            yield Head(
                commit, tuple(parents.split()), author, _date(seconds), subject, body.strip("\n")
            )


def find_touching(repository: Repository, tip: str, subpaths: tuple[str, ...]) -> set[str]:
    """Return the commits up to `tip` that change something in `subpaths`."""
    walk = ("rev-list", "--full-history", "--no-merges", tip, "--", *literal(subpaths))
    with repository.stream(*walk) as output:
        return {line.decode("ascii").strip() for line in output}


def literal(subpaths: tuple[str, ...]) -> tuple[str, ...]:
    """Return paths as git takes them word for word, without wildcards."""
    return tuple(f":(top,literal){each}" for each in subpaths)


def find_cut(
    parents: Mapping[str, tuple[str, ...]], tip: str, num_held_out: int, usable: Set[str]
) -> tuple[str, frozenset[str]] | None:
    """Return the latest first parent of `tip` with enough commits after it, and those commits.

    After a commit is what it does not reach: also a side branch that began before it and was
    merged later. Only `usable` commits count. None where no first parent has `num_held_out` of
    them after it.
    """
    line = [tip]
    while parents[line[-1]]:
        line.append(parents[line[-1]][0])
    reached_at: dict[str, int] = {}
    for position in reversed(range(len(line))):
        stack = [line[position]]
        while stack:
            commit = stack.pop()
            if commit not in reached_at:
                reached_at[commit] = position
                stack.extend(parents[commit])
    counted = {commit: each for commit, each in reached_at.items() if commit in usable}
    sizes = Counter(counted.values())
    num_after = 0
    for position, commit in enumerate(line[1:]):
        num_after += sizes[position]
        if num_after >= num_held_out:
            return commit, frozenset(x for x, each in counted.items() if each <= position)
    return None


def read_commits(
    repository: Repository, tip: str, commits: Sequence[str], subpaths: tuple[str, ...] = ()
) -> Iterator[Commit]:
    """Yield `commits` in their order, with their changed files; renames are detected.

    `tip` is the commit whose `.mailmap` counts. A merge has no content of its own: what it brings
    stands in the commits it joins, so it must not be asked for.
    """
    renames = ("-M", f"-l{MAX_RENAME_CANDIDATES}")
    layout = "%H%x00%aN <%aE>%x00%ct%x00%s%x00%b"
    wanted = "".join(f"{each}\n" for each in commits).encode("ascii")
    for fields, entries in _diff(repository, tip, renames, layout, subpaths, fed=wanted):
        commit, author, seconds, subject, body = fields
        yield Commit(commit, author, _date(seconds), subject, body.strip("\n"), tuple(entries))


def read_tree(repository: Repository, commit: str, subpaths: tuple[str, ...] = ()) -> list[Leaf]:
    """Return every file of the tree of `commit`, in git's order of paths."""
    command = ("ls-tree", "-r", "-z", "--full-tree", commit, "--", *subpaths)
    with repository.stream(*command) as output:
        return [_leaf(token) for token in _tokens(output)]


def read_folder(repository: Repository, commit: str, folder: str) -> list[Leaf]:
    """Return what stands in one directory at `commit`, directories included; `.` is the top."""
    where = () if folder == "." else (f"{folder}/",)
    with repository.stream("ls-tree", "-z", "--full-tree", commit, "--", *where) as output:
        return [_leaf(token) for token in _tokens(output)]


def find_known(repository: Repository, commit: str, blobs: Set[str]) -> set[str]:
    """Return which of `blobs` stand in the tree of `commit` or of any commit before it."""
    # Nothing is opened here, so a missing blob is no fault yet: whoever reads it will say so.
    walk = ("rev-list", "--objects", "--no-object-names", "--missing=allow-any", commit)
    with repository.stream(*walk) as output:
        return {name for line in output if (name := line.decode("ascii").strip()) in blobs}


def find_last_changes(
    repository: Repository,
    tip: str,
    wanted: Mapping[bytes, str],
    subpaths: tuple[str, ...] = (),
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
        repository, tip, ("--no-renames",), layout, subpaths, fed_by=walk
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
    options: tuple[str, ...],
    layout: str,
    subpaths: tuple[str, ...],
    **source: Any,
) -> Generator[tuple[list[str], list[Entry]]]:
    """Yield (fields of `layout`, changed files) for each commit that comes in by `source`."""
    command = (
        *("diff-tree", "--stdin", "--root", "--always", "-r", "-z", "--raw", "--no-abbrev"),
        *("--no-notes", "--no-ext-diff", "--no-textconv", "--encoding=UTF-8"),
        *(*options, f"--format={layout}"),
        *(("--", *literal(subpaths)) if subpaths else ()),
    )
    num_fields = layout.count("%x00") + 1
    with repository.stream(*command, mailmap=tip, **source) as output:
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

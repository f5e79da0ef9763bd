"""What a repository's history says: commits with their changed files, and the tree of a commit.

Reads commits and trees through `git.Repository`; writes nothing, and never reads a blob.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, islice

from devtune.data.sources.git import Repository
from devtune.data.sources.raw import (
    MAX_FILES,
    Entry,
    Leaf,
    leaf_of,
    literal,
    read_changes,
    tokens_of,
    too_many,
)
from devtune.data.sources.sizes import fed, find_large_moves

MAX_RENAME_CANDIDATES = 1000
MAX_MESSAGE = 100_000
"""Characters of a subject or a body that are read; nobody wrote a longer one."""
MAX_AUTHOR = 1000
"""Characters of name and address."""
# By committer date, never a child before its parent: the same in every clone.
OLDEST_FIRST = ("--reverse", "--date-order")


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

    @property
    def num_renames(self) -> int:
        """How many of its files were moved."""
        return sum(each.old_path != each.path for each in self.entries)


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
        tokens = (each.decode("utf-8", "replace") for each in tokens_of(output))
        for commit in tokens:
            parents, author, seconds, subject, body = (next(tokens, "") for _ in range(5))
            yield Head(
                commit,
                tuple(parents.split()),
                author[:MAX_AUTHOR],
                _date(seconds),
                subject[: MAX_MESSAGE + 1],
                body.strip("\n")[: MAX_MESSAGE + 1],
            )


def find_touching(repository: Repository, tip: str, subpaths: tuple[str, ...]) -> set[str]:
    """Return the commits up to `tip` that change something in `subpaths`."""
    walk = ("rev-list", "--full-history", "--no-merges", tip, "--", *literal(subpaths))
    with repository.stream(*walk) as output:
        return {line.decode("ascii").strip() for line in output}


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
    layout = "%H%x00%aN <%aE>%x00%ct%x00%s%x00%b"
    large = find_large_moves(repository, commits, subpaths)
    for is_large, some in groupby(commits, large.__contains__):
        # Whole files are equal by their ids, which takes no reading.
        renames = ("-M100%" if is_large else "-M", f"-l{MAX_RENAME_CANDIDATES}")
        for fields, entries in read_changes(
            repository, tip, renames, layout, subpaths, fed=fed(some)
        ):
            commit, author, seconds, subject, body = fields
            author, body = author[:MAX_AUTHOR], body.strip("\n")
            yield Commit(commit, author, _date(seconds), subject, body, tuple(entries))


def read_tree(repository: Repository, commit: str, subpaths: tuple[str, ...] = ()) -> list[Leaf]:
    """Return every file of the tree of `commit`, in git's order of paths.

    Raises `DevtuneError` for a tree of more than `MAX_FILES`.
    """
    command = ("ls-tree", "-r", "-z", "--full-tree", commit, "--", *subpaths)
    with repository.stream(*command) as output:
        found = [leaf_of(token) for token in islice(tokens_of(output), MAX_FILES + 1)]
        if len(found) > MAX_FILES:
            raise too_many(repository, commit)
        return found


def read_folder(repository: Repository, commit: str, folder: str) -> list[Leaf]:
    """Return what stands in one directory at `commit`, directories included; `.` is the top."""
    where = () if folder == "." else (f"{folder}/",)
    with repository.stream("ls-tree", "-z", "--full-tree", commit, "--", *where) as output:
        return [leaf_of(token) for token in tokens_of(output)]


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
    for (commit, author, seconds), entries in read_changes(
        repository, tip, ("--no-renames",), layout, subpaths, fed_by=walk
    ):
        head = Commit(commit, author[:MAX_AUTHOR], _date(seconds), "", "", ())
        for entry in entries:
            if entry.path not in wanted:
                continue
            touched.setdefault(entry.path, head)
            if entry.blob == wanted[entry.path]:
                exact.setdefault(entry.path, head)
        if len(exact) == len(wanted):
            break
    return {**touched, **exact}


def _date(seconds: str) -> str:
    try:
        moment = datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return moment.isoformat(timespec="seconds")

"""Which files are too large for git to hold whole, as it does to compare them or to search in them.

Reads sizes through `git.Repository`, and no content; writes nothing.
"""

from collections.abc import Iterable, Sequence, Set

from devtune.data.sources.git import Repository
from devtune.data.sources.raw import ABSENT, read_changes, tokens_of

MAX_COMPARED_BYTES = 4_000_000


def find_large_moves(
    repository: Repository, commits: Sequence[str], subpaths: tuple[str, ...]
) -> set[str]:
    """Return the commits in which a file too large to be compared may have been renamed."""
    options = ("--no-renames", "--diff-filter=AD")
    changed = read_changes(repository, "", options, "%H", subpaths, fed=fed(commits))
    moved: dict[str, list[str]] = {}
    for (commit,), entries in changed:
        added = [each.blob for each in entries if each.old_mode == ABSENT]
        deleted = [each.old_blob for each in entries if each.mode == ABSENT]
        if added and deleted:
            moved[commit] = added + deleted
    large = _find_large(repository, {blob for blobs in moved.values() for blob in blobs})
    return {commit for commit, blobs in moved.items() if not large.isdisjoint(blobs)}


def _find_large(repository: Repository, blobs: Set[str]) -> set[str]:
    if not blobs:
        return set()
    ask = ("cat-file", "--batch-check=%(objectname) %(objectsize)")
    with repository.stream(*ask, fed=fed(sorted(blobs))) as output:
        answers = [line.decode("ascii").split() for line in output]
    # What is missing is told by whoever reads it.
    sizes = ((name, int(size)) for name, size in answers if size.isdigit())
    return {name for name, size in sizes if size > MAX_COMPARED_BYTES}


def find_large_files(repository: Repository, commit: str) -> list[bytes]:
    """Return the paths of the files of `commit` that git should not read whole."""
    with repository.stream("ls-tree", "-r", "-l", "-z", "--full-tree", commit) as output:
        tokens = (token.split(b"\t", 1) for token in tokens_of(output))
        sizes = ((header.split()[-1], path) for header, path in tokens)
        return [path for size, path in sizes if size.isdigit() and int(size) > MAX_COMPARED_BYTES]


def fed(names: Iterable[str]) -> bytes:
    """Return names as git's plumbing reads them."""
    return "".join(f"{each}\n" for each in names).encode("ascii")

"""What a source is known by, so that it stays erased: its name, and where its history begins.

Asks a repository through `git.Repository`; writes nothing.
"""

from functools import lru_cache

from devtune.data.sources.git import Repository


@lru_cache(256)
def ids_of(name: str, repository: Repository | None = None, tip: str = "") -> tuple[str, ...]:
    """Return the ids of a source: a repository is the same under another name, or cloned."""
    own = f"name:{name}"
    if repository is None:
        return (own,)
    # By its first parents: a library that was merged into it begins elsewhere.
    root = repository.ask("rev-list", "--first-parent", "--max-parents=0", tip)
    return (own, f"root:{root}") if root else (own,)

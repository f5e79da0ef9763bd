"""The units a repository is read in, as JSON values: files of a tree, or commits.

Works on values in memory; reads and writes no files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devtune.data.sources.versions import Version, unpacked
from devtune.records import Split


@dataclass(frozen=True, slots=True)
class PlannedLeaf:
    """One file of a tree and the commit that made it what it is."""

    mode: str
    blob: str
    path: bytes
    commit: str
    author: str
    date: str
    detail: str = ""
    versions: tuple[Version, ...] = ()
    """Those it went through, newest first; none where nobody asks who wrote its lines."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One unit as it is read: files at a commit, or commits."""

    at: str
    split: Split | None
    leaves: tuple[PlannedLeaf, ...]
    authors: tuple[str, ...]
    """Whom the versions of the leaves are by."""
    commits: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    held_out: frozenset[str]
    replayed: frozenset[str]
    positions: Mapping[str, int]
    """Of the commits in the whole history, where something of it is erased."""
    keeps_history: bool
    """Whether the history is cut by time; else its files are split by hash."""

    @staticmethod
    def of(unit: Any) -> "Plan":
        """Read a unit back."""
        histories = unit["versions"] or [()] * len(unit["leaves"])
        leaves = (
            PlannedLeaf(mode, blob, path.encode("latin-1"), *rest, versions=unpacked(history))
            for (mode, blob, path, *rest), history in zip(unit["leaves"], histories, strict=True)
        )
        return Plan(
            at=unit["at"],
            split=unit["split"],
            leaves=tuple(leaves),
            authors=tuple(unit["authors"]),
            commits=tuple(unit["commits"]),
            refused=tuple((commit, reason) for commit, reason in unit["refused"]),
            held_out=frozenset(unit["held_out"]),
            replayed=frozenset(unit["replayed"]),
            positions=unit["positions"],
            keeps_history=unit["keeps_history"],
        )


def unit_of(**own: Any) -> dict[str, Any]:
    """Return a unit as JSON; what is not given is empty."""
    empty: dict[str, Any] = {
        "at": "", "split": None, "leaves": (), "commits": (), "refused": (), "held_out": (),
        "replayed": (), "keeps_history": False, "positions": {}, "versions": (), "authors": (),
    }  # fmt: skip
    return {**empty, **own}

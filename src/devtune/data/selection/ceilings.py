"""Ceilings: of a family, and so that no file, author or repository dominates.

Reads the index; writes nothing. What stays is chosen by hash and does not hang on the order.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeAlias

from devtune.data.selection.index import IndexRow, Selection, select
from devtune.steps.selection import Cap, MaxPerFamily, MaxPerTask

LEAST_KEPT = Fraction(1, 2)
"""A share that holds only when fewer samples are left than this is not applied."""
OwnerOf: TypeAlias = Callable[[IndexRow], str]
Groups: TypeAlias = Mapping[Hashable, Sequence[IndexRow]]


def max_per_family(step: MaxPerFamily, rows: Sequence[IndexRow]) -> Selection:
    """Keep the samples with the smallest ids of each family and split."""
    over = [
        position
        for split, ceiling in (("train", step.train), ("held_out", step.held_out))
        for position in _over(
            _grouped((row for row in rows if row.split == split), lambda row: row.family), ceiling
        )
    ]
    return select(rows, dict.fromkeys(over, "over_family_maximum"))


def max_per_task(step: MaxPerTask, rows: Sequence[IndexRow]) -> Selection:
    """Keep so many sessions of each task and split, resolved ones first, then by hash."""
    tasks = _grouped(
        (row for row in rows if row.task), lambda row: (row.split, row.source, row.task)
    )
    over: list[int] = []
    for members in tasks.values():
        sessions = _grouped(members, lambda row: row.path)
        ordered = sorted(
            sessions.values(),
            key=lambda parts: (not parts[0].is_resolved, min(each.by_hash for each in parts)),
        )
        over += [row.position for parts in ordered[step.sessions :] for row in parts]
    return select(rows, dict.fromkeys(over, "over_task_maximum"))


def cap(step: Cap, rows: Sequence[IndexRow]) -> Selection:
    """Limit files, then authors and repositories until both shares hold; training only.

    A share is of what is left in the end. One that cannot hold, or only by giving up more than
    half of the samples, is not applied: a note says so. A sample without an author is nobody's.
    """
    dropped: dict[int, str] = {}
    left = [row for row in rows if row.split == "train"]
    if step.per_file is not None:
        files = _grouped(left, lambda row: (row.source, row.path, row.family))
        dropped.update(dict.fromkeys(_over(files, step.per_file), "over_file_ceiling"))
        left = [row for row in left if row.position not in dropped]
    shares: dict[str, tuple[float, OwnerOf]] = {}
    if step.per_author is not None:
        shares["author"] = step.per_author, lambda row: row.author
    if step.per_repository is not None:
        shares["repository"] = step.per_repository, lambda row: row.source
    notes: list[str] = []
    while isinstance(over := _over_shares(left, shares), str):
        notes.append(f"per_{over}: {shares[over][0]} cannot hold here and is not applied")
        del shares[over]
    return replace(select(rows, {**dropped, **over}), notes=notes)


def _over_shares(
    left: Sequence[IndexRow], shares: Mapping[str, tuple[float, OwnerOf]]
) -> dict[int, str] | str:
    """Enforce one share after the other until all hold; the name of one that cannot otherwise."""
    least = len(left) * LEAST_KEPT
    dropped: dict[int, str] = {}
    num_before = -1
    while num_before != len(dropped):
        num_before = len(dropped)
        for name, (share, owner_of) in shares.items():
            over = _over_share(left, owner_of, share)
            if over is None or len(left) - len(over) < least:
                return name
            dropped.update(dict.fromkeys(over, f"over_{name}_share"))
            left = [row for row in left if row.position not in over]
    return dropped


def find_ceiling(sizes: Iterable[int], num_free: int, share: float) -> int:
    """Return the largest number of samples a group may keep, so that its share of all holds.

    `num_free` samples are in no group. The ceiling is 0 when the share can never hold.
    """
    asked = Fraction(str(share))
    known = sorted(sizes)
    lowest, highest = 0, max(known, default=0)
    while lowest < highest:
        ceiling = (lowest + highest + 1) // 2
        if ceiling <= asked * (num_free + sum(min(size, ceiling) for size in known)):
            lowest = ceiling
        else:
            highest = ceiling - 1
    return lowest


def _over_share(rows: Sequence[IndexRow], owner_of: OwnerOf, share: float) -> set[int] | None:
    groups = dict(_grouped(rows, owner_of))
    nobodys = groups.pop("", [])
    ceiling = find_ceiling(map(len, groups.values()), len(nobodys), share)
    return set(_over(groups, ceiling)) if ceiling or not groups else None


def _grouped(rows: Iterable[IndexRow], group_of: Callable[[IndexRow], Hashable]) -> Groups:
    groups: dict[Hashable, list[IndexRow]] = defaultdict(list)
    for row in rows:
        groups[group_of(row)].append(row)
    return groups


def _over(groups: Groups, ceiling: int) -> list[int]:
    """Return the positions beyond the `ceiling` smallest ids of each group."""
    return [
        row.position
        for members in groups.values()
        for row in sorted(members, key=lambda each: each.by_hash)[ceiling:]
    ]

"""Where two sequences of lines are surely the same: at their ends, and where a line stands once.

Reads and writes nothing. What is left between is small as a rule, and compared by other means.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from operator import lt
from typing import TypeVar

T = TypeVar("T", bound=Hashable)
Hunk = tuple[int, int, int, int]
"""Changed lines: old[a:b] became new[c:d], counted from 0."""
CHUNK = 64
"""Lines compared at once."""


def common_ends(old: Sequence[T], new: Sequence[T]) -> tuple[int, int]:
    """Return how many lines are equal at the start, and how many of the rest at the end."""
    shorter = min(len(old), len(new))
    head = 0
    # Slices are compared many lines at a time.
    while head + CHUNK <= shorter and old[head : head + CHUNK] == new[head : head + CHUNK]:
        head += CHUNK
    while head < shorter and old[head] == new[head]:
        head += 1
    tail, rest = 0, shorter - head
    old_end, new_end = len(old), len(new)
    while (
        tail + CHUNK <= rest
        and old[old_end - tail - CHUNK : old_end - tail]
        == new[new_end - tail - CHUNK : new_end - tail]
    ):
        tail += CHUNK
    while tail < rest and old[old_end - 1 - tail] == new[new_end - 1 - tail]:
        tail += 1
    return head, tail


def find_gaps(
    before: Sequence[T], after: Sequence[T], counts: Counter[T], new_counts: Counter[T]
) -> Iterator[Hunk]:
    """Yield what lies between the lines that stand once on both sides, common ends taken off.

    `counts` and `new_counts` say how often each line stands on either side.
    """
    places = {line: place for place, line in enumerate(after) if new_counts[line] == 1}
    pairs = [
        (place, places[line])
        for place, line in enumerate(before)
        if counts[line] == 1 and line in places
    ]
    a = c = 0
    for b, d in [*_longest_rising(pairs), (len(before), len(after))]:
        if before[a:b] != after[c:d]:
            head, tail = common_ends(before[a:b], after[c:d])
            yield a + head, b - tail, c + head, d - tail
        a, c = b + 1, d + 1


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest run of pairs, sorted by their first, whose second rises too."""
    seconds = [second for _, second in pairs]
    if all(map(lt, seconds, seconds[1:])):
        return list(pairs)
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        pile = bisect_left(ends, place)
        before.append(last[pile - 1] if pile else -1)
        ends[pile : pile + 1] = [place]
        last[pile : pile + 1] = [number]
    rising: list[tuple[int, int]] = []
    number = last[-1] if last else -1
    while number >= 0:
        rising.append(pairs[number])
        number = before[number]
    return rising[::-1]

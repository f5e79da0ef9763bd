"""Where two sequences of lines are surely the same: at their ends, and where a line stands once.

Reads and writes nothing. What is left between is small as a rule, and compared by other means.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from operator import lt
from typing import TypeVar

T = TypeVar("T", bound=Hashable)
Hunk = tuple[int, int, int, int]
"""Changed lines: old[a:b] became new[c:d], counted from 0."""


def common_ends(old: Sequence[T], new: Sequence[T]) -> tuple[int, int]:
    """Return how many items are equal at the start, and how many of the rest at the end.

    Items are lines, or the characters of a text.
    """
    shorter = min(len(old), len(new))
    head = _longest(shorter, lambda low, high: old[low:high] == new[low:high])
    last, new_last = len(old), len(new)
    tail = _longest(
        shorter - head,
        lambda low, high: old[last - high : last - low] == new[new_last - high : new_last - low],
    )
    return head, tail


def _longest(limit: int, is_same: Callable[[int, int], bool]) -> int:
    """Return how far two sequences are the same; halving, as slices are compared so fast."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if is_same(low, middle):
            low = middle
        else:
            high = middle - 1
    return low


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

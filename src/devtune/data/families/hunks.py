"""What changed between two texts, as hunks of whole lines.

Reads and writes nothing. Lines that stand once on both sides split the work; what is left between
them is compared by Myers' algorithm ("An O(ND) Difference Algorithm and Its Variations", 1986),
whose time is bounded by the number of changes that are allowed at all.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from devtune.data.anchors import Hunk, common_ends, find_gaps
from devtune.data.corpus import split_lines

Span = tuple[int, int]
"""Lines [first, last), counted from 0."""
MAX_EDITS = 2_000
"""Lines added and removed between two anchors; their history is kept, which takes its square."""
MAX_SLIDE = 100
"""Lines an insertion or deletion may be moved to stand at a better place."""


def whole_lines(text: str) -> list[str]:
    """Return the lines of `text`, each with its end, the last one too."""
    lines = split_lines(text)
    return [*lines[:-1], lines[-1].removesuffix("\n") + "\n"] if lines else []


def find_hunks(old: Sequence[str], new: Sequence[str], max_changed_lines: int) -> list[Hunk] | str:
    """Return what changed, or the reason it is too much. Equal lines give no hunk."""
    head, tail = common_ends(old, new)
    before, after = old[head : len(old) - tail], new[head : len(new) - tail]
    counts, new_counts = Counter(before), Counter(after)
    if max((counts - new_counts).total(), (new_counts - counts).total()) > max_changed_lines:
        return "too_many_changed_lines"
    found: list[Hunk] = []
    for gap in find_gaps(before, after, counts, new_counts):
        inner = _compare(before, after, gap, max_changed_lines)
        if isinstance(inner, str):
            return inner
        found += inner
    hunks = [(a + head, b + head, c + head, d + head) for a, b, c, d in found]
    if count_changed(hunks) > max_changed_lines:
        return "too_many_changed_lines"
    return list(_settled(old, new, hunks))


def count_changed(hunks: Iterable[Hunk]) -> int:
    """How many lines change: a line that becomes another counts once."""
    return sum(max(b - a, d - c) for a, b, c, d in hunks)


def join_hunks(hunks: Sequence[Hunk], gap: int) -> list[Hunk]:
    """Return hunks with those joined that have at most `gap` equal lines between them."""
    joined = list(hunks[:1])
    for a, b, c, d in hunks[1:]:
        before = joined[-1]
        if a - before[1] <= gap:
            joined[-1] = (before[0], b, before[2], d)
        else:
            joined.append((a, b, c, d))
    return joined


def find_windows(spans: Iterable[Span], num_lines: int) -> list[Span]:
    """Return spans cut at the ends of the file, sorted, those that meet made one."""
    windows: list[Span] = []
    for first, last in sorted((max(a, 0), min(b, num_lines)) for a, b in spans):
        if windows and first <= windows[-1][1]:
            windows[-1] = (windows[-1][0], max(last, windows[-1][1]))
        else:
            windows.append((first, last))
    return windows


def _compare(
    before: Sequence[str], after: Sequence[str], gap: Hunk, max_changed_lines: int
) -> list[Hunk] | str:
    a, b, c, d = gap
    if a == b or c == d:
        return [gap]
    # A changed line is one removed and one added: no change within bounds has more edits.
    trace = _trace(before[a:b], after[c:d], min(2 * max_changed_lines, MAX_EDITS))
    if trace is None:
        return "too_many_changed_lines"
    hunks: list[Hunk] = []
    for first, last, new_first, new_last in _edits(trace, b - a, d - c):
        if hunks and hunks[-1][1] == first + a and hunks[-1][3] == new_first + c:
            hunks[-1] = (hunks[-1][0], last + a, hunks[-1][2], new_last + c)
        else:
            hunks.append((first + a, last + a, new_first + c, new_last + c))
    return hunks


def _trace(before: Sequence[str], after: Sequence[str], most: int) -> list[list[int]] | None:
    """Return for each number of edits the furthest place on every diagonal it can reach.

    None where the ends are not reached with `most` of them.

    A place is (x, y), how much is read of both sides; after n edits the diagonals are x - y = -n,
    -n + 2, … n, and of each only x is kept.
    """
    history: list[list[int]] = []
    for edits in range(most + 1):
        reached: list[int] = []
        for place in range(edits + 1):
            x = _step(history[-1], place)[0] if edits else 0
            y = x - 2 * place + edits
            while x < len(before) and y < len(after) and before[x] == after[y]:
                x, y = x + 1, y + 1
            reached.append(x)
            if x >= len(before) and y >= len(after):
                return [*history, reached]
        history.append(reached)
    return None


def _step(reached: Sequence[int], place: int) -> tuple[int, bool]:
    """Return x after the next edit on a diagonal, and whether that edit adds a line."""
    if not place or (place < len(reached) and reached[place - 1] < reached[place]):
        return reached[place], True
    return reached[place - 1] + 1, False


def _edits(history: Sequence[Sequence[int]], num_old: int, num_new: int) -> list[Hunk]:
    """Return the added and removed lines on the way to the end of both sides, one by one."""
    x, y = num_old, num_new
    found: list[Hunk] = []
    for edits in range(len(history) - 1, 0, -1):
        place = (x - y + edits) // 2
        last, is_added = _step(history[edits - 1], place)
        x, y = last, last - 2 * place + edits
        found.append((x, x, y - 1, y) if is_added else (x - 1, x, y, y))
        x, y = found[-1][0], found[-1][2]
    return found[::-1]


def _settled(old: Sequence[str], new: Sequence[str], hunks: Sequence[Hunk]) -> Iterator[Hunk]:
    """Yield hunks, those that only add or only remove moved to where a reader expects them."""
    low = -1
    for number, (a, b, c, d) in enumerate(hunks):
        high = hunks[number + 1][0] if number + 1 < len(hunks) else len(old) + 1
        # One equal line stays between two hunks; there are as many on both sides.
        room = (min(a - low - 1, MAX_SLIDE), min(high - b - 1, MAX_SLIDE))
        shift = 0
        if a == b:
            shift = _best_shift(new, c, d, room)
        elif c == d:
            shift = _best_shift(old, a, b, room)
        low = b + shift
        yield a + shift, low, c + shift, d + shift


def _best_shift(lines: Sequence[str], first: int, last: int, room: tuple[int, int]) -> int:
    """How far lines [first, last) may slide among their equals, and slide best."""
    up = down = 0
    while up < room[0] and lines[first - up - 1] == lines[last - up - 1]:
        up += 1
    while down < room[1] and lines[first + down] == lines[last + down]:
        down += 1
    return min(range(-up, down + 1), key=lambda shift: (*_place(lines, first + shift), -shift))


def _place(lines: Sequence[str], start: int) -> tuple[int, int]:
    """How odd it looks when a piece of code starts at this line: less is better."""
    line = lines[start]
    bare = line.strip()
    indent = len(line) - len(line.lstrip())
    if bare[:1] in (")", "]", "}") or bare in ("end", "else:", "else"):
        return 3, indent
    if not bare:
        return 1, 0
    return (0 if not start or not lines[start - 1].strip() else 2), indent

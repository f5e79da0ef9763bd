"""What a version of a text has that another version has not: only that is searched again.

Reads two texts; writes nothing. A history holds each file many times over.
"""

from collections.abc import Iterator, Sequence

from devtune.data.anchors import common_ends

MARGIN_LINES = 20
"""Around what changed, so that a rule sees a value together with what gives it away."""


def changed_part(text: str, known: str) -> str:
    """Return the lines of `text` that are not in `known`, with those around them.

    Where lines were only taken away or moved, those around the first such place. The whole of
    `text` where that is not much less.
    """
    num_before, num_after = common_ends(text, known)
    # The lines both begin and end with need no look at each of them.
    start = text.rfind("\n", 0, num_before) + 1
    end = text.find("\n", len(text) - num_after)
    end = len(text) if end < 0 else end
    same = set(known[start : len(known) - (len(text) - end)].split("\n"))
    first, last = _line_before(text, start), _line_after(text, end)
    before = text[first:start].split("\n")[:-1]
    between, after = text[start:end].split("\n"), text[end:last].split("\n")[1:]
    numbered = enumerate(between, len(before))
    places = [number for number, line in numbered if line not in same] or [len(before)]
    lines = [*before, *between, *after]
    pieces = [lines[one:other] for one, other in _stretches(places, len(lines))]
    part = "\n".join("\n".join(piece) for piece in pieces)
    return part if 2 * len(part) < len(text) else text


def _line_before(text: str, start: int) -> int:
    """Where the line begins that is a margin before the one that begins at `start`."""
    for _ in range(MARGIN_LINES):
        if start == 0:
            break
        start = text.rfind("\n", 0, start - 1) + 1
    return start


def _line_after(text: str, end: int) -> int:
    """Where the line ends that is a margin after the one that ends at `end`."""
    for _ in range(MARGIN_LINES):
        following = text.find("\n", end + 1)
        if following < 0:
            return len(text)
        end = following
    return end


def _stretches(places: Sequence[int], num_lines: int) -> Iterator[tuple[int, int]]:
    """Yield where lines and their margins start and end, overlapping ones as one."""
    start, end = max(places[0] - MARGIN_LINES, 0), 0
    for place in places:
        if place - MARGIN_LINES > end > 0:
            yield start, end
            start = place - MARGIN_LINES
        end = min(place + MARGIN_LINES + 1, num_lines)
    yield start, end

"""What a version of a text has that another version has not: only that is searched again.

Reads two texts; writes nothing. A history holds each file many times over.
"""

from collections.abc import Iterator, Sequence

MARGIN_LINES = 20
"""Around what changed, so that a rule sees a value together with what gives it away."""


def changed_part(text: str, known: str) -> str:
    """Return the lines of `text` that are not in `known`, with those around them.

    Where lines were only taken away or moved, those around the first such place. The whole of
    `text` where that is not much less.
    """
    lines, before = text.split("\n"), known.split("\n")
    same = set(before)
    places = [number for number, line in enumerate(lines) if line not in same]
    if not places:
        pairs = enumerate(zip(lines, before, strict=False))
        first = (number for number, (one, other) in pairs if one != other)
        places = [next(first, min(len(lines), len(before)))]
    pieces = [lines[start:end] for start, end in _stretches(places, len(lines))]
    if 2 * sum(map(len, pieces)) > len(lines):
        return text
    return "\n".join("\n".join(piece) for piece in pieces)


def _stretches(places: Sequence[int], num_lines: int) -> Iterator[tuple[int, int]]:
    """Yield where lines and their margins start and end, overlapping ones as one."""
    start, end = max(places[0] - MARGIN_LINES, 0), 0
    for place in places:
        if place - MARGIN_LINES > end > 0:
            yield start, end
            start = place - MARGIN_LINES
        end = min(place + MARGIN_LINES + 1, num_lines)
    yield start, end

"""What a version of a text has that a version before it had not: only that is searched again.

Reads two texts; writes nothing. A history holds each file many times over.
"""

MARGIN_CHARACTERS = 1024
"""Around what changed, so that a rule sees a value together with what gives it away."""


def changed_part(text: str, known: str) -> str:
    """Return the lines of `text` that differ from `known`, with those around them.

    The whole of `text` where that is not much less.
    """
    limit = min(len(text), len(known))
    start = _num_shared(text, known, limit)
    num_after = _num_shared_after(text, known, limit - start)
    first = text.rfind("\n", 0, max(start - MARGIN_CHARACTERS, 0)) + 1
    last = text.find("\n", len(text) - num_after + MARGIN_CHARACTERS)
    last = len(text) if last < 0 else last
    return text[first:last] if last - first < len(text) // 2 else text


def _num_shared(one: str, other: str, limit: int) -> int:
    """Characters both begin with; halving, since comparing slices is so much faster than a loop."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _num_shared_after(one: str, other: str, limit: int) -> int:
    """Characters both end with."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        sides = ((len(each) - middle, len(each) - low) for each in (one, other))
        (a, b), (c, d) = sides
        if one[a:b] == other[c:d]:
            low = middle
        else:
            high = middle - 1
    return low

"""Where in a text personal data may stand: a fast look for words and for shapes of numbers.

Reads texts; writes nothing. What is found here is only a place for a closer look.
"""

from collections.abc import Iterator, Mapping, Sequence

from ahocorasick_rs import BytesAhoCorasick, MatchKind

IBAN, CARD = "iban", "card"
_SHAPES = (
    ("AA00", IBAN),
    ("0" * 13, CARD),
    ("0000 0000", CARD),
    ("0000-0000", CARD),
    ("0000 000000", CARD),
    ("0000-000000", CARD),
)
_CLASSES = bytes(
    ord("0") if chr(each) in "0123456789" else ord("A") if 65 <= each <= 90 else each
    for each in range(256)
)
_FINDER = BytesAhoCorasick(
    [shape.encode("ascii") for shape, _ in _SHAPES], matchkind=MatchKind.LeftmostFirst
)


def one_byte_each(text: str) -> bytes:
    """Return a text with one byte for each character, so that places are the same in both."""
    return text.encode("latin-1", "replace")


def find_shapes(raw: bytes) -> Iterator[tuple[str, int]]:
    """Yield where account and card numbers may begin; `raw` is from `one_byte_each`."""
    for index, start, _ in _FINDER.find_matches_as_indexes(raw.translate(_CLASSES)):
        yield _SHAPES[index][1], start


class Keywords:
    """Words in lower case, each of a group, looked for whatever their case."""

    def __init__(self, groups: Mapping[str, Sequence[str]]) -> None:
        words = {one_byte_each(word): name for name, words in groups.items() for word in words}
        self._groups = list(words.values())
        # Of words that begin at one place the longest: a name of a host may hold a hint.
        self._finder = BytesAhoCorasick(list(words), matchkind=MatchKind.LeftmostLongest)

    def find(self, raw: bytes) -> Iterator[tuple[str, int, int]]:
        """Yield group, start and end of each; `raw` is from `one_byte_each`."""
        for index, start, end in self._finder.find_matches_as_indexes(raw.lower()):
            yield self._groups[index], start, end

"""A text as the set of its word n-grams, each a 64-bit number; all words of a text in a few passes.

Reads and writes nothing. Equal text gives equal numbers on every machine and in every version.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Hashes: TypeAlias = "NDArray[np.uint64]"
"""One-dimensional; of words in their order, or of a set, sorted and without repetitions."""
Bytes: TypeAlias = "NDArray[np.uint8]"
BLOCK_BYTES = 1 << 15
"""Bytes hashed at once: what that takes fits a processor's cache. No longer word is told whole."""
MULTIPLIER = 0x9E3779B97F4A7C15
"""Odd, so that it has an inverse modulo 2^64: 2^64 over the golden ratio."""
SPACE, WORD, OPERATOR = 0, 1, 2
SPELLED = re.compile(rb"[0-9A-Za-z_\x80-\xff]+")
NO_HASHES: Hashes = np.empty(0, np.uint64)


def _powers(base: int) -> Hashes:
    return np.cumprod(np.full(BLOCK_BYTES, base % 2**64, np.uint64))


def _class_of(byte: int) -> int:
    character = chr(byte)
    if byte >= 0x80 or character.isalnum() or character == "_":
        return WORD
    return SPACE if character.isspace() else OPERATOR


def _scattered(numbers: Hashes) -> Hashes:
    """Spread every bit over all 64 (the finaliser of splitmix64): a bijection."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


CLASSES = np.array([_class_of(byte) for byte in range(256)], np.uint8)
LETTERS = _scattered(np.arange(1, 257, dtype=np.uint64))
POWERS = _powers(MULTIPLIER)
INVERSES = _powers(pow(MULTIPLIER, -1, 2**64))


def words(text: str, *, operators: bool = True) -> Hashes:
    """Return one number a word: runs of letters, digits and `_`; runs of operators if asked for.

    Everything beyond ASCII counts as a letter.
    """
    found = [_words_of(block, operators) for block in _blocks(text)]
    return np.concatenate(found) if found else NO_HASHES


def spell(text: str) -> list[str]:
    """Return what `words` without operators counts as words, as text."""
    found = [word for block in _blocks(text) for word in SPELLED.findall(block.tobytes())]
    return [word.decode("utf-8", "replace") for word in found]


def _blocks(text: str) -> Iterator[Bytes]:
    """Cut between words wherever a word does not fill a whole block."""
    content = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    while len(content) > BLOCK_BYTES:
        classes = CLASSES[content[: BLOCK_BYTES + 1]]
        borders = np.flatnonzero(classes[1:] != classes[:-1])
        end = int(borders[-1]) + 1 if len(borders) else BLOCK_BYTES
        yield content[:end]
        content = content[end:]
    if len(content):
        yield content


def _words_of(block: Bytes, operators: bool) -> Hashes:
    """Hash all words at once: a polynomial over the bytes, as differences of its running sums."""
    classes = CLASSES[block]
    starts = np.concatenate(([0], np.flatnonzero(classes[1:] != classes[:-1]) + 1))
    ends = np.append(starts[1:], len(block)) - 1
    kinds = classes[starts]
    wanted = kinds != SPACE if operators else kinds == WORD
    starts, ends = starts[wanted], ends[wanted]
    values = LETTERS[block] * POWERS[: len(block)]
    sums = np.cumsum(values)
    return _scattered((sums[ends] - sums[starts] + values[starts]) * INVERSES[starts])


def fold(columns: Iterable[Hashes]) -> Hashes:
    """Return one number for each row of equally long columns; their order counts."""
    rows: Hashes = np.zeros(1, np.uint64)
    for column in columns:
        rows = (rows ^ (rows >> np.uint64(29))) * np.uint64(MULTIPLIER) + column
    return _scattered(rows)


def ngrams(hashes: Hashes, size: int) -> Hashes:
    """Return one number for each `size` words in a row, in their order; none if there are fewer."""
    count = len(hashes) - size + 1
    if count <= 0:
        return NO_HASHES
    return fold(hashes[offset : offset + count] for offset in range(size))


def shingles(text: str, ngram: int) -> Hashes:
    """Return the set of word n-grams of `text`, sorted; a shorter text is one shingle as a whole.

    A text without words has none.
    """
    hashes = words(text)
    return as_set(ngrams(hashes, min(ngram, len(hashes)))) if len(hashes) else NO_HASHES


def as_set(hashes: Hashes) -> Hashes:
    """Return them sorted and without repetitions."""
    ordered = np.sort(hashes)
    is_first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return ordered[is_first]


def jaccard(one: Hashes, other: Hashes) -> float:
    """Return what two sorted sets share of what they hold together; 0 when one is empty."""
    if not len(one) or not len(other):
        return 0.0
    both: Any = np.sort(np.concatenate((one, other)), kind="stable")
    shared = int(np.count_nonzero(both[1:] == both[:-1]))
    return shared / (len(both) - shared)


def are_alike(one: Hashes, other: Hashes, min_jaccard: float) -> bool:
    """Whether two sorted sets reach a similarity; sets of too different sizes are not compared."""
    small, large = sorted((len(one), len(other)))
    return small >= min_jaccard * large and jaccard(one, other) >= min_jaccard

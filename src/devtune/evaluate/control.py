"""Values that were never planted: random ones of a canary's shape, to rank it among.

Reads and writes nothing. The same value has the same controls in every run.
"""

import hashlib
import math
import random
import re
import string
from collections.abc import Sequence

MIN_BITS = 20.0
"""Of a canary's shape: a value of fewer possibilities is guessed without any model."""
MIN_HEX_CHARACTERS = 8
_KIND = re.compile(r"(?:[A-Za-z]{1,10}[_-]){1,3}")
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")


def alphabets(value: str, fixed: int | None) -> list[str]:
    """Return the characters that each position of a value of this shape may have.

    A digit stands for all digits, an ASCII letter for all letters of its case (those of
    hexadecimal numbers if the value is one); everything else, and the first `fixed` characters,
    for itself. Without `fixed` these are a kind written before the value, as in `ghp_` or
    `sk-live-`.
    """
    if fixed is None:
        kind = _KIND.match(value)
        fixed = kind.end() if kind else 0
    varied = "".join(each for each in value[fixed:] if each.isascii() and each.isalnum())
    is_hex = (
        len(varied) >= MIN_HEX_CHARACTERS
        and _HEX.fullmatch(varied) is not None
        and not varied.isdigit()
        and not varied.isalpha()
    )
    letters = "abcdef" if is_hex else string.ascii_lowercase
    return [*value[:fixed], *(_alike(each, letters) for each in value[fixed:])]


def _alike(character: str, letters: str) -> str:
    for alphabet in (string.digits, letters, letters.upper()):
        if character in alphabet:
            return alphabet
    return character


def bits(shape: Sequence[str]) -> float:
    """Binary logarithm of how many values have this shape."""
    return sum(math.log2(len(each)) for each in shape)


def controls(value: str, shape: Sequence[str], count: int) -> list[str]:
    """Draw `count` values of the shape, all different and none of them `value`."""
    source = random.Random(hashlib.sha256(value.encode()).digest())
    drawn = {value: None}
    while len(drawn) <= count:
        drawn["".join(map(source.choice, shape))] = None
    return list(drawn)[1:]

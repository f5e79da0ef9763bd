"""Names of code read as words, in whatever spelling.

Reads and writes nothing.
"""

import re
from functools import lru_cache

_TEST_WORDS = frozenset(("spec", "specs", "test", "testing", "tests"))
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@lru_cache(65_536)
def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case: `HTTPServer` and `http_server` are the same."""
    return tuple(each.lower() for each in _WORD.findall(name))


def is_test_path(path: str) -> bool:
    """Whether a file stands among tests, or is called like one."""
    return any(each in _TEST_WORDS for each in words_of(path))


def contains(words: tuple[str, ...], part: tuple[str, ...]) -> bool:
    """Whether `part` stands in `words` in one piece; an empty one does not."""
    length = len(part)
    return length > 0 and any(
        words[start : start + length] == part for start in range(len(words) - length + 1)
    )

"""Formats of providers' credentials, each with a hint that must be there before it is tried.

Reads nothing, writes nothing. A row of the tables: kind, hints in lower case, how many
characters before its hint the format begins, regular expression.
"""

import re
from dataclasses import dataclass
from functools import cache

from devtune.data.privacy import formats_platforms, formats_services

SHAPE = "API_KEY"
"""Kind of the shapes many providers share; words may have them too, so the value must be rare."""


@dataclass(frozen=True, slots=True)
class Format:
    """How a credential is written; group 1 is the secret where not all of it is."""

    kind: str
    hints: tuple[str, ...]
    """In lower case; one of them stands in each credential."""
    num_before: int
    """How many characters before its hint a credential begins."""
    is_at_most: bool
    """Whether `num_before` is a limit only; in the table such numbers begin with `~`."""
    pattern: re.Pattern[str]


# A word may end where an escape of the text around it does (`\\n`, `%3D`).
_START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-F]{2}))"
_END = r"(?![A-Za-z0-9])"
WORD_START = re.compile(_START)
_CHOICE = re.compile(r"\[([^\]]+)\]")


@cache
def formats() -> tuple[Format, ...]:
    """Return all formats, in the order of the table."""
    tables = (formats_platforms.TABLE, formats_services.TABLE)
    return tuple(_read(line) for table in tables for line in table.strip().splitlines())


def _read(line: str) -> Format:
    kind, hints, num_before, pattern = line.split(None, 3)
    written = tuple(each for hint in hints.split(",") for each in _spelled_out(hint))
    compiled = re.compile(f"{_START}(?:{pattern}){_END}")
    return Format(kind, written, int(num_before.lstrip("~")), num_before[0] == "~", compiled)


def _spelled_out(hint: str) -> list[str]:
    """`gh[pou]_` -> `ghp_`, `gho_`, `ghu_`; ranges such as `[a-z]` as well."""
    choice = _CHOICE.search(hint)
    if choice is None:
        return [hint]
    letters = re.sub(r"(.)-(.)", lambda span: _between(span[1], span[2]), choice[1])
    rest = _spelled_out(hint[choice.end() :])
    return [f"{hint[: choice.start()]}{each}{end}" for each in letters for end in rest]


def _between(first: str, last: str) -> str:
    return "".join(map(chr, range(ord(first), ord(last) + 1)))

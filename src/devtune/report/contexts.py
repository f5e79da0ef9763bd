"""Replacements as they stand in the corpus, with the lines around them.

Reads the rows of `corpus/` that hold texts, in which nothing is left that was found; writes
nothing. Rows stream: memory holds one, and what is shown.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import orjson
from ahocorasick_rs import BytesAhoCorasick

from devtune.data.privacy.marking import PLACEHOLDER
from devtune.data.privacy.places import TEXTS
from devtune.data.writing import FILES
from devtune.errors import DevtuneError
from devtune.records import Redaction

NUM_LINES = 3
"""Shown before and after."""
MAX_LINE = 160
"""Characters shown of a line, and on either side of the replacement."""


class Bit(NamedTuple):
    """A run of text that is a placeholder, or is not."""

    text: str
    is_placeholder: bool


class Context(NamedTuple):
    """One replacement, and the text around it."""

    row: Redaction
    bits: list[Bit]


def read_contexts(corpus: Path, wanted: Sequence[Redaction]) -> list[Context]:
    """Return each of `wanted` in the first text that holds it, in their order."""
    left = {(row.placeholder, row.source, row.path): row for row in wanted}
    found: dict[Redaction, Context] = {}
    for source, path, text in _texts(corpus, {row.placeholder for row in wanted}):
        for key in [key for key in left if key[1:] == (source, path)]:
            if bits := _excerpt(text, key[0]):
                row = left.pop(key)
                found[row] = Context(row, bits)
        if not left:
            break
    return [found[row] for row in wanted if row in found]


def _texts(corpus: Path, placeholders: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Source, path and text of all rows that may hold one of them."""
    finder = BytesAhoCorasick(sorted(each.encode() for each in placeholders))
    for kind, name in FILES.items():
        with (corpus / name).open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not finder.find_matches_as_indexes(line):
                    continue
                try:
                    texts = list(TEXTS[kind](orjson.loads(line)))
                except (ValueError, KeyError, TypeError):
                    raise DevtuneError(
                        f"{corpus / name}:{number}: damaged; move {corpus} away and run collect"
                        " again"
                    ) from None
                yield from ((each.source, each.path, each.text) for each in texts)


def _excerpt(text: str, placeholder: str) -> list[Bit]:
    """Cut the lines around the first place of `placeholder`; nothing where it has none."""
    match = re.search(re.escape(placeholder) + "(?![0-9a-f])", text)
    if match is None:
        return []
    first = text.rfind("\n", 0, match.start()) + 1
    last = text.find("\n", match.end())
    last = len(text) if last < 0 else last
    before = text[:first].split("\n")[-NUM_LINES - 1 : -1]
    after = text[last + 1 :].split("\n", NUM_LINES)[:NUM_LINES] if last < len(text) else []
    head, tail = text[first : match.start()], text[match.end() : last]
    line = _end(head) + match[0] + _start(tail)
    return list(_bits("\n".join((*map(_start, before), line, *map(_start, after)))))


def _start(line: str) -> str:
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]}…"


def _end(line: str) -> str:
    return line if len(line) <= MAX_LINE else f"…{line[-MAX_LINE:]}"


def _bits(text: str) -> Iterator[Bit]:
    done = 0
    for match in PLACEHOLDER.finditer(text):
        yield Bit(text[done : match.start()], is_placeholder=False)
        yield Bit(match[0], is_placeholder=True)
        done = match.end()
    yield Bit(text[done:], is_placeholder=False)

"""The part of a file a sample is made of: which lines, and who wrote them.

Reads and writes nothing but what it is handed.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from devtune.data.code.module import Span
from devtune.data.families.deltas import Delta
from devtune.records import AuthorShare, BlameRun, Provenance, SourceFile


def part_of(row: SourceFile, first: int, end: int) -> Provenance:
    """Return where lines [first, end) of a file came from; lines end in line feeds."""
    shares = shares_of(row.blame, first + 1, end)
    return replace(row.provenance, first_line=first + 1, last_line=end, authors=shares)


def parsed_part(row: SourceFile, span: Span) -> Provenance:
    """Return where a span of a parsed file came from, in which every line end counts."""
    starts = _starts(row.text)
    if starts is None:
        return part_of(row, span.start, span.end)
    # The classic Mac ended lines in what git takes for a character.
    return part_of(row, starts[span.start], starts[span.end - 1] + 1)


@lru_cache(maxsize=1)
def _starts(text: str) -> list[int] | None:
    """Return the line each line of a parsed text starts on; None where that is always the same."""
    if "\r" not in text or "\r" not in (plain := text.replace("\r\n", "\n")):
        return None
    starts = [0]
    for found in re.finditer("[\r\n]", plain):
        starts.append(starts[-1] + (found[0] == "\n"))
    return starts


def excerpted(*pieces: tuple[SourceFile, Span]) -> tuple[str, ...]:
    """Name what is done to pieces of parsed files that are moved to the left margin."""
    is_moved = any(_lines(row.text)[span.start][:1].isspace() for row, span in pieces)
    return ("excerpt", "dedented") if is_moved else ("excerpt",)


@lru_cache(maxsize=8)
def _lines(text: str) -> list[str]:
    text = text.removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def changed_part(delta: Delta) -> Provenance:
    """Return where an edit came from, with the lines that change: the new ones if there are any."""
    new = [(c, d) for _, _, c, d in delta.hunks if c < d]
    lines = new or [(a, b) for a, b, _, _ in delta.hunks]
    first, last = min(each[0] for each in lines), max(each[1] for each in lines)
    return replace(delta.provenance, first_line=first + 1, last_line=last)


def shares_of(runs: Sequence[BlameRun], first: int, last: int) -> tuple[AuthorShare, ...]:
    """Return how much of lines [first, last], from 1, each author wrote, the most first."""
    counts: Counter[str] = Counter()
    start = max(bisect_right(runs, first, key=lambda run: run.first_line) - 1, 0)
    for run in runs[start:]:
        if run.first_line > last:
            break
        end = run.first_line + run.num_lines - 1
        counts[run.author] += max(min(end, last) - max(run.first_line, first) + 1, 0)
    total = counts.total()
    ranked = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return tuple(AuthorShare(author, round(count / total, 4)) for author, count in ranked if count)

"""Fill in the middle of a real block: an indented block is cut out of a file and asked for.

Reads the code files of a corpus; writes nothing.
"""

import hashlib
import re
from collections.abc import Iterator, Set
from itertools import chain

from devtune.data.corpus import (
    Corpus,
    Made,
    Passage,
    Yield,
    make_sample,
    passage_of,
    reject,
    split_lines,
)
from devtune.data.languages import fenced, language_of
from devtune.data.prompts import Prompt
from devtune.pipeline import FillInTheMiddle

Span = tuple[int, int]
"""Lines [start, end) of a block, counted from 0."""
_DOCSTRING = re.compile(r"""\s*([rRuU]?(\"{3}|'{3})|/\*\*|\*(\s|/|$))""")


def fill_in_the_middle(step: FillInTheMiddle, corpus: Corpus) -> Yield:
    """Yield samples for the blocks of each code file that a hash of their text picks."""
    prompt = Prompt(step.prompt)
    trained = _trained_blocks(step, corpus)
    for file in chain(corpus.files("train"), corpus.files("held_out")):
        where = file.provenance
        language = language_of(where.path)
        if not language:
            continue
        lines = split_lines(file.text)
        spans = list(_chosen(step, lines, trained if file.split == "held_out" else frozenset()))
        if not spans:
            yield reject("no_suitable_block", where)
        for start, end in spans:
            first, last = max(start - step.context_lines, 0), end + step.context_lines
            request = prompt.render(
                {
                    "path": where.path,
                    "language": language,
                    "before": "".join(lines[first:start]).rstrip("\n"),
                    "after": "".join(lines[end:last]).rstrip("\n"),
                }
            )
            answer = fenced("".join(lines[start:end]).rstrip("\n"), language)
            yield Made(file.split, make_sample(step.type, request, answer, where))


def _trained_blocks(step: FillInTheMiddle, corpus: Corpus) -> set[Passage]:
    """Return the blocks of held-out files that also stand in a text that is trained on."""
    return corpus.find_trained(
        passage_of("".join(lines[start:end]))
        for file in corpus.files("held_out")
        if language_of(file.provenance.path)
        for lines in (split_lines(file.text),)
        for start, end in blocks(lines, step.min_lines, step.max_lines)
    )


def _chosen(step: FillInTheMiddle, lines: list[str], trained: Set[Passage]) -> Iterator[Span]:
    """Yield disjoint blocks in the order of their hashes, none of them in `trained`."""
    ranked = sorted(
        (hashlib.sha256("".join(lines[start:end]).encode()).hexdigest(), start, end)
        for start, end in blocks(lines, step.min_lines, step.max_lines)
    )
    taken: list[Span] = []
    for _, start, end in ranked:
        if len(taken) == step.per_file:
            return
        if trained and passage_of("".join(lines[start:end])) in trained:
            continue
        if any(start < other_end and other_start < end for other_start, other_end in taken):
            continue
        taken.append((start, end))
        yield start, end


def blocks(lines: list[str], min_lines: int, max_lines: int) -> Iterator[Span]:
    """Spans of lines that stand deeper than the line above them, in any language.

    The header stays visible; trailing blank lines belong to what follows.
    """
    depths = [_depth(line) for line in lines]
    for header, depth in enumerate(depths[:-1]):
        start = header + 1
        if depth is None or (depths[start] or 0) <= depth:
            continue
        end = start
        while end < len(lines) and ((each := depths[end]) is None or each > depth):
            end += 1
        while end > start and depths[end - 1] is None:
            end -= 1
        if min_lines <= end - start <= max_lines and not _is_docstring(lines[start]):
            yield start, end


def _depth(line: str) -> int | None:
    """Columns of indentation, a tab being eight; None for a blank line."""
    stripped = line.strip()
    if not stripped:
        return None
    expanded = line.expandtabs(8)
    return len(expanded) - len(expanded.lstrip())


def _is_docstring(line: str) -> bool:
    return _DOCSTRING.match(line) is not None

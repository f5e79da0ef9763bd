"""Fill in the middle of a real block: whole statements are cut out of a file and asked for.

Reads the graph of a corpus and rows of it; writes nothing.
"""

import hashlib
import re
from collections.abc import Iterator

from devtune.data.code.facts import Entry, Place
from devtune.data.code.module import Span
from devtune.data.code.statements import find_statements
from devtune.data.corpus import Made, Yield, reject, split_lines
from devtune.data.families.context import Context
from devtune.data.families.requests import make_talk
from devtune.data.families.stretches import part_of
from devtune.data.families.surroundings import Shown, find_callers, find_definitions, unique
from devtune.data.languages import fenced
from devtune.records import Change, Message, Replay, SourceFile
from devtune.steps.families import FillInTheMiddle

_DOCSTRING = re.compile(r"""\s*([rRuU]?(\"{3}|'{3})|/\*\*|\*(\s|/|$))""")


def fill_in_the_middle(
    step: FillInTheMiddle, row: SourceFile | Change | Replay, context: Context
) -> Yield:
    """Yield samples for the blocks of a code file that a hash of their text picks."""
    if not isinstance(row, SourceFile) or not row.language:
        return
    text = row.text.removeprefix("\ufeff").replace("\r\n", "\n")
    lines = split_lines(text)
    spans = list(_chosen(step, text, row.language, lines))
    if not spans:
        yield reject("no_suitable_block", row.provenance)
        return
    place = context.graph.place(row) if step.repository_context else None
    entries = context.graph.entries(place) if place else []
    for span in spans:
        around = [
            each
            for each in entries
            if each.kind == "function" and each.span.start <= span.start < each.span.end
        ]
        yield _ask(step, row, lines, span, context, place, around[0] if around else None)


def _ask(
    step: FillInTheMiddle,
    row: SourceFile,
    lines: list[str],
    span: Span,
    context: Context,
    place: Place | None,
    function: Entry | None,
) -> Made:
    where, limit = row.provenance, step.repository_context
    definitions: list[Shown] = []
    callers: list[Shown] = []
    if place:
        definitions = find_definitions(context.graph, place, function, row.split, limit)
    if function:
        callers = find_callers(context.graph, function, row.split, limit)
    block = "".join(lines[span.start : span.end]).removesuffix("\n")
    values = {
        "path": where.path,
        "language": row.language,
        "before": "".join(lines[max(span.start - step.context_lines, 0) : span.start]).removesuffix(
            "\n"
        ),
        "after": "".join(lines[span.end : span.end + step.context_lines]).removesuffix("\n"),
        "definitions": definitions,
        "callers": callers,
    }
    key = f"{step.type} {where.source} {where.path} {span.start} {block}"
    messages = (
        Message("user", context.prompt.render(values, key)),
        Message("assistant", fenced(block, row.language)),
    )
    shown = (each.provenance for each in (*definitions, *callers))
    places = unique((part_of(row, span.start, span.end), *shown))
    done = ("excerpt", "block_removed")
    return Made(row.split, make_talk(step.type, messages, places, transformations=done), (block,))


def _chosen(step: FillInTheMiddle, text: str, language: str, lines: list[str]) -> Iterator[Span]:
    """Yield disjoint blocks in the order of their hashes."""
    found = find_statements(text, language, step.min_lines, step.max_lines)
    if found is None:
        found = indented_blocks(lines, step.min_lines, step.max_lines)
    ranked = sorted(
        (
            hashlib.sha256("".join(lines[span.start : span.end]).encode()).hexdigest(),
            span.start,
            span,
        )
        for span in found
        if not _DOCSTRING.match(lines[span.start])
    )
    taken: list[Span] = []
    for _, _, span in ranked:
        if len(taken) == step.per_file:
            return
        if not any(span.start < other.end and other.start < span.end for other in taken):
            taken.append(span)
            yield span


def indented_blocks(lines: list[str], min_lines: int, max_lines: int) -> Iterator[Span]:
    """Yield the lines that stand deeper than the line above them, in any language.

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
        if min_lines <= end - start <= max_lines:
            yield Span(start, end)


def _depth(line: str) -> int | None:
    """Columns of indentation, a tab being eight; None for a blank line."""
    stripped = line.strip()
    if not stripped:
        return None
    expanded = line.expandtabs(8)
    return len(expanded) - len(expanded.lstrip())

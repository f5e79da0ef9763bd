"""Whole statements and bodies of a file, as lines: what a writer would write in one go.

Reads and writes nothing. The languages are those with a grammar; the rest have indentation only.
"""

import importlib
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from devtune.data.code.grammars import GRAMMARS
from devtune.data.code.module import Span

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_BODIES = frozenset(
    ("block", "block_body", "body_statement", "class_body", "compound_statement",
     "constructor_body", "declaration_list", "do", "do_block", "else", "enum_body",
     "field_declaration_list", "interface_body", "statement_block", "statement_list", "then")
)  # fmt: skip
"""Nodes whose children are statements or members, in any of the grammars."""


def find_statements(
    text: str, language: str, min_lines: int, max_lines: int
) -> Iterator[Span] | None:
    """Yield bodies, single statements and ends of bodies that fill their lines and fit.

    Neither a docstring nor a comment is the start of one. Returns None for a language without a
    grammar.
    """
    if language not in GRAMMARS:
        return None
    source = text.encode("utf-8", "surrogatepass")
    return _find(_parser(language).parse(source).root_node, source, min_lines, max_lines)


@cache
def _parser(language: str) -> "Parser":
    from tree_sitter import Language, Parser

    grammar = GRAMMARS[language]
    pointer: object = getattr(importlib.import_module(grammar.package), grammar.entry)()
    return Parser(Language(pointer))


def _find(root: "Node", source: bytes, min_lines: int, max_lines: int) -> Iterator[Span]:
    lines = source.split(b"\n")
    seen: set[Span] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if _last_line(node) - node.start_point.row + 1 < min_lines:
            continue
        stack.extend(reversed(node.children))
        for span in _spans(node, lines) if node.type in _BODIES else ():
            if min_lines <= span.end - span.start <= max_lines and span not in seen:
                seen.add(span)
                yield span


def _spans(body: "Node", lines: list[bytes]) -> Iterator[Span]:
    """Yield each statement of a body alone, and each with all that follow it."""
    own = [each for each in body.named_children if not each.has_error]
    if len(own) < len(body.named_children):
        return
    if own and _is_docstring(own[0]):
        own = own[1:]
    filling = [
        each
        for each in own
        if each.type not in _BODIES and "comment" not in each.type and _fills(each, each, lines)
    ]
    for each in filling:
        yield Span(each.start_point.row, _last_line(each) + 1)
    for each in filling:
        if _fills(each, own[-1], lines):
            yield Span(each.start_point.row, _last_line(own[-1]) + 1)


def _is_docstring(node: "Node") -> bool:
    child = node.named_children[0] if len(node.named_children) == 1 else None
    return node.type == "expression_statement" and child is not None and child.type == "string"


def _fills(first: "Node", last: "Node", lines: list[bytes]) -> bool:
    """Whether nothing else stands on the first and the last line."""
    before = lines[first.start_point.row][: first.start_point.column]
    row, column = last.end_point.row, last.end_point.column
    after = lines[row][column:] if row < len(lines) else b""
    return not before.strip() and (column == 0 or not after.strip(b" \t\r\f;,"))


def _last_line(node: "Node") -> int:
    """Return the last line a node has characters on."""
    end = node.end_point
    return end.row - 1 if end.column == 0 and end.row > node.start_point.row else end.row

"""Import statements of a file.

Reads and writes nothing.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import TYPE_CHECKING

from devtune.data.code.captures import Captures, last_row
from devtune.data.code.module import Import, Span

if TYPE_CHECKING:
    from tree_sitter import Node

_QUOTES = "\"'`<> \t"


def imports_of(captures: Captures) -> Iterator[Import]:
    """Yield each import; a statement that names several modules is as many imports."""
    modules, bound = captures.get("module"), captures.get("bound")
    required = captures.get("required")
    for statement in captures.get("import"):
        names = [captures.text(each) for each in _inside(required, statement)]
        if names and names[0] not in captures.grammar.requires:
            continue
        span = Span(statement.start_point.row, last_row(statement) + 1)
        inside = [captures.text(each).strip(_QUOTES) for each in _inside(modules, statement)]
        names = tuple(captures.text(each) for each in _inside(bound, statement))
        for module in inside:
            yield Import(module, names if len(inside) == 1 else (), span)


def _inside(nodes: "list[Node]", statement: "Node") -> "list[Node]":
    first = bisect_left(nodes, statement.start_byte, key=lambda node: node.start_byte)
    end = bisect_left(nodes, statement.end_byte, first, key=lambda node: node.start_byte)
    return nodes[first:end]

"""Runs a language's grammar and query over a text, and gives the nodes that were named.

Reads the compiled grammar; writes nothing. A grammar is loaded once a process, when asked for.
"""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from devtune.data.code.grammars import GRAMMARS, Grammar

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Query


@dataclass(frozen=True, slots=True)
class Captures:
    """Nodes of one text by the name the query gives them, each in order of the text."""

    grammar: Grammar
    data: bytes
    lines: list[bytes]
    """`data` split at line ends, which are left out."""
    nodes: "dict[str, list[Node]]"
    has_errors: bool

    def get(self, name: str) -> "list[Node]":
        """Return the nodes captured as `name`, none twice."""
        return list({node.id: node for node in self.nodes.get(name, ())}.values())

    def text(self, node: "Node") -> str:
        """Return what `node` covers, as written."""
        return self.slice(node.start_byte, node.end_byte)

    def slice(self, start: int, end: int) -> str:
        """Return the text between two byte offsets."""
        return self.data[start:end].decode(errors="replace")


def capture(text: str, language: str) -> Captures | None:
    """Parse `text`; None when there is no grammar for `language`.

    Line ends become `\\n`; what cannot be encoded becomes `?`.
    """
    grammar = GRAMMARS.get(language)
    if grammar is None:
        return None
    from tree_sitter import Parser, QueryCursor

    known, query = _loaded(language)
    data = text.removeprefix("\ufeff").replace("\r\n", "\n").encode(errors="replace")
    root = Parser(known).parse(data).root_node
    nodes = QueryCursor(query).captures(root)
    for each in nodes.values():
        each.sort(key=_place)
    return Captures(grammar, data, data.split(b"\n"), nodes, root.has_error)


def shape(node: "Node") -> Iterator[tuple[int, int]]:
    """Yield kind and depth of everything in `node` but comments; never recurses."""
    cursor = node.walk()
    while True:
        here = cursor.node
        is_seen = here is not None and not here.is_extra
        if here is not None and is_seen:
            yield here.kind_id, cursor.depth
        if is_seen and cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def sole_statement(data: bytes, language: str) -> "Node | None":
    """Parse `data` and return its only statement; None when it is not a single one."""
    from tree_sitter import Parser

    root = Parser(_loaded(language)[0]).parse(data).root_node
    found = [each for each in root.named_children if not each.is_extra]
    return found[0] if len(found) == 1 and not root.has_error else None


def last_row(node: "Node") -> int:
    """Return the row of the last character; a node may swallow the line end after it."""
    row, column = node.end_point
    return row - 1 if column == 0 and node.end_byte > node.start_byte else row


def _place(node: "Node") -> tuple[int, int]:
    return node.start_byte, -node.end_byte


@cache
def _loaded(language: str) -> "tuple[Language, Query]":
    from tree_sitter import Language, Query

    grammar = GRAMMARS[language]
    pointer: object = getattr(importlib.import_module(grammar.package), grammar.entry)()
    known = Language(pointer)
    return known, Query(known, grammar.query)

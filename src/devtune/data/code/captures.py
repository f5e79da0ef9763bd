"""Runs a language's grammar and query over a text, and gives the nodes that were named.

Reads the compiled grammar; writes nothing. A grammar is loaded once a process, when asked for.
"""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from devtune.data.code.grammar import Grammar
from devtune.data.code.grammars import GRAMMARS

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Query

_STEPS_PER_BYTE = 3.0
"""Real code takes 0.5 at the median and at most 2.2, where it is minified."""
_FREE_STEPS = 10_000
_STEPS_PER_CALL = 100
"""Steps of the parser between two calls of its progress callback."""

_OPEN_MATCHES = 256
"""Half-found matches the query keeps: their number grows with nesting, and its cost with them."""


@dataclass(frozen=True, slots=True)
class Captures:
    """What the query of a language found in one text."""

    grammar: Grammar
    data: bytes
    lines: list[bytes]
    """`data` split at line ends, which are left out."""
    nodes: "dict[str, list[Node]]"
    """By the name of the capture, in no order."""
    has_errors: bool

    def get(self, name: str) -> "list[Node]":
        """Return the nodes captured as `name` in order of the text, none twice."""
        found = {(node.start_byte, node.end_byte): node for node in self.nodes.get(name, ())}
        return [found[place] for place in sorted(found)]

    def text(self, node: "Node") -> str:
        """Return what `node` covers, as written."""
        return self.slice(node.start_byte, node.end_byte)

    def slice(self, start: int, end: int) -> str:
        """Return the text between two byte offsets."""
        return self.data[start:end].decode(errors="replace")


def capture(text: str, language: str) -> Captures | None:
    r"""Parse `text`; None when there is no grammar for `language`.

    Line ends become `\n`; what cannot be encoded becomes `?`.
    """
    grammar = GRAMMARS.get(language)
    if grammar is None:
        return None
    from tree_sitter import QueryCursor

    known, query = _loaded(language)
    data = text.removeprefix("\ufeff").replace("\r\n", "\n").encode(errors="replace")
    root = _root(known, data)
    if root is None:
        return Captures(grammar, data, data.split(b"\n"), {}, True)
    nodes = QueryCursor(query, match_limit=_OPEN_MATCHES).captures(root)
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
    root = _root(_loaded(language)[0], data)
    if root is None:
        return None
    found = [each for each in root.named_children if not each.is_extra]
    return found[0] if len(found) == 1 and not root.has_error else None


def last_row(node: "Node") -> int:
    """Return the row of the last character; a node may swallow the line end after it."""
    row, column = node.end_point
    return row - 1 if column == 0 and node.end_byte > node.start_byte else row


def _root(language: "Language", data: bytes) -> "Node | None":
    """Return the root of the tree; None when looking for it takes too many steps.

    Text that is not of the language can cost a number of steps that grows with its square.
    A tree read through a function must not be asked for text: no `Node.text`, no predicates.
    """
    from tree_sitter import Parser

    steps = _FREE_STEPS + int(len(data) * _STEPS_PER_BYTE)
    view = memoryview(data)

    def is_over(_offset: int, _has_error: bool) -> bool:
        nonlocal steps
        steps -= _STEPS_PER_CALL
        return steps < 0

    try:
        tree = Parser(language).parse(lambda at, _: view[at:], progress_callback=is_over)
    except ValueError:
        return None
    return tree.root_node


@cache
def _loaded(language: str) -> "tuple[Language, Query]":
    from tree_sitter import Language, Query

    grammar = GRAMMARS[language]
    pointer: object = getattr(importlib.import_module(grammar.package), grammar.entry)()
    known = Language(pointer)
    return known, Query(known, grammar.query)

"""One function cut out of its file and moved to the left margin.

Reads and writes nothing. A line that begins inside a literal is never touched.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devtune.data.code.captures import Captures, last_row, shape, sole_statement
from devtune.data.code.comments import Margin, docstring_text, without_marks
from devtune.data.code.module import Call, Function, Span
from devtune.data.code.naming import parameters_of

if TYPE_CHECKING:
    from tree_sitter import Node

_REST_OF_OPENING = re.compile(rb"\s*((//|#(?!\[)).*)?$")
_REST_OF_CLOSING = re.compile(rb"[\s;,]*((//|#|/\*).*)?$")
_CAPITALS = range(ord("A"), ord("Z") + 1)
_BLANK = re.compile(rb"[ \t\f]*")


@dataclass(frozen=True, slots=True)
class _Cut:
    """Lines [start, end) of a file as they stand at the left margin."""

    start: int
    code: int
    """Row where the code begins, after the comments above it."""
    lines: list[bytes]
    documented: frozenset[int]
    """Rows of documentation."""
    is_doubtful: bool
    """Whether a line was left where it is, so that indentation may mean something else now."""

    def joined(self, first: int, end: int) -> str:
        """Return rows [first, end) but the documentation."""
        kept = self.lines[first - self.start : end - self.start]
        if self.documented:
            rows = enumerate(kept, first)
            kept = [line for row, line in rows if row not in self.documented]
        return b"\n".join(kept).decode(errors="replace")


class Excerpts:
    """The functions of one file."""

    def __init__(self, captures: Captures, language: str, margin: Margin) -> None:
        self._captures = captures
        self._language = language
        self._margin = margin
        self._docstrings = {each.start_byte: each for each in captures.get("docstring")}
        data = captures.data
        calls = captures.get("call")
        calls += [each for each in captures.get("written") if data.startswith(b"(", each.end_byte)]
        calls += [each for each in captures.get("element") if data[each.start_byte] in _CAPITALS]
        calls.sort(key=_start)
        self._calls = calls
        self._call_starts = [each.start_byte for each in calls]
        self._literals = [
            (each.start_point.row, last_row(each))
            for each in captures.get("literal")
            if captures.data.find(b"\n", each.start_byte, each.end_byte) >= 0
        ]
        grammar = captures.grammar
        self._test_name = re.compile(grammar.test_name)
        self._test_mark = re.compile(grammar.test_mark, re.MULTILINE)

    def docstring(self, body: "Node | None") -> "Node | None":
        """Return the documentation inside a body when it has its lines to itself."""
        node = self._docstrings.get(body.start_byte) if body is not None else None
        if node is None or not docstring_text(self._captures.text(node)):
            return None
        row, column = node.start_point
        end_row, end_column = node.end_point
        lines = self._captures.lines
        if lines[row][:column].strip() or lines[end_row][end_column:].strip():
            return None
        return node

    def function(
        self, whole: "Node", core: "Node", body: "Node", name: str, is_case: bool
    ) -> Function | None:
        """Return the function that `whole` is; None when it cannot stand on its own."""
        captures, margin = self._captures, self._margin
        code, column = whole.start_point
        above = margin.above(code)
        docstring = self.docstring(body)
        end = last_row(whole) + 1
        if captures.lines[code][:column].strip() or not self._ends(whole, end):
            return None
        if docstring is not None and all(each.is_extra for each in body.named_children[1:]):
            return None
        comments = [each for each in above if each.is_comment]
        documented = {row for each in comments for row in range(each.start, each.end)}
        if docstring is not None:
            documented.update(range(docstring.start_point.row, last_row(docstring) + 1))
        cut = self._cut(above[0].start if above else code, code, end, frozenset(documented))
        if cut.is_doubtful and not self._means_the_same(cut, whole):
            return None
        documentation = without_marks([each.text for each in comments])
        if docstring is not None:
            documentation = docstring_text(captures.text(docstring))
        signature, rest = _signature(captures, cut, *_opening(captures, core, body))
        parameters, is_typed = parameters_of(captures, core)
        return Function(
            name=name.rpartition(".")[2],
            qualified_name=name,
            span=Span(cut.start, end),
            signature=signature,
            documentation=documentation,
            body=rest,
            text=b"\n".join(cut.lines).decode(errors="replace"),
            bare=_bare(cut, docstring),
            parameters=() if is_case else parameters,
            calls=self._calls_in(body),
            has_types=is_typed or captures.grammar.is_always_typed,
            is_test=is_case or self._is_test(name, signature, documentation),
        )

    def _ends(self, whole: "Node", end: int) -> bool:
        """Whether nothing but punctuation and a comment follows on the last line."""
        row, column = whole.end_point
        if row == end:
            return True
        return _REST_OF_CLOSING.match(self._captures.lines[row], column) is not None

    def _cut(self, start: int, code: int, end: int, documented: frozenset[int]) -> _Cut:
        lines = self._captures.lines[start:end]
        found = _BLANK.match(lines[code - start])
        indent = found.group() if found else b""
        if not indent:
            return _Cut(start, code, lines, documented, is_doubtful=False)
        kept = self._inside_literals(code, end) - documented
        is_doubtful = bool(kept)
        for row in range(start, end):
            line = lines[row - start]
            if row in kept:
                continue
            if line.startswith(indent):
                lines[row - start] = line[len(indent) :]
            elif not line.strip():
                lines[row - start] = b""
            elif row not in documented:
                is_doubtful = True
        is_doubtful = is_doubtful and self._captures.grammar.is_indented
        return _Cut(start, code, lines, documented, is_doubtful)

    def _inside_literals(self, start: int, end: int) -> set[int]:
        """Return the rows of [start, end) that begin inside a literal."""
        inside: set[int] = set()
        first = bisect_left(self._literals, (start, 0))
        last = bisect_left(self._literals, (end, 0), first)
        for literal_start, literal_end in self._literals[first:last]:
            inside.update(range(literal_start + 1, literal_end + 1))
        return inside

    def _means_the_same(self, cut: _Cut, whole: "Node") -> bool:
        alone = sole_statement(b"\n".join(cut.lines[cut.code - cut.start :]), self._language)
        return alone is not None and list(shape(alone)) == list(shape(whole))

    def _calls_in(self, body: "Node") -> tuple[Call, ...]:
        first = bisect_left(self._call_starts, body.start_byte)
        end = bisect_left(self._call_starts, body.end_byte, first)
        data = self._captures.data
        return tuple(
            Call(
                data[each.start_byte : each.end_byte].decode(errors="replace"),
                each.start_point[0],
            )
            for each in self._calls[first:end]
        )

    def _is_test(self, name: str, signature: str, documentation: str) -> bool:
        if self._test_name.match(name.rpartition(".")[2]):
            return True
        return bool(self._test_mark.search(signature) or self._test_mark.search(documentation))


def _start(node: "Node") -> int:
    return node.start_byte


def _opening(captures: Captures, core: "Node", body: "Node") -> tuple[int, int]:
    """Return row and column where the signature ends and the body begins."""
    row, column = body.start_point
    inside = body.children[:1]
    if inside and inside[0].type in ("{", "=>"):
        return inside[0].end_point
    before = [
        each for each in core.children if each.end_byte <= body.start_byte and not each.is_extra
    ]
    return before[-1].end_point if before else (row, column)


def _signature(captures: Captures, cut: _Cut, row: int, column: int) -> tuple[str, str]:
    """Return signature and body; a comment after the opening belongs to the signature."""
    end = cut.start + len(cut.lines)
    line = cut.lines[row - cut.start]
    column -= len(captures.lines[row]) - len(line)
    rest = b"" if _REST_OF_OPENING.match(line, column) else line[column:].strip()
    opening = (line[:column] if rest else line).decode(errors="replace").rstrip()
    above = cut.joined(cut.start, row)
    body = cut.joined(row + 1, end)
    if rest:
        body = rest.decode(errors="replace") + (f"\n{body}" if body else "")
    return f"{above}\n{opening}" if above else opening, body.strip("\n")


def _bare(cut: _Cut, docstring: "Node | None") -> str:
    """Return the text without documentation and the blank lines after a docstring."""
    end = cut.start + len(cut.lines)
    if docstring is None:
        return cut.joined(cut.start, end)
    row = first = last_row(docstring) + 1
    while row < end and not cut.lines[row - cut.start].strip():
        row += 1
    return f"{cut.joined(cut.start, first)}\n{cut.joined(row, end)}"

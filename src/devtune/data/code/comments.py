"""Comments of a file: what documents a function, what stands alone, and their text without marks.

Reads and writes nothing.
"""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING

from devtune.data.code.captures import Captures, last_row
from devtune.data.code.module import Remark, Span

if TYPE_CHECKING:
    from tree_sitter import Node

_DIRECTIVE = re.compile(
    r"#!|(//+|#+|/\*+)\s*(eslint|tslint|jshint|jslint|prettier-ignore|@ts-|istanbul|c8 |"
    r"nolint|go:|\+build|noinspection|clang-format|clang-tidy|cppcheck|rubocop|pylint|pyright|"
    r"mypy:|ruff:|flake8|isort|type: ?ignore|noqa|nosec|fmt: ?(on|off|skip)|phpcs|"
    r"phpstan-ignore|psalm-suppress|codespell|resharper|checkstyle|coverage:|pragma:|"
    r"#?(end)?region\b|frozen_string_literal|-\*-)",
    re.IGNORECASE,
)
_RULE = re.compile(r"[-=*#~_/+]{4,}")
_OPENING = re.compile(r"\s*(/\*+(?!/)!?|//[/!]*<?|#+)( ?)")
_STAR = re.compile(r"[ \t]*\*(?!/) ?")
_DOCSTRING = re.compile(r"[rRuU]?(\"\"\"|'''|\"|')")


@dataclass(frozen=True, slots=True)
class Block:
    """A comment or attribute that has its lines to itself."""

    start: int
    end: int
    """Row after the last."""
    text: str
    is_comment: bool
    """False for an attribute, and for a comment that speaks to a tool."""


class Margin:
    """The lines of a file that hold nothing but comments and attributes."""

    def __init__(self, captures: Captures) -> None:
        self._documents = re.compile(captures.grammar.documentation)
        self._by_end: dict[int, Block] = {}
        self._used: set[int] = set()
        nodes = [(each, True) for each in captures.get("comment")]
        nodes += [(each, False) for each in captures.get("attribute")]
        for node, is_comment in nodes:
            block = _block(captures, node, is_comment)
            if block is not None:
                self._by_end[block.end] = block

    def above(self, row: int) -> list[Block]:
        """Return what is attached to the code that starts at `row`, top first."""
        found: list[Block] = []
        while (block := self._by_end.get(row)) is not None:
            if block.is_comment and not self._documents.match(block.text):
                break
            found.append(block)
            row = block.start
        self._used.update(block.end for block in found)
        return found[::-1]

    def remarks(self) -> Iterator[Remark]:
        """Yield the comments that document nothing, consecutive ones joined."""
        run: list[Block] = []
        blocks = sorted(self._by_end.values(), key=lambda block: block.start)
        for block in blocks:
            if not block.is_comment or block.end in self._used:
                continue
            if run and run[-1].end != block.start:
                yield from _remark(run)
                run = []
            run.append(block)
        yield from _remark(run)


def _block(captures: Captures, node: "Node", is_comment: bool) -> Block | None:
    start, column = node.start_point
    end = last_row(node)
    if captures.lines[start][:column].strip():
        return None
    if end == node.end_point.row and captures.lines[end][node.end_point.column :].strip():
        return None
    text = captures.text(node).rstrip("\n")
    return Block(start, end + 1, text, is_comment and _DIRECTIVE.match(text) is None)


def _remark(run: list[Block]) -> Iterator[Remark]:
    text = without_marks([block.text for block in run])
    if text:
        yield Remark(Span(run[0].start, run[-1].end), text)


def without_marks(comments: list[str]) -> str:
    """Return the text of comments that follow each other, without what makes them comments."""
    lines: list[str] = []
    for comment in comments:
        opening = _OPENING.match(comment)
        if comment.startswith("=begin"):
            lines += comment.split("\n")[1:-1]
            continue
        if opening is None or opening.group(1)[:2] != "/*":
            lines += [_without(_OPENING, line) for line in comment.split("\n")]
            continue
        inside = comment[opening.end() :].removesuffix("*/").rstrip(" \t*")
        first, *rest = inside.split("\n")
        if all(_STAR.match(line) for line in rest if line.strip()):
            lines += [first, *(_without(_STAR, line) for line in rest)]
        else:
            lines += inspect.cleandoc(inside).split("\n")
    kept = [line.rstrip() for line in lines if not _RULE.fullmatch(line.strip())]
    return dedent("\n".join(kept)).strip("\n")


def _without(mark: re.Pattern[str], line: str) -> str:
    found = mark.match(line)
    return line[found.end() :] if found else line


def docstring_text(literal: str) -> str:
    """Return a Python docstring without its quotes and indentation, escapes as written."""
    opening = _DOCSTRING.match(literal)
    if opening is None:
        return ""
    return inspect.cleandoc(literal[opening.end() :].removesuffix(opening.group(1)))

"""A source text as its grammar sees it, the same way for every language.

Reads and writes nothing. Nodes are visited in the order of the text with a stack of what encloses
them, so neither deep nesting nor many siblings cost more than their number.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from devtune.data.code.captures import Captures, capture, last_row
from devtune.data.code.comments import Margin, docstring_text, without_marks
from devtune.data.code.excerpt import Excerpts
from devtune.data.code.imports import imports_of
from devtune.data.code.module import Definition, Function, Module, Span
from devtune.data.code.naming import case_title, core_of, name_of, scope_name

if TYPE_CHECKING:
    from tree_sitter import Node

_MOST_SCOPES = 64
"""What stands deeper is not listed: a name would be longer than the code."""
_RANKS = ("rest", "outer", "scope", "definition", "case", "function")


@dataclass(slots=True)
class _Walk:
    """What has been found so far, and what encloses the next node."""

    captures: Captures
    language: str
    margin: Margin
    excerpts: Excerpts
    stack: "list[tuple[str, Node, str]]" = field(default_factory=list)
    """Kind, node and name of what encloses the next node."""
    rest: str = ""
    """Name of a namespace without braces."""
    blocked: int = 0
    """End of the function that was entered last: what it encloses is not listed."""
    functions: list[Function] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)


def parse(text: str, language: str) -> Module | None:
    """Return what stands in `text`; None when there is no grammar for `language`.

    A function is left out when the grammar could not read all of it, when it shares its lines with
    other code, or when it means something else without its indentation.
    """
    captures = capture(text, language)
    if captures is None:
        return None
    margin = Margin(captures)
    walk = _Walk(captures, language, margin, Excerpts(captures, language, margin))
    for kind, node in _ordered(captures):
        _visit(walk, kind, node)
    return Module(
        language=language,
        functions=tuple(walk.functions),
        definitions=tuple(walk.definitions),
        imports=tuple(imports_of(captures)),
        remarks=tuple(margin.remarks()),
        has_errors=captures.has_errors,
    )


def _ordered(captures: Captures) -> "Iterator[tuple[str, Node]]":
    """Yield what may enclose other nodes, in order, what encloses first."""
    found = [
        (node.start_byte, -node.end_byte, rank, node)
        for rank, kind in enumerate(_RANKS)
        for node in captures.get(kind)
    ]
    found.sort(key=lambda each: each[:3])
    for _, _, rank, node in found:
        yield _RANKS[rank], node


def _visit(walk: _Walk, kind: str, node: "Node") -> None:
    start = node.start_byte
    if start < walk.blocked:
        return
    while walk.stack and walk.stack[-1][1].end_byte <= start:
        walk.stack.pop()
    if len(walk.stack) >= _MOST_SCOPES:
        return
    if kind == "function":
        _function(walk, node, name_of(walk.captures, node), is_case=False)
    elif kind == "case":
        _case(walk, node)
    elif kind == "rest":
        walk.rest = scope_name(walk.captures, node)
    elif kind == "outer":
        walk.stack.append((kind, node, ""))
    else:
        name = scope_name(walk.captures, node)
        if kind == "definition" and name:
            walk.definitions.append(_definition(walk, node, name))
        walk.stack.append((kind, node, name))


def _case(walk: _Walk, node: "Node") -> None:
    title, is_suite = case_title(walk.captures, node)
    if is_suite:
        walk.stack.append(("scope", node, title))
    elif title:
        _function(walk, node, title, is_case=True)


def _function(walk: _Walk, node: "Node", name: str, is_case: bool) -> None:
    core = core_of(node)
    body = core.child_by_field_name("body") if core else None
    if core is None or body is None:
        return
    walk.blocked = node.end_byte
    whole = _outermost(walk, node)
    if whole.has_error or not name:
        return
    found = walk.excerpts.function(whole, core, body, _qualified(walk, name), is_case)
    if found is not None:
        walk.functions.append(found)


def _definition(walk: _Walk, node: "Node", name: str) -> Definition:
    whole = _outermost(walk, node)
    start = whole.start_point.row
    above = walk.margin.above(start)
    documentation = without_marks([each.text for each in above if each.is_comment])
    docstring = walk.excerpts.docstring(node.child_by_field_name("body"))
    if docstring is not None:
        documentation = docstring_text(walk.captures.text(docstring))
    qualified = _qualified(walk, name)
    span = Span(above[0].start if above else start, last_row(whole) + 1)
    return Definition(qualified.rpartition(".")[2], qualified, span, documentation)


def _outermost(walk: _Walk, node: "Node") -> "Node":
    """Return the statement that is all about `node`: an export, a decorated definition."""
    for kind, enclosing, _ in reversed(walk.stack):
        if kind != "outer":
            break
        node = enclosing
    return node


def _qualified(walk: _Walk, name: str) -> str:
    scopes = [scope for _, _, scope in walk.stack]
    return ".".join(each for each in (walk.rest, *scopes, name) if each)

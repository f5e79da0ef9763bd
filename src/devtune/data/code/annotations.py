"""Type annotations of functions: where they stand, and the text without them.

Reads and writes nothing. What is found is found by the grammar, never by the look of the text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import tree_sitter_php
import tree_sitter_python
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

_GRAMMARS = {
    "python": tree_sitter_python.language,
    "typescript": tree_sitter_typescript.language_typescript,
    "tsx": tree_sitter_typescript.language_tsx,
    "php": tree_sitter_php.language_php,
}
LANGUAGES = tuple(_GRAMMARS)
"""Languages in which a function may do without its annotations."""
_FUNCTIONS = frozenset(
    ("function_definition", "function_declaration", "function_expression", "arrow_function",
     "generator_function_declaration", "generator_function", "method_definition",
     "method_declaration", "anonymous_function")
)  # fmt: skip
_RECEIVERS = frozenset((b"self", b"cls", b"mcs", b"this"))
_NO_PARAMETERS = frozenset(("keyword_separator", "positional_separator", "comment"))
Cut = tuple[int, int, bytes]
"""Bytes [start, end) and what takes their place."""


@dataclass(frozen=True, slots=True)
class Annotated:
    """One function with a body, and the types that are written at it."""

    name: str
    """As declared, or what it is assigned to; `""` for an anonymous one."""
    line: int
    """Where it starts, without decorators, counted from 0."""
    types: tuple[str, ...]
    """Of its parameters, without `self`, `cls` and `this`; `""` where one has none."""
    result: str


def strip_annotations(text: str, language: str) -> tuple[str, tuple[Annotated, ...]]:
    """Return a file without the annotations of its functions, and what they were, in order.

    Declarations without a body keep theirs, for they say nothing else; so do variables.
    """
    source = text.encode("utf-8", "surrogatepass")
    cuts: set[Cut] = set()
    found: list[Annotated] = []
    for node in _functions(_parser(language).parse(source).root_node):
        cuts.update(_cuts(node, source))
        found.append(_describe(node, source, language))
    pieces: list[bytes] = []
    at = 0
    for start, end, replacement in sorted(cuts):
        if start >= at:
            pieces += [source[at:start], replacement]
            at = end
    stripped = b"".join([*pieces, source[at:]])
    return stripped.decode("utf-8", "surrogatepass"), tuple(found)


@cache
def _parser(language: str) -> Parser:
    return Parser(Language(_GRAMMARS[language]()))


def _functions(root: Node) -> Iterator[Node]:
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type in _FUNCTIONS and node.child_by_field_name("body") is not None:
            yield node
        stack.extend(reversed(node.children))


def _cuts(function: Node, source: bytes) -> Iterator[Cut]:
    for parameter in _parameters(function):
        yield from _parameter_cuts(parameter)
    generics = function.child_by_field_name("type_parameters")
    if generics is not None:
        yield generics.start_byte, generics.end_byte, b""
    result = function.child_by_field_name("return_type")
    if result is not None:
        sign = result.prev_sibling
        is_sign = sign is not None and sign.type in ("->", ":")
        start = sign.start_byte if sign is not None and is_sign else result.start_byte
        while source[start - 1 : start].isspace():
            start -= 1
        yield start, result.end_byte, b""


def _parameter_cuts(parameter: Node) -> Iterator[Cut]:
    kind = parameter.child_by_field_name("type")
    if parameter.type == "typed_parameter" and kind is not None and parameter.children:
        yield parameter.children[0].end_byte, kind.end_byte, b""
    elif parameter.type == "typed_default_parameter":
        name, value = (parameter.child_by_field_name(each) for each in ("name", "value"))
        if name is not None and value is not None:
            yield name.end_byte, value.start_byte, b"="  # blanks around it would give it away
    elif kind is not None and kind.type == "type_annotation":
        mark = kind.prev_sibling
        is_optional = mark is not None and mark.type == "?"
        start = mark.start_byte if mark is not None and is_optional else kind.start_byte
        yield start, kind.end_byte, b""
    elif kind is not None and kind.next_sibling is not None:
        yield kind.start_byte, kind.next_sibling.start_byte, b""


def _parameters(function: Node) -> list[Node]:
    listed = function.child_by_field_name("parameters")
    named = listed.named_children if listed is not None else []
    return [each for each in named if each.type not in _NO_PARAMETERS]


def _describe(function: Node, source: bytes, language: str) -> Annotated:
    types: list[str] = []
    for parameter in _parameters(function):
        kind = parameter.child_by_field_name("type")
        own = source[parameter.start_byte : parameter.end_byte]
        if kind is None and own.partition(b"=")[0].strip() in _RECEIVERS:
            continue
        is_inferred = language != "python" and parameter.child_by_field_name("value") is not None
        types.append("inferred" if kind is None and is_inferred else _text(kind, source))
    result = function.child_by_field_name("return_type")
    return Annotated(
        _name(function, source), function.start_point.row, tuple(types), _text(result, source)
    )


def _name(function: Node, source: bytes) -> str:
    for node in (function, function.parent):
        for field in ("name", "key", "left"):
            named = node.child_by_field_name(field) if node is not None else None
            if named is not None:
                return _text(named, source).rpartition(".")[2]
    return ""


def _text(node: Node | None, source: bytes) -> str:
    if node is None:
        return ""
    text = source[node.start_byte : node.end_byte].decode("utf-8", "replace")
    return text.removeprefix(":").strip()

"""Names that a grammar's nodes carry: of functions, scopes, parameters and test cases.

Reads and writes nothing.
"""

import re
from typing import TYPE_CHECKING

from devtune.data.code.captures import Captures

if TYPE_CHECKING:
    from tree_sitter import Node

_SEPARATOR = re.compile(r"::|->|\\|\.")
_ARGUMENTS = re.compile(r"<[^<>]*>")
_RECEIVER = re.compile(r"(\w+)\s*(?:\[[^\]]*\])?\s*\)$")
_UNSPOKEN = frozenset({"", "module", "exports", "prototype", "this", "self", "window"})
_BLOCKS = frozenset({"arrow_function", "function_expression", "anonymous_function"})
_NAMES = frozenset(
    {"identifier", "name", "variable_name", "field_identifier", "simple_identifier", "constant"}
)
_WRAPPERS = frozenset(
    {"typed_parameter", "spread_parameter", "list_splat_pattern", "dictionary_splat_pattern"}
    | {"rest_pattern", "mut_pattern", "reference_pattern", "ref_pattern", "reference_declarator"}
    | {"parenthesized_declarator", "attributed_declarator"}
)
_OWN = frozenset({"self", "cls", "this", ""})


def core_of(node: "Node") -> "Node | None":
    """Return the part of a `function` or `case` that has parameters and a body."""
    for field in ("value", "right", "block"):
        inner = node.child_by_field_name(field)
        if inner is not None:
            return inner
    arguments = node.child_by_field_name("arguments")
    if arguments is None:
        return node
    for each in arguments.named_children:
        for inner in each.named_children if each.type == "argument" else [each]:
            if inner.type in _BLOCKS:
                return inner
    return None


def name_of(captures: Captures, node: "Node") -> str:
    """Return the name of a function, with dots where it is qualified; `""` if it has none."""
    for field in ("name", "left", "key", "property"):
        named = node.child_by_field_name(field)
        if named is not None:
            break
    else:
        declared = declarator_of(node)
        if declared is None:
            return "default" if node.type in _BLOCKS else ""
        named = declared.child_by_field_name("declarator")
    if named is None:
        return ""
    name = _dotted(captures.text(named))
    if re.match(captures.grammar.test_call, name):
        listed = captures.text(declarator_of(node) or node).removeprefix(name)
        return ".".join(each.strip() for each in listed.strip("() ").split(","))
    parts = [each for each in name.split(".") if each not in _UNSPOKEN]
    receiver = node.child_by_field_name("receiver")
    owner = _RECEIVER.search(captures.text(receiver)) if receiver is not None else None
    return ".".join([*((owner.group(1),) if owner else ()), *(parts or ["default"])])


def declarator_of(node: "Node") -> "Node | None":
    """Return the declarator with the parameters, in C and what descends from it."""
    inner = node.child_by_field_name("declarator")
    while inner is not None and inner.child_by_field_name("parameters") is None:
        nested = inner.child_by_field_name("declarator")
        inner = nested or next(iter(inner.named_children), None)
    return inner


def scope_name(captures: Captures, node: "Node") -> str:
    """Return the name of a class, namespace or object; `""` if it has none."""
    for field in ("name", "declarator", "key", "left", "type"):
        named = node.child_by_field_name(field)
        if named is not None:
            parts = _dotted(captures.text(named)).split(".")
            return ".".join(each for each in parts if each not in _UNSPOKEN)
    return ""


def case_title(captures: Captures, node: "Node") -> tuple[str, bool]:
    """Return the title of a test case or of a group of them, and whether it is a group."""
    called = node.child_by_field_name("function") or node.child_by_field_name("method")
    arguments = node.child_by_field_name("arguments")
    if called is None or arguments is None or core_of(node) is None:
        return "", False
    name = captures.text(called)
    is_suite = re.match(captures.grammar.suite_call, name) is not None
    if not is_suite and re.match(captures.grammar.test_call, name) is None:
        return "", False
    title = "".join(captures.text(each) for each in arguments.named_children[:1])
    return " ".join(title.strip("\"'`").split()), is_suite


def parameters_of(captures: Captures, core: "Node") -> tuple[tuple[str, ...], bool]:
    """Return the names of the parameters, and whether any or the result has a type."""
    holder = core
    if core.child_by_field_name("declarator") is not None:
        holder = declarator_of(core) or core
    listed = holder.child_by_field_name("parameters")
    is_typed = core.child_by_field_name("return_type") is not None
    if listed is None:
        single = holder.child_by_field_name("parameter")
        return (captures.text(single),) if single is not None else (), is_typed
    names: list[str] = []
    for each in listed.named_children:
        if each.type == "identifier":
            names.append(captures.text(each))
            continue
        is_typed = is_typed or each.child_by_field_name("type") is not None
        if not each.is_extra:
            names += (_innermost(captures, name) for name in _named(each))
    return tuple(name for name in names if name not in _OWN), is_typed


def _named(parameter: "Node") -> "list[Node]":
    """Return the nodes that name a parameter; one declaration may have several."""
    return parameter.children_by_field_name("name") or [parameter]


def _innermost(captures: Captures, node: "Node") -> str:
    """Return the identifier that a pattern, a default or a pointer is about."""
    while node.type not in _NAMES:
        inner = None
        for field in ("name", "pattern", "declarator", "left"):
            inner = inner or node.child_by_field_name(field)
        if inner is None and node.type in _WRAPPERS:
            typed = node.child_by_field_name("type")
            inner = next((each for each in node.named_children[::-1] if each != typed), None)
        if inner is None:
            return ""
        node = inner
    return captures.text(node).lstrip("$")


def _dotted(name: str) -> str:
    owner, operator, symbol = name.strip("\"'`*&").partition("operator")
    return _SEPARATOR.sub(".", _ARGUMENTS.sub("", owner)) + operator + symbol

"""One parsed source file: what every language has, named alike.

Lines are counted from 0, spans are [start, end). Reads and writes nothing.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Whole lines [start, end) of the file."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Call:
    """One place that calls something."""

    name: str
    """Last part of what is called: `load` for `config.load(x)`."""
    line: int


@dataclass(frozen=True, slots=True)
class Function:
    """One function or method with a body."""

    name: str
    qualified_name: str
    """Classes and namespaces it stands in, joined with dots."""
    span: Span
    """Decorators, attached documentation comment and all."""
    signature: str
    """From decorators to the opening of the body, dedented; ends as written: `def f(x):`, `{`."""
    documentation: str
    """Docstring or attached comment without its marks, dedented; `""` if there is none."""
    body: str
    """Everything after signature and docstring, relative indentation kept, closing brace too."""
    text: str
    """The whole of `span`, dedented."""
    bare: str
    """`text` without its documentation."""
    parameters: tuple[str, ...]
    """Names, without `self`, `cls` and `this`."""
    calls: tuple[Call, ...]
    """Calls in the body, in order of their lines."""
    has_types: bool
    """Whether any parameter or the result is annotated; True in languages that always are."""
    is_test: bool


@dataclass(frozen=True, slots=True)
class Definition:
    """A class, struct, interface, trait or the like."""

    name: str
    qualified_name: str
    span: Span
    documentation: str


@dataclass(frozen=True, slots=True)
class Import:
    """One import statement."""

    module: str
    """As written, without quotes: `os.path`, `../lib/x`, `fmt`, `std::io`, `stdio.h`."""
    names: tuple[str, ...]
    """Names it binds; empty where it binds the module itself or everything."""
    span: Span


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment that stands on lines of its own (consecutive ones are one remark)."""

    span: Span
    text: str
    """Without its marks."""


@dataclass(frozen=True, slots=True)
class Module:
    """One parsed file."""

    language: str
    """Fence name: `python`, `typescript`, `csharp`, …"""
    functions: tuple[Function, ...]
    """Outermost functions and methods in order; what is nested in a function is not listed."""
    definitions: tuple[Definition, ...]
    imports: tuple[Import, ...]
    remarks: tuple[Remark, ...]
    has_errors: bool
    """Whether the grammar found a part it could not read."""

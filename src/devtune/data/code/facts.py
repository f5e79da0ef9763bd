"""What a file says of the code graph: which names it defines, imports and calls.

Reads and writes nothing. The rows are JSON values, so that files can be described in parallel and
the graph be written by one process.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from devtune.data.code.module import Definition, Function, Module, Span
from devtune.data.code.syntax import parse
from devtune.records import SourceFile, Split

Fact = list[Any]
"""One row: its kind, then text and numbers. A `file` row stands before those of its file."""
UNKNOWN = "?"
"""What something is called on when that is no plain name: `f().load()`."""
MAX_CHARACTERS = 2000
"""Of a signature or documentation that is kept; longer ones lose their last lines."""
MAX_WHOLE = 12
"""Lines of a class that is small enough to be shown instead of its heading."""
_NAMESPACE = re.compile(
    r"^[ \t]{0,40}(?:(?:inline|export|declare|pub(?:\([^)\n]{0,80}\))?)[ \t]{1,9}){0,3}"
    r"(?:namespace|mod)[ \t]{1,9}([\w.:\\]{1,200})",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Place:
    """One file the graph knows."""

    id: int
    scope: int
    """Equal for files of one source whose languages can call each other."""
    source: str
    split: Split
    path: str
    language: str
    offset: int
    """Byte of `files.jsonl` at which its row begins."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One definition the graph knows."""

    id: int
    place: Place
    kind: Literal["function", "class"]
    name: str
    qualified_name: str
    owner: str
    """The class or type it is a member of; `""` at the top of a file or a namespace."""
    span: Span
    signature: str
    """Of a class the line that opens it, or all of a small one."""
    documentation: str
    is_test: bool


@dataclass(frozen=True, slots=True)
class Mention:
    """One name as a file writes it."""

    place: Place
    name: str
    qualifier: str = ""
    """What stands before the dot; `""` for nothing, `?` for what is no plain name."""


@dataclass(frozen=True, slots=True)
class Use:
    """One call inside a function the graph knows."""

    mention: Mention
    line: int
    function: Entry
    """The function that calls."""


@dataclass(frozen=True, slots=True)
class Imported:
    """One name a file imports; `name` is empty where the module itself or everything is bound."""

    module: str
    name: str


def describe(file: SourceFile, offset: int) -> list[Fact]:
    """Return the rows of one file whose row of `files.jsonl` begins at byte `offset`.

    The rows, in this order: `file source split path language offset`; `definition kind name
    qualified_name owner first last signature documentation is_test`; `import module name`;
    `call name qualifier line function`, where `function` counts the definitions from 0.
    """
    where = file.provenance
    facts: list[Fact] = [["file", where.source, file.split, where.path, file.language, offset]]
    module = parse(file.text, file.language) if file.language else None
    if module is None:
        return facts
    lines = file.text.split("\n")
    spaces = find_namespaces(file.text)
    facts.extend(_function(each, spaces) for each in module.functions)
    facts.extend(_class(each, lines, spaces) for each in module.definitions)
    facts.extend(_imports(module))
    for number, function in enumerate(module.functions):
        facts.extend(_calls(function, number, lines))
    return facts


def find_namespaces(text: str) -> frozenset[str]:
    """Return the names of what only groups definitions; a language without it has none."""
    found = (each[1] for each in _NAMESPACE.finditer(text))
    return frozenset(part for each in found for part in re.split(r"[.:\\]+", each))


def _owner(qualified_name: str, spaces: frozenset[str]) -> str:
    """Return the last name something stands in, unless it is that of a namespace."""
    owner = qualified_name.rpartition(".")[0].rpartition(".")[2]
    return "" if owner in spaces else owner


def _function(function: Function, spaces: frozenset[str]) -> Fact:
    span, texts = function.span, (function.signature, function.documentation)
    return [
        "definition",
        "function",
        function.name,
        function.qualified_name,
        _owner(function.qualified_name, spaces),
        span.start,
        span.end,
        *map(_shortened, texts),
        int(function.is_test),
    ]


def _class(definition: Definition, lines: list[str], spaces: frozenset[str]) -> Fact:
    name, span = definition.name, definition.span
    own = lines[span.start : span.end]
    if len(own) > MAX_WHOLE:
        named = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
        kinds = ("class", "struct", "interface", "trait", "enum", "type", "record", "module")
        naming = [line for line in own if named.search(line)]
        own = [line for line in naming if any(kind in line for kind in kinds)][:1] or naming[:1]
    indent = len(own[0]) - len(own[0].lstrip()) if own else 0
    text = "\n".join(line[indent:] if not line[:indent].strip() else line for line in own)
    documentation = "" if len(own) > 1 else _shortened(definition.documentation)
    qualified_name = definition.qualified_name
    head = ["definition", "class", name, qualified_name, _owner(qualified_name, spaces)]
    return [*head, span.start, span.end, _shortened(text), documentation, 0]


def _imports(module: Module) -> Iterator[Fact]:
    seen = ((each.module, name) for each in module.imports for name in (each.names or ("",)))
    for name, bound in dict.fromkeys(seen):
        yield ["import", name, bound]


def _calls(function: Function, number: int, lines: list[str]) -> Iterator[Fact]:
    """Yield the different things a function calls, each where it does so first."""
    seen: set[tuple[str, str]] = set()
    on_line: dict[tuple[str, int], int] = {}
    for call in function.calls:
        nth = on_line.get((call.name, call.line), 0)
        on_line[call.name, call.line] = nth + 1
        line = lines[call.line][:MAX_CHARACTERS] if call.line < len(lines) else ""
        qualifier = find_qualifier(line, call.name, nth)
        if (call.name, qualifier) not in seen:
            seen.add((call.name, qualifier))
            yield ["call", call.name, qualifier, call.line, number]


def find_qualifier(line: str, name: str, nth: int = 0) -> str:
    """Return what the `nth` mention of `name` on a line is called on."""
    last = -1
    for start in _mentions(line, name):
        last = start
        nth -= 1
        if nth < 0:
            break
    if last < 0:
        return UNKNOWN
    before = line[max(last - 200, 0) : last].rstrip()
    mark = next((each for each in (".", "::", "->") if before.endswith(each)), "")
    if not mark:
        return ""
    before = before.removesuffix(mark).removesuffix("?").rstrip()
    start = len(before)
    while _is_word(before[start - 1 : start]):
        start -= 1
    return before[start:] or UNKNOWN


def _mentions(line: str, name: str) -> Iterator[int]:
    """Yield where `name` stands as a word of its own."""
    start = line.find(name) if name else -1
    while start >= 0:
        end = start + len(name)
        if not _is_word(line[start - 1 : start]) and not _is_word(line[end : end + 1]):
            yield start
        start = line.find(name, end)


def _is_word(character: str) -> bool:
    return character.isalnum() or character in ("_", "$")


def _shortened(text: str) -> str:
    """Return as many whole lines as may be kept; one line too long is not kept at all."""
    if len(text) <= MAX_CHARACTERS:
        return text
    return text[:MAX_CHARACTERS].rpartition("\n")[0].rstrip()

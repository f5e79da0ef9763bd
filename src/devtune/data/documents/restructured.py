"""reStructuredText: its headings, directives, literal blocks and inline marks.

Reads the text of one file; writes nothing. No directive is carried out, nothing is included.
"""

import re
import textwrap
from collections.abc import Iterator

from devtune.data.documents.block import (
    ADMONITIONS,
    CODE_DIRECTIVES,
    Block,
    indent_of,
    info_of,
    opening_of,
    without_outer_blanks,
)

MAX_DEPTH = 5
"""Directives inside directives that are followed; deeper ones are left out."""
_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1{2,}\s*$")
_DIRECTIVE = re.compile(r"\s*\.\.\s+(?:\|[^|]+\|\s+)?([\w:.+-]*\w)::(?:\s+(.*))?$")
_EXPLICIT = re.compile(r"\s*(\.\.(\s|$)|__(\s|$))")
_OPTION = re.compile(r"\s*:[\w -]+:(\s|$)")
_TABLE = re.compile(r"\s*(\+[-=+]{3,}|={3,}( +={3,})+)\s*$")
_OBJECTS = frozenset(
    ("function", "method", "class", "attribute", "data", "exception", "option", "envvar",
     "staticmethod", "classmethod", "property", "setting", "confval", "macro", "type")
)  # fmt: skip
PROSE_ROLES = frozenset(("ref", "doc", "term", "guilabel", "menuselection", "any", "numref"))
"""Roles whose text is words, not code."""
_INLINE = re.compile(
    r"``(?P<literal>.+?)``"
    r"|:(?P<role>[\w:+.-]{1,60}):`(?P<marked>[^`]+)`"
    r"|`(?P<text>[^`<]+)<(?P<target>[^`>]+)>`__?"
    r"|(?<!`)`(?P<name>[^`]+)`(?P<reference>__?)?(?!`)"
    r"|\\(?P<escaped>\S)|\\ ",
    re.DOTALL,
)
_TARGET = re.compile(r"(?s)\s*<.*>\s*$")


def read_restructured(text: str) -> list[Block]:
    r"""Return the blocks of a file whose lines end with `\n`."""
    return _read(text.expandtabs(8).split("\n"), 0, 0, {})


def _read(lines: list[str], first: int, depth: int, levels: dict[str, int]) -> list[Block]:
    """Return the blocks of lines of which the first is line `first` of the file."""
    blocks: list[Block] = []
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
        elif depth == 0 and (heading := _heading(lines, at, first, levels)):
            block, at = heading
            blocks.append(block)
        elif _EXPLICIT.match(lines[at]):
            end = _end_of_indented(lines, at + 1, indent_of(lines[at]))
            blocks.extend(_directive(lines[at:end], first + at, depth))
            at = end
        else:
            found, at = _paragraph(lines, at, first)
            blocks.extend(found)
    return blocks


def _heading(
    lines: list[str], at: int, first: int, levels: dict[str, int]
) -> tuple[Block, int] | None:
    """Return a title with a line under it, and perhaps over it, and the line after it."""
    overline = _ADORNMENT.match(lines[at])
    title_at = at + 1 if overline else at
    if title_at + 1 >= len(lines):
        return None
    title, underline = lines[title_at], _ADORNMENT.match(lines[title_at + 1])
    if underline is None or not title.strip() or (not overline and indent_of(title)):
        return None
    length = len(underline.group().rstrip())
    if (overline and overline[1] != underline[1]) or length < min(len(title.strip()), 4):
        return None
    if _ADORNMENT.match(title) or _DIRECTIVE.match(title):
        return None
    style = f"{underline[1]}{bool(overline)}"
    level = levels.setdefault(style, len(levels) + 1)
    return Block("heading", to_markdown(title.strip()), first + at, level=level), title_at + 2


def _directive(lines: list[str], line: int, depth: int) -> Iterator[Block]:
    """Yield what a directive shows; comments, targets and unknown directives show nothing."""
    found = _DIRECTIVE.match(lines[0])
    if found is None or depth == MAX_DEPTH:
        return
    name, argument = found[1].lower().rpartition(":")[2], (found[2] or "").strip()
    content = lines[1:]
    while content and (_OPTION.match(content[0]) and content[0].strip()):
        content = content[1:]
    filled = without_outer_blanks(content)
    body = textwrap.dedent("\n".join(filled)).split("\n") if filled else []
    start = line + len(lines) - len(content)
    if name in CODE_DIRECTIVES or "example" in name:
        if body:
            yield Block("code", "\n".join(body), start, language=info_of(argument))
    elif name in ADMONITIONS:
        label, lead = opening_of(name, argument)
        lines = [lead, *body] if lead else body
        yield from _labelled(label, _read(lines, start, depth + 1, {}), line)
    elif name in _OBJECTS:
        yield Block("prose", f"`{argument}`", line)
        yield from _read(body, start, depth + 1, {})


def _labelled(label: str, blocks: list[Block], line: int) -> Iterator[Block]:
    if not blocks:
        return
    if label and blocks[0].kind == "prose":
        yield Block("prose", f"{label} {blocks[0].text}", line)
        yield from blocks[1:]
        return
    if label:
        yield Block("prose", label, line)
    yield from blocks


def _paragraph(lines: list[str], at: int, first: int) -> tuple[list[Block], int]:
    """Return the paragraph at `at`, the literal block it announces, and the line after them."""
    end = at
    while end < len(lines) and lines[end].strip():
        end += 1
        if end < len(lines) and _EXPLICIT.match(lines[end]):
            break
    own = lines[at:end]
    if own[0].lstrip().startswith(">>> "):
        return [Block("code", textwrap.dedent("\n".join(own)), first + at, language="pycon")], end
    if _TABLE.match(own[0]):
        return [Block("code", textwrap.dedent("\n".join(own)), first + at)], end
    text = "\n".join(own).rstrip()
    if not text.endswith("::"):
        return [Block("prose", to_markdown(text), first + at)], end
    code_end = _end_of_indented(lines, end, indent_of(own[0]))
    code = textwrap.dedent("\n".join(without_outer_blanks(lines[end:code_end])))
    bare = text.removesuffix("::").rstrip()
    announced = [Block("prose", to_markdown(f"{bare}:"), first + at)] if bare.strip() else []
    literal = [Block("code", code, first + end)] if code.strip() else []
    return announced + literal, code_end


def _end_of_indented(lines: list[str], at: int, indent: int) -> int:
    """Return the line after the block that stands deeper than `indent`, blank lines allowed."""
    end = at
    for number in range(at, len(lines)):
        if not lines[number].strip():
            continue
        if indent_of(lines[number]) <= indent:
            break
        end = number + 1
    return end


def to_markdown(text: str) -> str:
    """Turn literals, roles and links into Markdown's."""
    return _INLINE.sub(_replaced, text)


def _replaced(found: re.Match[str]) -> str:
    if found["literal"]:
        return f"`{found['literal']}`"
    if found["marked"]:
        shown = _TARGET.sub("", found["marked"]) or found["marked"].strip("<>")
        is_prose = found["role"].rpartition(":")[2] in PROSE_ROLES
        return shown if is_prose else f"`{shown.removeprefix('~').removeprefix('!')}`"
    if found["target"]:
        text, target = found["text"].strip(), found["target"]
        return f"[{text}]({target})" if "://" in target else text
    if found["name"]:
        return found["name"] if found["reference"] else f"`{found['name']}`"
    return found["escaped"] or ""

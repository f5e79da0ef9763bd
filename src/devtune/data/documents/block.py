"""One piece of a documentation file, in Markdown whatever it was written in.

Reads and writes nothing.
"""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["heading", "prose", "code"]


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a stretch of prose or a whole code block."""

    kind: Kind
    text: str
    """Markdown for prose; bare text for headings and code."""
    line: int
    """Where it starts, counted from 0."""
    level: int = 0
    """Of a heading: 1 is outermost."""
    language: str = ""
    """Of a code block: what its fence is to say."""


ADMONITIONS = {
    "attention": "Attention", "caution": "Caution", "danger": "Danger", "error": "Error",
    "hint": "Hint", "important": "Important", "note": "Note", "tip": "Tip", "warning": "Warning",
    "seealso": "See also", "admonition": "", "deprecated": "Deprecated since",
    "versionadded": "Added in version", "versionchanged": "Changed in version",
}  # fmt: skip
"""Directive of a remark set apart, and the words it starts with."""
CODE_DIRECTIVES = frozenset(
    ("code", "code-block", "code-cell", "sourcecode", "highlight", "parsed-literal", "prompt")
)
_INFO = re.compile(r"[A-Za-z0-9_+#.-]{1,30}")


def opening_of(directive: str, argument: str) -> tuple[str, str]:
    """Return the bold words a remark set apart starts with, and the text it then begins with."""
    words, text = ADMONITIONS[directive], argument
    if directive == "admonition":
        words, text = argument, ""
    elif directive in ("versionadded", "versionchanged", "deprecated"):
        version, _, text = argument.partition(" ")
        words = f"{words} {version}".rstrip()
    return (f"**{words}:**" if words else ""), text.strip()


def info_of(words: str) -> str:
    """Return the first word of a code block's description as the language of a fence."""
    found = _INFO.match(words.strip().lower())
    return found.group() if found else ""


def indent_of(line: str) -> int:
    """Columns of blank space a line starts with; tabs are expanded beforehand."""
    return len(line) - len(line.lstrip())


def without_outer_blanks(lines: list[str]) -> list[str]:
    """Drop blank lines at both ends."""
    filled = [number for number, line in enumerate(lines) if line.strip()]
    return lines[filled[0] : filled[-1] + 1] if filled else []

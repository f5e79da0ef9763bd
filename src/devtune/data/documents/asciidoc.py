"""AsciiDoc: its headings, delimited blocks and inline marks.

Reads the text of one file; writes nothing. Nothing is included, no condition is evaluated.
"""

import re
import textwrap
from collections.abc import Iterator

from devtune.data.documents.block import Block, info_of, without_outer_blanks

MAX_VALUE = 10_000
"""Characters of a line after attributes took their values, which may name each other."""
_HEADING = re.compile(r"(={1,6}|#{1,6})\s+(\S.*)")
_ATTRIBUTE = re.compile(r":(!?[\w-]+!?):(?:\s+(.*))?$")
_LISTING = re.compile(r"(-{4,}|\.{4,}|`{3,})(\w*)\s*$")
_REMOVED = re.compile(r"(/{4,}|\+{4,})\s*$")
_TABLE = re.compile(r"[|,:!]={3,}\s*$")
_FRAME = re.compile(r"(={4,}|\*{4,}|_{4,}|--)\s*$")
_ITEM = re.compile(r"(\*{1,5}|\.{1,5}|-)\s+(\S.*)")
_BLOCK_ATTRIBUTES = re.compile(r"\[[^\]]*\]\s*$")
_ADMONITION = re.compile(r"\[?(NOTE|TIP|IMPORTANT|CAUTION|WARNING)(?:\]\s*$|:\s+)")
_MACRO_LINE = re.compile(r"(include|image|toc|ifdef|ifndef|ifeval|endif|video|audio|'{3,}|<{3,})")
_INLINE = (
    (re.compile(r"image:[^\s\[]{1,300}\[[^\]]{0,300}\]"), ""),
    (re.compile(r"\[\[[^\[\]]*\]\]|\[#[^\[\]]*\](?=[#*_`])"), ""),
    (
        re.compile(r"(?:link:)?\b(https?://[^\s\[\]]{1,300})\[([^\]^,]{1,300})[^\]]{0,300}\]"),
        r"[\2](\1)",
    ),
    (re.compile(r"(?:link|xref):[^\s\[\]]{1,300}\[([^\]^,]{1,300})[^\]]{0,300}\]"), r"\1"),
    (re.compile(r"<<[^,<>]+,\s*([^<>]+)>>"), r"\1"),
    (re.compile(r"<<([^,<>]+)>>"), r"\1"),
    (re.compile(r"`\+([^`]+)\+`|(?<!\w)\+([^+\s]+)\+(?!\w)"), lambda m: f"`{m[1] or m[2]}`"),
    (re.compile(r"(?<![\w*])\*(\S(?:[^*\n]*\S)?)\*(?![\w*])"), r"**\1**"),
)


class _Reader:
    """Where in the file we are, and what holds for the next block."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.at = 0
        self.language = ""
        self.values: dict[str, str] = {}
        self.prose: list[str] = []
        self.is_header = False
        """Between the title of the document and the first blank line: authors and a revision."""

    def blocks(self) -> Iterator[Block]:
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if found := _LISTING.match(line):
                yield from self._flush()
                yield self._listing(found[1], info_of(found[2]) or self.language)
                self.language = ""
            elif found := _HEADING.match(line):
                yield from self._flush()
                title = found[2].rstrip().removesuffix(f" {found[1]}")
                yield Block("heading", self._inline(title), self.at, level=len(found[1]))
                self.is_header = len(found[1]) == 1
                self.at += 1
            elif _TABLE.match(line):
                yield from self._flush()
                yield self._listing(line.strip(), "")
            elif self._is_literal(line):
                yield from self._flush()
                yield self._literal()
            else:
                self._line(line)
        yield from self._flush()

    def _line(self, line: str) -> None:
        if found := _REMOVED.match(line):
            self.at = self._end_of(found[1]) + 1
            return
        self.at += 1
        self.is_header = self.is_header and bool(line.strip())
        if found := _ATTRIBUTE.match(line):
            self.values[found[1]] = self._valued((found[2] or "").strip())
        elif found := _ADMONITION.match(line):
            text = self._inline(line[found.end() :])
            self.prose.append(f"**{found[1].capitalize()}:** {text}")
        elif _BLOCK_ATTRIBUTES.match(line):
            parts = [part.strip() for part in line.strip()[1:-1].split(",")]
            self.language = info_of(parts[1]) if parts[0] == "source" and parts[1:] else ""
        elif line.startswith("//") or _FRAME.match(line) or _is_macro(line) or self.is_header:
            return
        elif line.strip() in ("+", ""):
            self.prose.append("")
        else:
            self._text(line)

    def _text(self, line: str) -> None:
        """Keep a line of prose: titles end with a colon, lists get Markdown's marks."""
        if line.startswith(".") and line[1:2].isalnum():
            line = f"{line[1:]}:"
        elif found := _ITEM.match(line):
            mark = "1." if found[1][0] == "." else "-"
            line = f"{'  ' * (len(found[1]) - 1)}{mark} {found[2]}"
        text = self._inline(line.removesuffix(" +"))
        if self.prose and self.prose[-1].endswith(":** "):
            text = self.prose.pop() + text
        self.prose.append(text)

    def _is_literal(self, line: str) -> bool:
        """Whether a paragraph starts here that is code because it is indented."""
        above = self.lines[self.at - 1] if self.at else ""
        is_list = _ITEM.match(line.lstrip()) is not None
        return line.startswith(" ") and bool(line.strip()) and not above.strip() and not is_list

    def _literal(self) -> Block:
        start = self.at
        while self.at < len(self.lines) and self.lines[self.at].strip():
            self.at += 1
        code = textwrap.dedent("\n".join(self.lines[start : self.at]))
        return Block("code", code, start)

    def _listing(self, delimiter: str, language: str) -> Block:
        start, end = self.at, self._end_of(delimiter)
        code = without_outer_blanks(self.lines[start + 1 : end])
        self.at = end + 1
        return Block("code", "\n".join(code), start, language=language)

    def _end_of(self, delimiter: str) -> int:
        """Return the line of the closing delimiter, or the end of the file."""
        for number in range(self.at + 1, len(self.lines)):
            if self.lines[number].rstrip() == delimiter:
                return number
        return len(self.lines)

    def _flush(self) -> Iterator[Block]:
        prose = "\n".join(without_outer_blanks(self.prose))
        if prose:
            start = max(self.at - len(self.prose), 0)
            yield Block("prose", re.sub(r"\n{3,}", "\n\n", prose), start)
        self.prose = []

    def _valued(self, text: str) -> str:
        """Put in the values of attributes, as far as they are known."""
        return re.sub(r"\{([\w-]+)\}", lambda m: self.values.get(m[1], m[0]), text)[:MAX_VALUE]

    def _inline(self, text: str) -> str:
        text = self._valued(text) if "{" in text else text
        for pattern, replacement in _INLINE:
            text = pattern.sub(replacement, text)
        return text.rstrip()


def _is_macro(line: str) -> bool:
    found = _MACRO_LINE.match(line)
    return found is not None and (found[1][0] in "'<" or line[found.end() :].startswith("::"))


def read_asciidoc(text: str) -> list[Block]:
    r"""Return the blocks of a file whose lines end with `\n`."""
    return list(_Reader(text.expandtabs(4)).blocks())

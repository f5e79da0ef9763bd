"""The sections of a documentation file, each under the headings that lead to it.

Reads the text of one file; writes nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from devtune.data.documents.asciidoc import read_asciidoc
from devtune.data.documents.block import Block, Kind
from devtune.data.documents.markdown import read_markdown
from devtune.data.documents.restructured import read_restructured
from devtune.data.languages import fenced

_READERS = {
    ".md": read_markdown, ".markdown": read_markdown, ".mdx": read_markdown,
    ".rst": read_restructured, ".rest": read_restructured, ".txt": read_restructured,
    "": read_restructured, ".adoc": read_asciidoc, ".asciidoc": read_asciidoc,
}  # fmt: skip
SUFFIXES = frozenset(_READERS)
"""Ends of the names of files that can be read; the empty one is a bare `README`."""
PLAIN_SUFFIXES = frozenset(("", ".txt"))
"""Those of them that say nothing of the markup."""
_LIKE_MARKDOWN = re.compile(r"(?m)^(#{1,4} \S|```)")
_LINK = re.compile(r"\[([^\[\]]*)\]\([^()]*\)|<?https?://[^\s>]+>?")

_PARAGRAPH = re.compile(r"[A-Z`].*(\Z|\n\S|\n\n)")


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading, down to the next heading of any level."""

    headings: tuple[str, ...]
    """From the outermost to its own; empty for what stands before the first."""
    text: str
    """Markdown; code blocks are whole."""
    source: str
    """The lines as they stand in the file, heading included."""
    line: int
    """Of the heading, counted from 0."""
    num_words: int
    num_free_words: int
    """Words outside of links; those of code count."""


def sections_of(text: str, path: str) -> tuple[Section, ...]:
    """Return the sections of a file in order; `path` says which markup it is in."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace("\0", "\ufffd")
    suffix = PurePosixPath(path).suffix.lower()
    reader = _READERS.get(suffix)
    if suffix in PLAIN_SUFFIXES and _LIKE_MARKDOWN.search(text):
        reader = read_markdown
    return tuple(_sections(reader(text), text.split("\n"))) if reader else ()


def _sections(blocks: list[Block], lines: list[str]) -> Iterator[Section]:
    trail: list[tuple[int, str]] = []
    own: list[Block] = []
    start = 0
    for block in [*blocks, Block("heading", "", len(lines))]:
        if block.kind != "heading":
            own.append(block)
            continue
        headings = tuple(title for _, title in trail)
        yield _section(headings, own, start, "\n".join(lines[start : block.line]))
        trail = [*(each for each in trail if each[0] < block.level), (block.level, block.text)]
        own, start = [], block.line


def _section(headings: tuple[str, ...], blocks: list[Block], line: int, source: str) -> Section:
    kept: list[tuple[Kind, str]] = []
    for number, block in enumerate(blocks, 1):
        after = blocks[number] if number < len(blocks) else None
        is_code = block.kind == "code"
        text = fenced(block.text, block.language) if is_code else _without_lead(block.text, after)
        if text:
            kept.append((block.kind, text))
    free = " ".join(text if kind == "code" else _LINK.sub(" ", text) for kind, text in kept)
    whole = "\n\n".join(text for _, text in kept)
    return Section(headings, whole, source, line, _num_words(whole), _num_words(free))


def _num_words(text: str) -> int:
    return sum(any(map(str.isalnum, word)) for word in text.split())


def _without_lead(text: str, after: Block | None) -> str:
    """Drop a last paragraph that announces (`:`) something that was left out."""
    if not text.endswith(":") or text.endswith(":**"):
        return text
    if after is not None and (after.kind == "code" or not _PARAGRAPH.match(after.text)):
        return text
    return text.rpartition("\n\n")[0].rstrip()

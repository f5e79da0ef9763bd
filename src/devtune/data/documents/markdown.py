"""Markdown: its headings, fences and prose without pictures, HTML and links that lead nowhere.

Reads the text of one file; writes nothing. MyST's directives and roles are understood too.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any, cast

from markdown_it import MarkdownIt
from markdown_it.token import Token

from devtune.data.documents.block import (
    ADMONITIONS,
    CODE_DIRECTIVES,
    Block,
    info_of,
    opening_of,
    without_outer_blanks,
)
from devtune.data.documents.restructured import PROSE_ROLES, read_restructured

Change = Callable[[str], str]
_DIRECTIVE = re.compile(r"\{([\w:.+-]+)\}\s*(.*)")
_COLON_FENCE = re.compile(r"\s*:{3,}(?:\s*\{?(\w+)\}?[ \t]*(.*))?$")
_OPTION = re.compile(r"\s*:[\w-]+:(\s|$)")
_DEFINITION = re.compile(r" {0,3}\[[^\]]{1,300}\]:\s*\S|\([\w:.-]+\)=\s*$")
_PICTURE = r"!\[[^\]]{0,300}\](?:\([^)]{0,500}\)|\[[^\]]{0,100}\])"
_TAGS = (
    r"a|abbr|b|big|blockquote|br|center|dd|details|div|dl|dt|em|font|h[1-6]|hr|i|img|kbd|li|ol|p"
    r"|picture|samp|small|source|span|strong|sub|summary|sup|table|tbody|td|th|thead|tr|u|ul|video"
)
_MARKS = (
    (re.compile(r"\{\{[<%][^{}]*[>%]\}\}|\{%[^{}]*%\}"), ""),
    (re.compile(rf"\[{_PICTURE}\](?:\([^)]{{0,500}}\)|\[[^\]]{{0,100}}\])"), ""),
    (re.compile(_PICTURE), ""),
    (re.compile(r"</?(?:code|tt)>", re.IGNORECASE), "`"),
    (re.compile(rf"</?(?:{_TAGS})(?:\s[^<>]*)?/?>", re.IGNORECASE), ""),
)
_LINK = re.compile(
    r"(?<![!\\])\[([^\[\]]{1,300})\](?:\(([^()\s]{1,500})[^()]{0,300}\)|\[([^\[\]]{0,100})\])?"
)
_ROLE = re.compile(r"\{([\w:+.-]{1,60})\}$")


def read_markdown(text: str) -> list[Block]:
    r"""Return the blocks of a file whose lines end with `\n`."""
    lines = _without_front_matter(text.split("\n"))
    # Only blocks are parsed: inline marks are cleaned where they stand.
    parser = MarkdownIt("commonmark", {"maxNesting": 12}).disable("inline")
    context: dict[str, Any] = {}
    tokens = parser.parse("\n".join(lines), context)
    references = cast(Mapping[str, Any], context.get("references", {}))
    clean = _cleaner({name: each["href"] for name, each in references.items()})
    return list(_blocks(tokens, lines, clean))


def _without_front_matter(lines: list[str]) -> list[str]:
    mark = lines[0].rstrip()
    ends = [number for number, line in enumerate(lines) if number and line.rstrip() == mark]
    if mark not in ("---", "+++") or not ends:
        return lines
    return [""] * (ends[0] + 1) + lines[ends[0] + 1 :]


def _blocks(tokens: list[Token], lines: list[str], clean: Change) -> Iterator[Block]:
    """Cut the lines at headings and code; what is between them is prose."""
    at = 0
    for index, token in enumerate(tokens):
        start, end = token.map or (0, 0)
        is_heading = token.type == "heading_open" and token.level == 0
        is_code = token.type in ("fence", "code_block") and token.level == 0
        if not (is_heading or is_code) or start < at:
            continue
        yield from _prose(lines, at, start, clean)
        at = end
        if is_heading:
            title = " ".join(clean(tokens[index + 1].content).split())
            yield Block("heading", title, start, level=int(token.tag[1]))
        else:
            yield from _code(token, start, clean)
    yield from _prose(lines, at, len(lines), clean)


def _code(token: Token, line: int, clean: Change) -> Iterator[Block]:
    code = token.content.rstrip("\n")
    directive = _DIRECTIVE.match(token.info.strip())
    if directive is None:
        if code.strip():
            yield Block("code", code, line, language=info_of(token.info))
        return
    name, argument = directive[1].lower().rpartition(":")[2], directive[2].strip()
    content = code.split("\n")
    while content and _OPTION.match(content[0]):
        content = content[1:]
    body = "\n".join(without_outer_blanks(content))
    if name == "eval-rst":
        yield from (block for block in read_restructured(body) if block.kind != "heading")
    elif name in ADMONITIONS:
        label, lead = opening_of(name, argument)
        text = clean("\n".join(filter(None, (lead, body))))
        if text.strip():
            yield Block("prose", f"{label} {text}".strip(), line)
    elif body and (name in CODE_DIRECTIVES or "example" in name):
        yield Block("code", body, line, language=info_of(argument))


def _prose(lines: list[str], start: int, end: int, clean: Change) -> Iterator[Block]:
    kept = clean("\n".join(_without_frames(lines[start:end]))).split("\n")
    text = "\n".join(line.rstrip() for line in without_outer_blanks(kept))
    if text:
        yield Block("prose", re.sub(r"\n{3,}", "\n\n", text), start)


def _in_fences(lines: list[str]) -> list[bool]:
    """Whether each line belongs to a fence, as they stand inside lists and quotes."""
    inside: list[bool] = []
    fence = ""
    for line in lines:
        mark = line.lstrip(" \t>")[:3]
        is_mark = mark in ("```", "~~~")
        inside.append(bool(fence) or is_mark)
        if is_mark and fence in ("", mark):
            fence = "" if fence else mark
    return inside


def _without_frames(lines: list[str]) -> Iterator[str]:
    """Drop link definitions, MyST's targets and the colons around a remark."""
    for line, is_code in zip(lines, _in_fences(lines), strict=True):
        if is_code:
            yield line
        elif found := _COLON_FENCE.match(line):
            name = (found[1] or "").lower()
            if name in ADMONITIONS:
                yield " ".join(opening_of(name, (found[2] or "").strip())).strip()
        elif not _DEFINITION.match(line):
            yield line


def _cleaner(references: Mapping[str, str]) -> Change:
    """Return a function that cleans prose and leaves the code in it alone."""

    def link(found: re.Match[str]) -> str:
        text = found[1]
        target = found[2] or references.get(" ".join((found[3] or text).upper().split()), "")
        if not target and found[3] is None:
            return found[0]
        return f"[{text}]({target})" if "://" in target and text.strip() else text

    def clean(text: str) -> str:
        lines = text.split("\n")
        parts: list[str] = []
        for is_code, group in groupby(zip(_in_fences(lines), lines, strict=True), lambda x: x[0]):
            piece = "\n".join(line for _, line in group)
            parts.append(piece if is_code else _without_marks(piece, link))
        return "\n".join(parts)

    return clean


def _without_marks(text: str, link: Callable[[re.Match[str]], str]) -> str:
    """Clean the stretches between code spans; spans are kept, roles of MyST become spans."""
    kept: list[str] = []
    parts: list[str] = []
    for is_span, piece in _spans(text):
        if not is_span:
            parts.append(piece)
            continue
        role = _ROLE.search(parts[-1]) if parts else None
        if role:
            parts[-1] = parts[-1][: role.start()]
        parts.append(f"\0{len(kept)}\0")  # no file holds a NUL: it was replaced on reading
        kept.append(_role(role[1].rpartition(":")[2], piece) if role else piece)
    text = _without_comments("".join(parts))
    for pattern, replacement in _MARKS:
        text = pattern.sub(replacement, text)
    return re.sub(r"\0(\d+)\0", lambda found: kept[int(found[1])], _LINK.sub(link, text))


def _role(name: str, span: str) -> str:
    marked = span.strip("`").strip()
    shown, _, target = marked.partition("<")
    words = (shown.strip() if target.endswith(">") else marked).lstrip("~!")
    return words if name in PROSE_ROLES else f"`{words}`"


def _spans(text: str) -> Iterator[tuple[bool, str]]:
    """Cut into code spans (True) and what is between them: runs of backticks of equal length."""
    pieces = re.split(r"(`+)", text)  # text, run, text, run, …
    following: dict[int, int] = {}
    closing = [0] * len(pieces)
    for number in range(len(pieces) - 2, 0, -2):
        length = len(pieces[number])
        closing[number] = following.get(length, 0)
        following[length] = number
    at = 0
    while at < len(pieces):
        end = closing[at]
        if end:
            yield True, "".join(pieces[at : end + 1])
            at = end + 1
        else:
            yield False, pieces[at]
            at += 1


def _without_comments(text: str) -> str:
    head, *rest = text.split("<!--")
    return head + "".join(piece.partition("-->")[2] for piece in rest)

"""The text of a turn in runs that are shown alike: cut to size, JSON objects laid out to be read.

Works on texts in memory; reads and writes no files. What stands in no token, such as the
indentation of a call's arguments, is `layout` and never trained.
"""

import json
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, cast

from devtune.data.renderers.rows import Span

Kind = Literal["control", "text", "key", "layout", "hidden"]
_INDENT = "    "
MAX_COMPACT = 100
"""Characters of a list or an object that stands in one line."""


class Limits(NamedTuple):
    """How much is shown of one text: lines of its beginning and its end, and characters in all."""

    head: int
    tail: int
    characters: int


class Stretch(NamedTuple):
    """A run of text that is shown alike; of what is hidden, how much it is."""

    text: str
    kind: Kind
    is_trained: bool = False
    num_lines: int = 0
    """Line ends in what is hidden; 0 where part of one line is."""
    num_characters: int = 0


def cut(text: str, is_trained: bool, limits: Limits | None) -> Iterator[Stretch]:
    """The text, or its beginning and its end and between them how much is hidden."""
    head, hidden, tail = parts_of(text, limits)
    yield Stretch(head, "text", is_trained)
    if hidden.text:
        yield _hidden(hidden, is_trained)
        yield Stretch(tail, "text", is_trained)


class _Middle(NamedTuple):
    text: str
    num_lines: int


def _hidden(middle: _Middle, is_trained: bool) -> Stretch:
    return Stretch("", "hidden", is_trained, middle.num_lines, len(middle.text))


def parts_of(text: str, limits: Limits | None) -> tuple[str, _Middle, str]:
    """Beginning, middle and end; of whole lines, and its line ends are not the middle's."""
    if limits is None:
        return text, _Middle("", 0), ""
    lines = text.split("\n")
    first, last, num_lines = len(text), 0, len(lines) - limits.head - limits.tail
    if num_lines > 1:  # a mark in the place of one line saves nothing
        first = sum(len(each) + 1 for each in lines[: limits.head])
        last = len(text) - sum(len(each) + 1 for each in lines[-limits.tail :])
    if (first + len(text) - last if last else len(text)) > limits.characters:
        first = min(first, limits.characters - limits.characters // 2)
        last = max(last, len(text) - limits.characters // 2)
        num_lines = text.count("\n", first, last)
    if not last:
        return text, _Middle("", 0), ""
    return text[:first], _Middle(text[first:last], num_lines), text[last:]


class _Spelt(str):
    """A number as the model wrote it."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands there twice")
    return found


def object_laid(span: Span, limits: Limits | None) -> Iterator[Stretch]:
    """The arguments or the result of a call, one key a line; as it is where it is no object."""
    try:
        given = json.loads(
            span.text, object_pairs_hook=_pairs, parse_int=_Spelt, parse_float=_Spelt,
            parse_constant=_Spelt,
        )  # fmt: skip
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict) or not given:
        yield from cut(span.text, span.is_trained, limits)
        return
    for piece in _laid(cast(dict[str, Any], given), "\n" + _INDENT, limits):
        yield piece._replace(is_trained=span.is_trained and piece.kind != "layout")
    yield Stretch("\n", "layout")


def _laid(value: Any, margin: str, limits: Limits | None) -> Iterator[Stretch]:
    """Lay out a value of several lines; `margin` is the line end and the indentation of each."""
    if isinstance(value, dict):
        for key, each in cast(dict[str, Any], value).items():
            yield Stretch(margin, "layout")
            yield Stretch(f"{key}:", "key")
            yield from _beside(each, margin, limits)
    elif isinstance(value, list):
        for each in cast(list[Any], value):
            yield Stretch(f"{margin}-", "layout")
            yield from _beside(each, margin, limits)
    else:
        head, middle, tail = parts_of(value, limits)
        if middle.text:
            head, tail = head.removesuffix("\n"), tail.removeprefix("\n")
        shown = [Stretch(each, "text") for each in head.split("\n")]
        if middle.text:
            shown += [_hidden(middle, False), *(Stretch(x, "text") for x in tail.split("\n"))]
        for each in shown:
            yield Stretch(margin, "layout")
            yield each


def _beside(value: Any, margin: str, limits: Limits | None) -> Iterator[Stretch]:
    """A value that fits behind its key, or below it and further in."""
    line = _line(value)
    if "\n" not in line and (isinstance(value, str) or len(line) <= MAX_COMPACT):
        yield Stretch(" ", "layout")
        yield from cut(line, False, limits)
    else:
        yield from _laid(value, margin + _INDENT, limits)


def _line(value: Any) -> str:
    """A value in one line, unless it is a text of several, or has one in it."""
    if isinstance(value, _Spelt):
        return str(value)
    if isinstance(value, str):
        return value if "\n" in value or _is_plain(value) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        pairs = cast(dict[str, Any], value).items()
        return "{" + ", ".join(f"{_quoted(key)}: {_quoted(each)}" for key, each in pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_quoted(each) for each in cast(list[Any], value)) + "]"
    return json.dumps(value)


def _quoted(value: Any) -> str:
    is_text = isinstance(value, str) and not isinstance(value, _Spelt) and "\n" not in value
    return json.dumps(value, ensure_ascii=False) if is_text else _line(value)


def _is_plain(text: str) -> bool:
    """Whether a text can be told from a number, a list and the like without quotes."""
    if text != text.strip() or not text or text[0] in '"[{':
        return False
    try:
        json.loads(text)
    except ValueError:
        return True
    return False

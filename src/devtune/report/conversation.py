"""A rendered sample turn by turn: who speaks, what of it is trained, and calls laid out to be read.

Reads token ids and their labels; writes nothing. Labels alone say what is trained. What stands in
no token, such as the indentation of a call's arguments, is `layout` and never trained.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Literal, NamedTuple, cast

from devtune.data.renderer import (
    AVAILABLE_TOOLS,
    END_INST,
    END_TOOL_RESULTS,
    EOS,
    INST,
    SYSTEM_PROMPT,
    TOOL_RESULTS,
    Renderer,
    Span,
    num_trained,
)
from devtune.records import Message

Speaker = Literal["system", "tools", "user", "assistant", "tool"]
Kind = Literal["control", "text", "key", "layout", "hidden"]
END_AVAILABLE_TOOLS, END_SYSTEM_PROMPT = 6, 18
_SPEAKERS: Mapping[int, Speaker] = {
    INST: "user",
    TOOL_RESULTS: "tool",
    SYSTEM_PROMPT: "system",
    AVAILABLE_TOOLS: "tools",
}
_ENDS = frozenset((EOS, END_INST, END_TOOL_RESULTS, END_AVAILABLE_TOOLS, END_SYSTEM_PROMPT))
_CONTROL = re.compile(r"\[[^\]]*\]|<[^>]*>")
_INDENT = "    "
MAX_COMPACT = 100
"""Characters of a list or an object that stands in one line."""
NO_REASON = "no reason given"


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


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says, from its first control token to its last."""

    speaker: Speaker
    stretches: tuple[Stretch, ...]
    num_tokens: int
    num_trained: int

    def without_text(self) -> "Turn":
        """The same turn with all of its text hidden."""
        hidden = sum(len(x.text) + x.num_characters for x in self.stretches if x.kind != "layout")
        stretch = Stretch("", "hidden", self.num_trained > 0, 0, hidden)
        return replace(self, stretches=(stretch,))

    @property
    def num_shown(self) -> int:
        """Characters that are shown."""
        return sum(len(each.text) for each in self.stretches)

    @property
    def glimpse(self) -> str:
        """How it begins, in one line."""
        texts = (x.text for x in self.stretches if x.kind in ("text", "key"))
        return " ".join(" ".join(texts)[:400].split())[:160]


def turns_of(
    renderer: Renderer,
    input_ids: Sequence[int],
    labels: Sequence[int],
    context: Limits | None = None,
    answers: Limits | None = None,
) -> Iterator[Turn]:
    """Yield the turns of a sample, texts cut to `context`, what the assistant says to `answers`."""
    start = 0
    for end, token in enumerate(input_ids, 1):
        if token not in _ENDS and end < len(input_ids):
            continue
        ids, marks = input_ids[start:end], labels[start:end]
        speaker = _speaker(ids)
        limits = answers if speaker == "assistant" else context
        spans = list(_single(renderer.spans(ids, marks)))
        is_short = speaker == "tools" and limits is not None
        found = _only_names(spans) if is_short else _stretches(spans, limits)
        yield Turn(speaker, tuple(found), len(ids), num_trained(marks))
        start = end


def _speaker(ids: Sequence[int]) -> Speaker:
    for each in ids:
        if each in _SPEAKERS:
            return _SPEAKERS[each]
    return "assistant"


def mask_reasons(messages: Iterable[Message]) -> list[str]:
    """Why each turn of the assistant is not trained, `""` where it is.

    Messages that follow each other are one turn, as in the renderer.
    """
    found: list[str] = []
    for role, run in groupby(messages, key=lambda each: each.role):
        if role == "assistant":
            masked = [each.mask_reason or NO_REASON for each in run if not each.is_trained]
            found.append(", ".join(dict.fromkeys(masked)))
    return found


def _single(spans: Iterable[Span]) -> Iterator[Span]:
    """Control tokens one by one; only they stand in a control span."""
    for span in spans:
        if not span.is_control:
            yield span
            continue
        for name in _CONTROL.findall(span.text):
            yield span._replace(text=name)


def _stretches(spans: Sequence[Span], limits: Limits | None) -> Iterator[Stretch]:
    before = laid = None
    for span, after in zip(spans, (*spans[1:], None), strict=True):
        if span.is_control:
            if before and not before.is_control and span.text == "[TOOL_CALLS]" and before != laid:
                yield Stretch("\n", "layout")
            yield Stretch(span.text, "control", span.is_trained)
        elif _is_json(before) and _is_control(after):
            laid = span
            yield from _object(span, limits)
        else:
            yield from _cut(span.text, span.is_trained, limits)
        before = span


def _is_json(before: Span | None) -> bool:
    """Whether what follows may be an object: the arguments of a call, or what it gave."""
    return before is not None and before.is_control and before.text in ("[ARGS]", "[TOOL_RESULTS]")


def _is_control(span: Span | None) -> bool:
    return span is None or span.is_control


def _only_names(spans: Iterable[Span]) -> Iterator[Stretch]:
    """Definitions of tools are long and alike in all samples: their names are enough."""
    for span in spans:
        if span.is_control:
            yield Stretch(span.text, "control", span.is_trained)
            continue
        try:
            names = ", ".join(each["function"]["name"] for each in json.loads(span.text))
        except (ValueError, KeyError, TypeError):
            names = ""
        size = (span.text.count("\n"), len(span.text))
        yield Stretch(names, "hidden", span.is_trained, *size)


def _cut(text: str, is_trained: bool, limits: Limits | None) -> Iterator[Stretch]:
    """The text, or its beginning and its end and between them how much is hidden."""
    head, hidden, tail = _parts(text, limits)
    yield Stretch(head, "text", is_trained)
    if hidden.text:
        yield _hidden(hidden, is_trained)
        yield Stretch(tail, "text", is_trained)


class _Middle(NamedTuple):
    text: str
    num_lines: int


def _hidden(middle: _Middle, is_trained: bool) -> Stretch:
    return Stretch("", "hidden", is_trained, middle.num_lines, len(middle.text))


def _parts(text: str, limits: Limits | None) -> tuple[str, _Middle, str]:
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


def _object(span: Span, limits: Limits | None) -> Iterator[Stretch]:
    """The arguments or the result of a call, one key a line; as it is where it is no object."""
    try:
        given = json.loads(
            span.text, object_pairs_hook=_pairs, parse_int=_Spelt, parse_float=_Spelt,
            parse_constant=_Spelt,
        )  # fmt: skip
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict) or not given:
        yield from _cut(span.text, span.is_trained, limits)
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
        head, middle, tail = _parts(value, limits)
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
        yield from _cut(line, False, limits)
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

"""A rendered sample turn by turn: who speaks, what of it is trained, and calls laid out to be read.

Reads token ids and their labels; writes nothing. Labels alone say what is trained.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from devtune.data.renderers.mistral import (
    AVAILABLE_TOOLS,
    END_INST,
    END_SYSTEM_PROMPT,
    END_TOOL_RESULTS,
    EOS,
    INST,
    SYSTEM_PROMPT,
    TOOL_RESULTS,
    MistralRenderer,
)
from devtune.data.renderers.rows import Renderer, Span, num_trained
from devtune.data.renderers.windows import answers_of
from devtune.records import Message
from devtune.report.stretches import Limits, Stretch, cut, object_laid

Speaker = Literal["system", "tools", "user", "assistant", "tool"]
END_AVAILABLE_TOOLS = 6
_SPEAKERS: Mapping[int, Speaker] = {
    INST: "user",
    TOOL_RESULTS: "tool",
    SYSTEM_PROMPT: "system",
    AVAILABLE_TOOLS: "tools",
}
_ENDS = frozenset((EOS, END_INST, END_TOOL_RESULTS, END_AVAILABLE_TOOLS, END_SYSTEM_PROMPT))
_CONTROL = re.compile(r"\[[^\]]*\]|<[^>]*>")
NO_REASON = "no reason given"


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
    """Yield the turns of a sample, texts cut to `context`, what the assistant says to `answers`.

    The tokens of a chat template are one turn: nothing in them says who speaks.
    """
    ends = _ENDS if isinstance(renderer, MistralRenderer) else frozenset[int]()
    start = 0
    for end, token in enumerate(input_ids, 1):
        if token not in ends and end < len(input_ids):
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


def mask_reasons(messages: Sequence[Message]) -> list[str]:
    """Why each turn of the assistant is not trained, `""` where it is.

    Messages that follow each other are one turn, as in the renderer.
    """
    found: list[str] = []
    for start, end in answers_of(messages):
        run = messages[start:end]
        masked = [each.mask_reason or NO_REASON for each in run if not each.is_trained]
        found.append(", ".join(dict.fromkeys(masked)))
    return found


def reasons_beside(turns: Sequence[Turn], reasons: Sequence[str]) -> list[str]:
    """Give each turn the reason of its mask, `""` to all where `reasons` are of other turns."""
    answers = [each for each in turns if each.speaker == "assistant"]
    is_same = [not each.num_trained for each in answers] == [bool(each) for each in reasons]
    waiting = iter(reasons if is_same else ())
    return [next(waiting, "") if each.speaker == "assistant" else "" for each in turns]


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
            yield from object_laid(span, limits)
        else:
            yield from cut(span.text, span.is_trained, limits)
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

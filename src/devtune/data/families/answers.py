"""A change written down in one of the three forms of answer, and checked by applying it.

Reads the file of tool definitions; writes nothing.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from devtune.data.families.blocks import Block, apply_answer, find_blocks, write_blocks
from devtune.data.families.calls import (
    apply_calls,
    closing_sentence,
    find_actions,
    open_tools,
    write_calls,
)
from devtune.data.families.deltas import Delta
from devtune.data.families.hunks import Span, count_changed, find_hunks, whole_lines
from devtune.data.families.patches import CONTEXT, apply_patch, write_patch
from devtune.records import Message
from devtune.steps.families import ChangeFamily, ChangeFormats

FORMS = ("search_replace", "unified_diff", "tool_calls")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the assistant is trained to say."""

    form: str
    messages: tuple[Message, ...]
    needed: tuple[tuple[Span, ...], ...]
    """Lines of each file the answer quotes, so the request has to show them."""
    tools: str = ""
    """Definitions of the tools it calls."""


def write_answer(
    step: ChangeFamily, deltas: Sequence[Delta], subject: str, key: str
) -> Answer | str:
    """Return the change in the form a hash of `key` picks, or another it can be said in.

    A string names each form and why the change cannot be said in it.
    """
    refused: list[str] = []
    for form in order_forms(step.formats, key):
        match form:
            case "search_replace":
                answer = _blocks(deltas)
            case "unified_diff":
                answer = _patch(deltas)
            case _:
                answer = _calls(step, deltas, subject, key)
        if isinstance(answer, Answer):
            return answer
        refused.append(f"{form}: {answer}")
    return ", ".join(refused)


def order_forms(formats: ChangeFormats, key: str) -> list[str]:
    """Return the forms that have a weight, the one a hash of `key` picks first."""
    weights = [getattr(formats, form) for form in FORMS]
    digest = hashlib.sha256(f"form {key}".encode("utf-8", "replace")).digest()
    place = int.from_bytes(digest[:6], "big") / 2**48 * sum(weights)
    ends = accumulate(weights)
    picked = next((n for n, end in enumerate(ends) if place < end), 0)
    order = (*range(picked, len(FORMS)), *range(picked))
    return [FORMS[n] for n in order if weights[n]]


def _blocks(deltas: Sequence[Delta]) -> Answer | str:
    written: list[str] = []
    needed: list[tuple[Span, ...]] = []
    for delta in deltas:
        blocks = _find_blocks(delta)
        if isinstance(blocks, str):
            return blocks
        written.append(write_blocks(delta.path, blocks))
        needed.append(_spans(blocks))
    text = "\n\n".join(written)
    texts = {each.path: "".join(whole_lines(each.old)) for each in deltas}
    wanted = {each.path: "".join(whole_lines(each.new)) for each in deltas}
    if apply_answer(texts, text) != wanted:
        return "marker_in_the_text"
    return Answer("search_replace", (Message("assistant", text),), tuple(needed))


def _find_blocks(delta: Delta) -> list[Block] | str:
    if delta.state == "deleted":
        return "file_deleted"
    if not delta.new:
        return "file_emptied"
    if delta.new.endswith("\n") != (delta.old.endswith("\n") or not delta.old):
        return "last_line_end"
    old, new = whole_lines(delta.old), whole_lines(delta.new)
    hunks = delta.hunks
    if not delta.old.endswith("\n") and delta.old:
        found = find_hunks(old, new, count_changed(delta.hunks) + 1)
        if isinstance(found, str):
            return found
        hunks = found
    return find_blocks(old, new, hunks) or "not_unique"


def _patch(deltas: Sequence[Delta]) -> Answer | str:
    text = write_patch(deltas)
    texts = {each.path: each.old for each in deltas if each.state != "new"}
    if apply_patch(texts, text) != _wanted(deltas):
        return "not_expressible"
    needed = (tuple((a - CONTEXT, b + CONTEXT) for a, b, _, _ in delta.hunks) for delta in deltas)
    return Answer("unified_diff", (Message("assistant", text),), tuple(needed))


def _calls(step: ChangeFamily, deltas: Sequence[Delta], subject: str, key: str) -> Answer | str:
    found = find_actions(deltas)
    if isinstance(found, str):
        return found
    actions, blocks = found
    messages = tuple(write_calls(actions, closing_sentence(subject), key))
    texts = {each.path: each.old for each in deltas if each.state != "new"}
    calls = (call for message in messages for call in message.tool_calls)
    if apply_calls(texts, calls) != _wanted(deltas):
        return "not_expressible"
    needed = tuple(_spans(each) for each in blocks)
    return Answer("tool_calls", messages, needed, open_tools(step.tools).text)


def _wanted(deltas: Sequence[Delta]) -> dict[str, str]:
    return {each.path: each.new for each in deltas if each.state != "deleted"}


def _spans(blocks: Sequence[Block]) -> tuple[Span, ...]:
    return tuple((each.first, each.last) for each in blocks)

"""A talk as messages: repaired so that the server's own format can hold it, masks kept.

Works on talks in memory; reads and writes no files.
"""

import json
import re
from collections.abc import Iterator
from typing import Literal

from devtune.data.trajectories.rules import is_malformed
from devtune.data.trajectories.talk import Called, Talk, Turn
from devtune.records import Message, ToolCall


def segments_of(talk: Talk) -> list[list[Turn]]:
    """Cut where the agent summed up what was before: the model saw nothing of it any more.

    Each part after the first begins with the system prompt, then the summary.
    """
    parts: list[list[Turn]] = [[]]
    for turn in talk.turns:
        if turn.is_compaction:
            opening = [each for each in parts[0] if each.source == "system"]
            parts.append(opening)
        parts[-1].append(turn)
    return [part for part in parts if any(each.source == "agent" for each in part)]


def messages_of(talk: Talk, turns: list[Turn]) -> tuple[Message, ...]:
    """Return the messages of one part, the last one an assistant's; empty where none is left.

    Results stand in the order of their calls. A call that was never answered is taken out, and its
    turn not trained: at the end it is cut off with its turn.
    """
    turns = list(turns)
    while turns and not _is_end(turns[-1]):
        if turns.pop().source == "agent":
            talk.note("dangling_call_cut")
    messages: list[Message] = []
    number = 0
    for position, turn in enumerate(turns):
        if turn.source != "agent":
            if turn.text.strip():
                messages.append(Message(_role_of(turn, messages, talk), turn.text))
            continue
        is_last = position == len(turns) - 1
        answered = [each for each in turn.calls if each.result is not None]
        if len(answered) < len(turn.calls):
            talk.note("unanswered_call_removed")
            turn.hide("unanswered_call")
        for call in answered:
            if is_malformed(call):
                turn.hide("malformed_call")
        if not turn.text.strip() and not answered:
            continue
        calls = tuple(_call(each, number + index) for index, each in enumerate(answered))
        number += len(calls)
        messages.append(
            Message("assistant", turn.text, calls, "", not turn.mask, turn.mask, turn.reasoning)
        )
        if is_last and not calls:
            break
        messages += _results(answered, calls)
        if turn.observed:
            messages.append(Message("user", turn.observed))
    while messages and messages[-1].role != "assistant":
        messages.pop()
    return tuple(messages)


def _role_of(turn: Turn, before: list[Message], talk: Talk) -> Literal["system", "user"]:
    """A server takes system text at the beginning and after a request; elsewhere it is asked."""
    if turn.source == "system" and before and before[-1].role not in ("system", "user"):
        talk.note("system_as_user")
        return "user"
    return "system" if turn.source == "system" else "user"


def _is_end(turn: Turn) -> bool:
    """Whether a part may end here: the model spoke, and no call is left open."""
    if turn.source != "agent":
        return False
    is_open = any(each.result is None for each in turn.calls)
    return bool(turn.text.strip() or turn.calls) and not is_open


def _results(answered: list[Called], calls: tuple[ToolCall, ...]) -> Iterator[Message]:
    for each, call in zip(answered, calls, strict=True):
        yield Message("tool", each.result or "", tool_call_id=call.id)


def _call(call: Called, number: int) -> ToolCall:
    """Ids are new ones of nine letters and digits, which every tokenizer version takes."""
    arguments = {"raw": call.raw} if call.raw else call.arguments
    name = re.sub(r"[^a-zA-Z0-9_-]", "_", call.name)[:64] or "unnamed"
    return ToolCall(f"call{number:05}", name, json.dumps(arguments, ensure_ascii=False))

"""OpenCode and Kilo's program: what `export` writes, a session's messages with their parts.

Neither the system prompt nor the tools are in it. Compaction is read by the schema.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from devtune.data.sessions.draft import Call, Draft
from devtune.data.sessions.log import Log, as_string
from devtune.data.sources.fields import Object, as_object, as_objects

NAME = "opencode"


def recognises(log: Log) -> bool:
    """Whether there are a session's facts, and messages that are facts and parts."""
    messages = as_objects(log.document.get("messages"))
    is_session = isinstance(as_object(log.document.get("info")).get("id"), str)
    return is_session and bool(messages) and all(_is_message(each) for each in messages)


def read(log: Log) -> Iterator[Draft]:
    """Yield the session."""
    info = as_object(log.document["info"])
    draft = Draft("opencode", as_string(info.get("version")), as_string(info.get("id")))
    draft.parent = as_string(info.get("parentID"))
    draft.directory = as_string(info.get("directory"))
    draft.date = _date(as_object(info.get("time")).get("created"))
    for each in as_objects(log.document.get("messages")):
        about, parts = as_object(each["info"]), as_objects(each["parts"])
        if about.get("role") == "assistant":
            _answer(draft, about, parts)
        elif about.get("role") == "user":
            _listen(draft, parts)
    yield draft


def _is_message(value: Object) -> bool:
    role = as_object(value.get("info")).get("role")
    return isinstance(role, str) and isinstance(value.get("parts"), list)


def _date(value: Any) -> str:
    try:
        return datetime.fromtimestamp(float(value) / 1000, UTC).isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


def _listen(draft: Draft, parts: list[Object]) -> None:
    texts = [
        each for each in parts if each.get("type") == "text" and each.get("ignored") is not True
    ]
    for is_injected in (False, True):
        chosen = [each for each in texts if (each.get("synthetic") is True) == is_injected]
        if text := _text_of(chosen):
            draft.user(text, is_injected=is_injected)


def _answer(draft: Draft, about: Object, parts: list[Object]) -> None:
    draft.model = draft.model or as_string(about.get("modelID"))
    if about.get("summary") is True:
        text = _text_of([each for each in parts if each.get("type") == "text"])
        draft.user(text, is_injected=True, is_compaction=True)
        return
    for step in _steps(parts):
        tools = [each for each in step if each.get("type") == "tool"]
        text = _text_of([each for each in step if each.get("type") == "text"])
        thoughts = _text_of([each for each in step if each.get("type") == "reasoning"])
        if not text and not tools:
            continue
        draft.agent_turn(text, [_call(each) for each in tools], thoughts)
        for each in tools:
            _result(draft, each)
    if as_object(about.get("error")).get("name") == "MessageAbortedError":
        draft.undo_last()


def _steps(parts: list[Object]) -> list[list[Object]]:
    """The answers in a message, which in older versions were several."""
    found: list[list[Object]] = [[]]
    for each in parts:
        if each.get("type") == "step-start":
            found.append([])
        found[-1].append(each)
    return found


def _text_of(parts: list[Object]) -> str:
    return "\n".join(filter(None, (as_string(each.get("text")) for each in parts)))


def _call(part: Object) -> Call:
    state = as_object(part.get("state"))
    given: Any = state.get("input") or {}
    if "JSON parsing failed" in as_string(state.get("error"))[:200]:
        given = as_string(as_object(given).get("value")) or " "
    return Call(as_string(part.get("callID")), as_string(part.get("tool")), given)


def _result(draft: Draft, part: Object) -> None:
    state = as_object(part.get("state"))
    code = as_object(state.get("metadata")).get("exit")
    name = as_string(part.get("callID"))
    if state.get("status") == "error":
        draft.result(name, as_string(state.get("error")), is_error=True)
    elif state.get("status") == "completed":
        draft.result(
            name,
            as_string(state.get("output")),
            is_error=False,
            exit_code=code if isinstance(code, int) and not isinstance(code, bool) else None,
        )

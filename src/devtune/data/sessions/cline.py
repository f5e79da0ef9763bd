"""Cline, Roo and Kilo: a task's API conversation, messages in Anthropic's blocks.

The extensions write an array; the program of the command line a document that has more: the system
prompt, and what the session is called. Older versions call tools in XML inside the text: that is
then what the model said, and stays text.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from devtune.data.sessions.blocks import add_result, blocks_of, calls_of, texts_of, thinking_of
from devtune.data.sessions.draft import Call, Draft, clean_tree
from devtune.data.sessions.log import Log, as_content, as_string
from devtune.data.sources.fields import Object, as_object, as_objects

NAME = "cline"
_BLOCKS = frozenset({"text", "tool_use", "tool_result", "thinking", "image", "redacted_thinking"})
_TYPED = re.compile(r'(?s)<user_input mode="[^"]*">(.*)</user_input>\s*')
_NO_JSON = "emitted invalid JSON arguments"
_EXIT_CODE = re.compile(r"\[Command exited with code (-?\d{1,9})\]")


def recognises(log: Log) -> bool:
    """Whether only users and assistants speak, in blocks, with time stamps or calls."""
    _, messages = next(_tasks(log), ({}, []))
    if not messages or not all(_is_message(each) for each in messages):
        return False
    types = {_type(block) for each in messages for block in blocks_of(each["content"])}
    has_calls = bool(types & {"tool_use", "tool_result"})
    return types <= _BLOCKS and (has_calls or any("ts" in each for each in messages))


def read(log: Log) -> Iterator[Draft]:
    """Yield the task, or each of them."""
    for document, messages in _tasks(log):
        yield _task(document, [each for each in messages if _is_message(each)])


def _tasks(log: Log) -> Iterator[tuple[Object, list[Object]]]:
    """Documents with their messages; a file of messages alone is one task."""
    if log.kind != "document" and _is_message(log.first):
        yield {}, list(log.objects)
        return
    for each in log.objects:
        yield each, as_objects(each.get("messages"))


def _task(document: Object, messages: list[Object]) -> Draft:
    origin = as_object(document.get("origin"))
    draft = Draft("cline", as_string(origin.get("version")), as_string(document.get("sessionId")))
    draft.parent = as_string(origin.get("parentThreadId"))
    if prompt := as_string(document.get("system_prompt") or document.get("system")):
        draft.system(prompt)
    wrong = _wrong_calls(messages)
    for each in messages:
        blocks = blocks_of(each["content"])
        if each["role"] == "assistant":
            info = as_object(each.get("modelInfo"))
            draft.model = draft.model or as_string(info.get("id"))
            calls = [
                Call(call.id, call.name, wrong.get(call.id, call.arguments))
                for call in calls_of(blocks)
            ]
            draft.agent_turn(texts_of(blocks), calls, thinking_of(blocks))
            continue
        for block in blocks:
            if block.get("type") == "tool_result":
                _answer(draft, block)
        if text := texts_of(blocks):
            typed = _TYPED.fullmatch(text)
            draft.user(typed[1] if typed else text)
    return draft


def _type(block: Object) -> str:
    return as_string(block.get("type"))


def _is_message(value: Object) -> bool:
    is_spoken = isinstance(value.get("content"), list | str)
    return value.get("role") in ("user", "assistant") and is_spoken


def _wrong_calls(messages: list[Object]) -> dict[str, str]:
    """By call id, what was said where the arguments were no JSON: they are not in the log."""
    found: dict[str, str] = {}
    for each in messages:
        for block in blocks_of(each["content"]):
            text = _result_text(block.get("content"))
            if _type(block) == "tool_result" and _NO_JSON in text[:300]:
                found[as_string(block.get("tool_use_id"))] = f"not JSON: {text}"
    return found


def _result_text(content: Any) -> str:
    """What the model read: several results are sent as the JSON they are."""
    text = as_content(content)
    if not text and isinstance(content, list) and content:
        if all(_type(each) == "image" for each in as_objects(content)):
            return text
        return json.dumps(clean_tree(content), ensure_ascii=False, separators=(",", ":"))
    return text


def _answer(draft: Draft, block: Object) -> None:
    text = _result_text(block.get("content"))
    is_error = block.get("is_error")
    succeeded = _success(text)
    code = _EXIT_CODE.search(text[:20_000]) if succeeded is False else None
    if not isinstance(is_error, bool) and succeeded is not None:
        is_error = not succeeded
    add_result(draft, block, text, is_error, code)


def _success(text: str) -> bool | None:
    """Whether all that a call did succeeded, where its result says so."""
    if not text.startswith(("{", "[{")):
        return None
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    told = [
        each.get("success") for each in as_objects(value if isinstance(value, list) else [value])
    ]
    return all(told) if told and all(isinstance(each, bool) for each in told) else None

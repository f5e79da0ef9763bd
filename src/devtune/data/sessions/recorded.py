"""Journals of `devtune record`: requests, and what was answered, as they went over the wire."""

import json
import re
from collections.abc import Iterator
from typing import Any

from devtune.data.sessions.completions import Exchange, sessions_of
from devtune.data.sessions.draft import Draft
from devtune.data.sessions.log import Log, as_string
from devtune.data.sessions.openai_messages import is_message, messages_of
from devtune.data.sources.fields import Object, as_number, as_object, as_objects
from devtune.records.journal import FORMAT, REQUEST, RESPONSE

NAME = "recorded"
_END_OF_LINE = re.compile(r"\r\n|\n|\r")
"""Of the stream; a text may hold others that Python splits at."""


def recognises(log: Log) -> bool:
    """Whether the first line names the format."""
    return log.first.get("format") == FORMAT


def read(log: Log) -> Iterator[Draft]:
    """Yield each conversation; an answer that was cut off is not what the model would have said."""
    requests: dict[str, Object] = {}
    exchanges: list[Exchange] = []
    for line in log.objects[1:]:
        name = as_string(line.get("id"))
        if line.get("event") == REQUEST:
            requests[name] = as_object(_json(line.get("body")))
        elif line.get("event") == RESPONSE and _is_whole(line):
            request = requests.pop(name, {})
            answer = answer_of(as_string(line.get("body")))
            if messages_of(request) and is_message(answer):
                exchanges.append(Exchange(request, answer))
    about = Draft("openai", session_id=as_string(log.first.get("journal")))
    about.date = as_string(log.first.get("at"))
    yield from sessions_of(exchanges, about)


def _is_whole(response: Object) -> bool:
    return response.get("is_complete") is True and response.get("status", 200) == 200


def answer_of(body: str) -> Object:
    """Return the message of a response, put together where it was streamed; empty without one."""
    if not body.lstrip().startswith(("data:", "event:", ":", "id:")):
        choices = as_objects(as_object(_json(body)).get("choices"))
        return as_object(choices[0].get("message")) if choices else {}
    message: Object = {"role": "assistant", "content": ""}
    calls: dict[int, Object] = {}
    is_whole = False
    for line in _END_OF_LINE.split(body):
        if not line.startswith("data:"):
            continue
        event = as_object(_json(line[5:]))
        if event.get("error"):
            return {}
        is_whole = is_whole or line[5:].strip() == "[DONE]"
        choices = as_objects(event.get("choices"))
        if choices and choices[0].get("index", 0) == 0:
            is_whole = is_whole or bool(choices[0].get("finish_reason"))
            _add(message, calls, as_object(choices[0].get("delta")))
    if calls:
        message["tool_calls"] = [calls[index] for index in sorted(calls)]
    return message if is_whole else {}


def _add(message: Object, calls: dict[int, Object], delta: Object) -> None:
    message["content"] += as_string(delta.get("content"))
    thought = as_string(delta.get("reasoning_content") or delta.get("reasoning"))
    if thought:
        message["reasoning_content"] = message.get("reasoning_content", "") + thought
    for part in as_objects(delta.get("tool_calls")):
        function = as_object(part.get("function"))
        empty: Object = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
        call = calls.setdefault(as_number(part.get("index")), empty)
        call["id"] = call["id"] or as_string(part.get("id"))
        call["function"]["name"] += as_string(function.get("name"))
        call["function"]["arguments"] += as_string(function.get("arguments"))


def _json(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None

"""What a sample says, as plain text: the whole of it, or only what is trained.

Reads and writes nothing.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from devtune.records import Message, Sample


def text_of(sample: Sample) -> str:
    """Everything that is shown or trained, arguments of tool calls unescaped."""
    return "\n".join(part for each in sample.messages for part in _parts(each))


def said_in(messages: Iterable[Message]) -> list[tuple[Any, ...]]:
    """All that is said and called, for the hashes that are ids; who is trained does not count."""
    return [
        (
            each.role,
            each.content,
            *filter(None, (each.reasoning_content,)),
            *((call.name, call.arguments) for call in each.tool_calls),
        )
        for each in messages
    ]


def answer_of(sample: Sample) -> str:
    """What is trained: the assistant's messages and tool calls without those kept as context."""
    return "\n".join(
        part
        for each in sample.messages
        if each.role == "assistant" and each.is_trained
        for part in _parts(each)
    )


def _parts(message: Message) -> Iterator[str]:
    yield from filter(None, (message.reasoning_content, message.content))
    for call in message.tool_calls:
        yield call.name
        try:
            arguments = json.loads(call.arguments)
        except (ValueError, RecursionError):
            yield call.arguments
        else:
            yield from strings_in(arguments)


def strings_in(value: Any) -> list[str]:
    """Return the strings of a JSON value, keys left out, in their order, however deep it is."""
    found: list[str] = []
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            found.append(each)
        elif isinstance(each, dict):
            waiting.extend(reversed(list(each.values())))
        elif isinstance(each, list):
            waiting.extend(reversed(each))
    return found

"""Cline, Roo and Kilo: a task's API conversation, an array of messages in Anthropic's blocks.

Older versions call tools in XML inside the text: that is then what the model said, and stays text.
"""

from collections.abc import Iterator

from devtune.data.sessions.blocks import add_results, blocks_of, calls_of, texts_of, thinking_of
from devtune.data.sessions.draft import Draft
from devtune.data.sessions.log import Log
from devtune.data.sources.fields import Object

NAME = "cline"
_BLOCKS = frozenset({"text", "tool_use", "tool_result", "thinking", "image", "redacted_thinking"})


def recognises(log: Log) -> bool:
    """Whether only users and assistants speak, in blocks, with time stamps or calls."""
    if log.kind != "array" or not log.objects:
        return False
    if not all(_is_message(each) for each in log.objects):
        return False
    types = {block.get("type") for each in log.objects for block in blocks_of(each["content"])}
    has_calls = bool(types & {"tool_use", "tool_result"})
    return types <= _BLOCKS and (has_calls or any("ts" in each for each in log.objects))


def read(log: Log) -> Iterator[Draft]:
    """Yield the task."""
    draft = Draft("cline")
    for each in log.objects:
        blocks = blocks_of(each["content"])
        if each["role"] == "assistant":
            draft.agent_turn(texts_of(blocks), calls_of(blocks), thinking_of(blocks))
            continue
        add_results(draft, blocks)
        if text := texts_of(blocks):
            draft.user(text)
    yield draft


def _is_message(value: Object) -> bool:
    is_spoken = isinstance(value.get("content"), list | str)
    return value.get("role") in ("user", "assistant") and is_spoken

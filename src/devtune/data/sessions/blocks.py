"""Content blocks of the Anthropic API, which several agents keep as they are.

Works on values in memory; reads and writes no files.
"""

import re
from typing import Any

from devtune.data.sessions.draft import Call, Draft
from devtune.data.sessions.log import as_content, as_string
from devtune.data.sources.fields import Object, as_objects

DECLINED = ("doesn't want to proceed with this tool use", "The user denied this operation")
"""What is said in place of a result when a person declines a call."""
_EXIT_CODE = re.compile(r"Exit code (\d{1,9})(?:\n|$)")
"""How the result of a command begins that ended with another number than 0: no error of a tool."""


def blocks_of(content: Any) -> list[Object]:
    """Return the blocks of a message; a plain text is one block."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return as_objects(content)


def texts_of(blocks: list[Object]) -> str:
    """Return the texts among blocks, one below the other."""
    return as_content([each for each in blocks if each.get("type") in ("text", "thinking_text")])


def thinking_of(blocks: list[Object]) -> str:
    """Return what was thought, as far as it is readable."""
    found = [as_string(each.get("thinking")) for each in blocks if each.get("type") == "thinking"]
    return "\n".join(filter(None, found))


def calls_of(blocks: list[Object]) -> list[Call]:
    """Return the calls among blocks."""
    return [
        Call(as_string(each.get("id")), as_string(each.get("name")), each.get("input") or {})
        for each in blocks
        if each.get("type") == "tool_use"
    ]


def add_results(draft: Draft, blocks: list[Object]) -> bool:
    """Answer calls from `tool_result` blocks; whether there were any."""
    results = [each for each in blocks if each.get("type") == "tool_result"]
    for each in results:
        text = as_content(each.get("content"))
        add_result(draft, each, text, each.get("is_error"), _EXIT_CODE.match(text))
    return bool(results)


def add_result(
    draft: Draft, block: Object, text: str, is_error: Any, code: re.Match[str] | None
) -> None:
    """Add what a call gave; a command that ended with a code of its own is no error of a tool."""
    draft.result(
        as_string(block.get("tool_use_id")),
        text,
        is_error=is_error and code is None if isinstance(is_error, bool) else None,
        exit_code=int(code[1]) if code else None,
        is_undone=any(words in text for words in DECLINED),
    )

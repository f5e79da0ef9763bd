"""Messages as the OpenAI API has them."""

from typing import Any

from devtune.records import Message


def to_openai(message: Message) -> dict[str, Any]:
    """Return a message as the OpenAI API has it."""
    result: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.reasoning_content:
        result["reasoning_content"] = message.reasoning_content
    if message.tool_calls:
        result["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id:
        result["tool_call_id"] = message.tool_call_id
    return result

"""mini-swe-agent: the messages of a trajectory; calls of tools, or of a shell in a fenced block."""

import re
from collections.abc import Iterator

from devtune.data.sessions.draft import Draft
from devtune.data.sessions.log import Log, as_content, as_string
from devtune.data.sessions.openai_messages import calls_of
from devtune.data.sources.fields import Object, as_object, as_objects

NAME = "mini_swe_agent"
_RETURNCODE = re.compile(r"<returncode>(-?\d+)</returncode>|\"returncode\": (-?\d+)")


def recognises(log: Log) -> bool:
    """Whether the format names itself."""
    return as_string(log.document.get("trajectory_format")).startswith("mini-swe-agent")


def read(log: Log) -> Iterator[Draft]:
    """Yield the trajectory."""
    document = log.document
    info = as_object(document.get("info"))
    draft = Draft("mini-swe-agent", as_string(info.get("mini_version")))
    draft.task = as_string(document.get("instance_id"))
    draft.exit_status = as_string(info.get("exit_status"))
    draft.is_complete = draft.exit_status == "Submitted"
    config = as_object(info.get("config"))
    draft.model = as_string(as_object(config.get("model")).get("model_name"))
    draft.directory = as_string(as_object(config.get("environment")).get("cwd"))
    for each in as_objects(document.get("messages")):
        _add(draft, each)
    yield draft


def _add(draft: Draft, message: Object) -> None:
    text = as_content(message.get("content"))
    extra = as_object(message.get("extra"))
    match message.get("role"):
        case "system":
            draft.system(text)
        case "assistant":
            thoughts = as_content(message.get("reasoning_content"))
            draft.agent_turn(text, calls_of(message), thoughts)
        case "tool":
            code = extra.get("returncode")
            draft.result(
                as_string(message.get("tool_call_id")),
                text,
                exit_code=code if isinstance(code, int) else _code_in(text),
            )
        case "user":
            # Only the first one is a person's: the others are what the shell printed.
            is_first = not any(each["source"] == "user" for each in draft.steps)
            draft.user(text, is_injected=not is_first)
        case _:
            pass  # `exit` is the program's


def _code_in(text: str) -> int | None:
    match = _RETURNCODE.search(text, 0, 2000)
    return int(match[1] or match[2]) if match else None

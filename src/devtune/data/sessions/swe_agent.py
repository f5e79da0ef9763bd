"""SWE-agent: the `history` of a `.traj`, demonstrations kept apart."""

from collections.abc import Iterator

from devtune.data.sessions.draft import Draft
from devtune.data.sessions.log import Log, as_content, as_string
from devtune.data.sessions.openai_messages import calls_of
from devtune.data.sources.fields import Object, as_object, as_objects

NAME = "swe_agent"


def recognises(log: Log) -> bool:
    """Whether there is a history beside a trajectory."""
    document = log.document
    has_both = all(isinstance(document.get(name), list) for name in ("history", "trajectory"))
    return has_both and isinstance(document.get("info"), dict)


def read(log: Log) -> Iterator[Draft]:
    """Yield the trajectory."""
    info = as_object(log.document["info"])
    draft = Draft("swe-agent", as_string(info.get("swe_agent_version")))
    draft.exit_status = as_string(info.get("exit_status"))
    draft.is_complete = draft.exit_status == "submitted"
    draft.task = as_string(log.document.get("instance_id"))
    for each in as_objects(log.document["history"]):
        _add(draft, each)
    yield draft


def _add(draft: Draft, message: Object) -> None:
    text = as_content(message.get("content"))
    match message.get("role"):
        case "system":
            draft.system(text)
        case "assistant":
            is_demo = message.get("is_demo") is True
            draft.agent_turn(text, calls_of(message), is_copied=is_demo)
        case "tool":
            ids = message.get("tool_call_ids")
            first = ids[0] if isinstance(ids, list) and ids else message.get("tool_call_id")
            draft.result(as_string(first), text)
        case "user":
            is_first = not any(each["source"] == "user" for each in draft.steps)
            is_demo = message.get("is_demo") is True
            draft.user(text, is_injected=is_demo or not is_first)
        case _:
            pass

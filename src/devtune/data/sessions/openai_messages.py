"""Plain chat messages as the OpenAI API has them, with or without `tools`: documents and lines."""

from collections.abc import Iterable, Iterator

from devtune.data.sessions.draft import Call, Draft, clean_tree
from devtune.data.sessions.log import Log, as_content, as_string
from devtune.data.sources.fields import Object, as_object, as_objects

NAME = "openai"
ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_HOLDERS = ("messages", "trajectory", "conversation")


def recognises(log: Log) -> bool:
    """Whether there are messages with roles, in one conversation or one a line."""
    if messages_of(log.first):
        return True
    return log.kind != "document" and bool(log.objects) and all(map(is_message, log.objects))


def read(log: Log) -> Iterator[Draft]:
    """Yield each conversation."""
    if log.kind != "document" and is_message(log.first):
        yield conversation(Draft("openai"), log.objects)
        return
    for each in log.objects:
        about = as_object(each.get("meta")) | each
        draft = Draft("openai", model=as_string(each.get("model")))
        draft.session_id = _first(about, ("session_id", "trajectory_id", "id"))
        draft.task = _first(about, ("task_id", "instance_id"))
        draft.exit_status = _first(about, ("exit_status",))
        draft.tools = tools_of(each)
        resolved = about.get("resolved")
        if isinstance(resolved, bool | int):
            draft.outcome = "resolved" if resolved else "unresolved"
        yield conversation(draft, messages_of(each))


def messages_of(value: Object) -> list[Object]:
    """Return the messages an object holds, none where it holds something else."""
    for name in _HOLDERS:
        found = as_objects(value.get(name))
        if found and all(map(is_message, found)):
            return found
    return []


def is_message(value: Object) -> bool:
    """Whether an object is one chat message."""
    role = value.get("role")
    return isinstance(role, str) and role in ROLES and ("content" in value or "tool_calls" in value)


def tools_of(value: Object) -> list[Object] | None:
    """Return the definitions of tools an object holds, as they are."""
    found = value.get("tools")
    return clean_tree(as_objects(found)) if isinstance(found, list) else None


def conversation(draft: Draft, messages: Iterable[Object]) -> Draft:
    """Add messages to a draft, in their order."""
    for each in messages:
        add_message(draft, each)
    return draft


def add_message(draft: Draft, message: Object) -> None:
    """Add one message."""
    text = as_content(message.get("content"))
    match message["role"]:
        case "system" | "developer":
            draft.system(text)
        case "user":
            draft.user(text, is_injected=message.get("injected") is True)
        case "assistant":
            reasoning = as_content(message.get("reasoning_content") or message.get("reasoning"))
            draft.agent_turn(text, calls_of(message), reasoning)
        case _:
            draft.result(as_string(message.get("tool_call_id")), text)


def calls_of(message: Object) -> list[Call]:
    """Return the calls of an assistant's message."""
    found: list[Call] = []
    for each in as_objects(message.get("tool_calls")):
        function = as_object(each.get("function"))
        name = as_string(function.get("name"))
        found.append(Call(as_string(each.get("id")), name, function.get("arguments") or {}))
    return found


def _first(value: Object, names: Iterable[str]) -> str:
    return next((text for name in names if (text := as_string(value.get(name)))), "")

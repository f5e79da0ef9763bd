"""OpenHands 0: the `output.jsonl` of an evaluation, one task a line with the history of its events.

Written from the program's schema. What the model answered stands in each event that came of it, so
an answer with several calls is there several times.
"""

from collections.abc import Iterator

from devtune.data.sessions.draft import Draft, clean_tree
from devtune.data.sessions.log import Log, as_content, as_string
from devtune.data.sessions.openai_messages import calls_of
from devtune.data.sources.fields import Object, as_object, as_objects

NAME = "openhands_output"


def recognises(log: Log) -> bool:
    """Whether a task has a history of actions and observations."""
    events = _events(log.first)
    has_task = isinstance(log.first.get("instance_id"), str)
    return has_task and bool(events) and all(_is_event(each) for each in events)


def read(log: Log) -> Iterator[Draft]:
    """Yield each task."""
    for each in log.objects:
        metadata = as_object(each.get("metadata"))
        draft = Draft("openhands", as_string(metadata.get("agent_version")) or "0")
        draft.task = as_string(each.get("instance_id"))
        draft.session_id = draft.task
        draft.model = as_string(as_object(metadata.get("llm_config")).get("model"))
        events = _events(each)
        draft.date = as_string(events[0].get("timestamp")) if events else ""
        told: set[str] = set()
        for event in events:
            if "observation" in event:
                _observe(draft, event)
            else:
                _act(draft, event, told)
        error = as_string(each.get("error"))
        draft.exit_status = "error" if error else ""
        draft.is_complete = any(event.get("action") == "finish" for event in events) and not error
        resolved = _report(each).get("resolved")
        if isinstance(resolved, bool):
            draft.outcome = "resolved" if resolved else "unresolved"
        yield draft


def _events(task: Object) -> list[Object]:
    """The events; some versions keep an action and its observation as a pair."""
    history = task.get("history")
    found: list[Object] = []
    for each in history if isinstance(history, list) else ():
        found += as_objects(each if isinstance(each, list) else [each])
    return found


def _is_event(value: Object) -> bool:
    return isinstance(value.get("action") or value.get("observation"), str)


def _report(task: Object) -> Object:
    return as_object(task.get("report") or as_object(task.get("test_result")).get("report"))


def _act(draft: Draft, event: Object, told: set[str]) -> None:
    args = as_object(event.get("args"))
    response = as_object(as_object(event.get("tool_call_metadata")).get("model_response"))
    choices = as_objects(response.get("choices"))
    if choices:
        name = as_string(response.get("id")) or str(event.get("id"))
        if name not in told:
            told.add(name)
            message = as_object(choices[0].get("message"))
            thoughts = as_content(message.get("reasoning_content"))
            draft.agent_turn(as_content(message.get("content")), calls_of(message), thoughts)
        return
    text = as_string(args.get("content") or args.get("message") or args.get("thought"))
    match event.get("action"), event.get("source"):
        case "system", _:
            draft.system(text)
            tools = args.get("tools")
            draft.tools = clean_tree(as_objects(tools)) if isinstance(tools, list) else None
        case "message", "user":
            # After the task it is the evaluation that says to go on.
            is_first = not any(each["source"] == "user" for each in draft.steps)
            draft.user(text, is_injected=not is_first)
        case (("message" | "finish"), "agent"):
            draft.agent_turn(text)
        case _:
            pass


def _observe(draft: Draft, event: Object) -> None:
    metadata = as_object(event.get("tool_call_metadata"))
    extras = as_object(event.get("extras"))
    code = as_object(extras.get("metadata")).get("exit_code", extras.get("exit_code"))
    draft.result(
        as_string(metadata.get("tool_call_id")),
        as_string(event.get("content")),
        is_error=event.get("observation") == "error",
        exit_code=code if isinstance(code, int) and code >= 0 else None,
    )

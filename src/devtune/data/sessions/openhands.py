"""OpenHands 1: a conversation's folder with one event a file."""

from collections.abc import Iterator

from devtune.data.sessions.draft import Call, Draft, clean_tree
from devtune.data.sessions.folder import Folder, peek
from devtune.data.sessions.log import as_content, as_string
from devtune.data.sources.fields import Object, as_object, as_objects

NAME = "openhands"
STATE, EVENTS = "base_state.json", "events/"


def recognises(folder: Folder) -> bool:
    """Whether there are a state and events that say their kind."""
    events = folder.below(EVENTS)
    if STATE not in folder or not events:
        return False
    return isinstance(peek(folder.files[events[0]]).get("kind"), str)


def read(folder: Folder) -> Iterator[Draft]:
    """Yield the conversation. Raises `Unreadable`."""
    state = folder.object(STATE)
    draft = Draft("openhands", as_string(state.get("version")) or "1")
    draft.session_id = as_string(state.get("id"))
    agent = as_object(state.get("agent"))
    draft.model = as_string(as_object(agent.get("llm")).get("model"))
    draft.directory = as_string(as_object(state.get("workspace")).get("working_dir"))
    draft.exit_status = as_string(state.get("execution_status"))
    events = [folder.log(name).document for name in folder.below(EVENTS) if name.endswith(".json")]
    position = 0
    while position < len(events):
        event = events[position]
        draft.date = draft.date or as_string(event.get("timestamp"))
        position += 1
        if event.get("kind") != "ActionEvent":
            _add(draft, event)
            continue
        together = [event]
        response = event.get("llm_response_id")
        while (
            position < len(events)
            and events[position].get("kind") == "ActionEvent"
            and response
            and events[position].get("llm_response_id") == response
        ):
            together.append(events[position])
            position += 1
        _act(draft, together)
    if any(call == "finish" for call in _last_calls(draft)):
        draft.is_complete = True
    yield draft


def _act(draft: Draft, events: list[Object]) -> None:
    text = as_content(as_objects(events[0].get("thought")))
    calls: list[Call] = []
    for each in events:
        call = as_object(each.get("tool_call"))
        arguments = call.get("arguments") or each.get("action") or {}
        name = as_string(each.get("tool_name") or call.get("name"))
        calls.append(Call(as_string(each.get("tool_call_id")), name, arguments))
    draft.agent_turn(text, calls, as_content(events[0].get("reasoning_content")))


def _add(draft: Draft, event: Object) -> None:
    call_id = as_string(event.get("tool_call_id"))
    match event.get("kind"):
        case "SystemPromptEvent":
            draft.system(as_content(as_object(event.get("system_prompt")).get("text")))
            tools = as_objects(event.get("tools"))
            draft.tools = clean_tree([_definition(each) for each in tools]) or None
        case "MessageEvent":
            message = as_object(event.get("llm_message"))
            text = as_content(message.get("content"))
            if message.get("role") == "assistant":
                draft.agent_turn(text, [], as_content(message.get("reasoning_content")))
            else:
                draft.user(text, is_injected=event.get("source") == "environment")
        case "ObservationEvent":
            seen = as_object(event.get("observation"))
            text = as_content(seen.get("content")) or as_content(seen.get("output"))
            is_error, code = seen.get("is_error"), seen.get("exit_code")
            draft.result(
                call_id,
                text,
                is_error=is_error if isinstance(is_error, bool) else None,
                exit_code=code if isinstance(code, int) else None,
            )
        case "AgentErrorEvent":
            draft.result(call_id, as_string(event.get("error")), is_error=True)
        case "UserRejectObservation":
            reason = as_string(event.get("rejection_reason"))
            draft.result(call_id, reason, is_error=True, is_undone=True)
        case "Condensation" | "CondensationSummaryEvent":
            if summary := as_string(event.get("summary")):
                draft.user(summary, is_injected=True, is_compaction=True)
        case _:
            pass


def _definition(tool: Object) -> Object:
    """A tool as the OpenAI API has it; some versions keep their own classes."""
    if "function" in tool:
        return tool
    name = as_string(tool.get("title") or tool.get("name"))
    function: Object = {"name": name, "description": as_string(tool.get("description"))}
    schema = as_object(tool.get("input_schema") or tool.get("parameters"))
    function["parameters"] = schema or {"type": "object", "properties": {}}
    return {"type": "function", "function": function}


def _last_calls(draft: Draft) -> list[str]:
    turns = [each for each in draft.steps if each["source"] == "agent"]
    calls = as_objects(turns[-1].get("tool_calls")) if turns else []
    return [as_string(each["function_name"]) for each in calls]

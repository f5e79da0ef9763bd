"""OpenHands 1: a conversation's folder with one event a file.

What was forgotten is still there, and said to be. What the model saw beside the summary, but had
said before, stands after it as copied.
"""

import re
from collections.abc import Iterator
from typing import Any

from devtune.data.sessions.draft import Call, Draft, clean_tree
from devtune.data.sessions.folder import Folder, peek
from devtune.data.sessions.log import as_arguments, as_content, as_string
from devtune.data.sources.fields import Object, as_object, as_objects

NAME = "openhands"
STATE, EVENTS = "base_state.json", "events/"
_FAILED = "[An error occurred during execution.]"
_EVENT = re.compile(r"events/event-[^/]*\.json")


def recognises(folder: Folder) -> bool:
    """Whether there are a state and events that say their kind."""
    events = _events(folder)
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
    events = [folder.log(name).document for name in _events(folder)]
    draft.date = next(filter(None, (as_string(each.get("timestamp")) for each in events)), "")
    seen: list[Object] = []
    for together in _answers(events):
        if together[0].get("kind") == "Condensation":
            seen = _condense(draft, seen, together[0])
        else:
            seen += together
            _tell(draft, together)
    if any(call == "finish" for call in _last_calls(draft)):
        draft.is_complete = True
    yield draft


def _events(folder: Folder) -> list[str]:
    return [name for name in folder.below(EVENTS) if _EVENT.fullmatch(name)]


def _answers(events: list[Object]) -> Iterator[list[Object]]:
    """Yield events, the actions of one answer together."""
    together: list[Object] = []
    for event in events:
        response = event.get("llm_response_id")
        is_action = event.get("kind") == "ActionEvent"
        if together and is_action and response and response == together[0].get("llm_response_id"):
            together.append(event)
            continue
        if together:
            yield together
        together = [event] if is_action else []
        if not is_action:
            yield [event]
    if together:
        yield together


def _tell(draft: Draft, together: list[Object], *, is_copied: bool = False) -> None:
    if together[0].get("kind") == "ActionEvent":
        _act(draft, together, is_copied=is_copied)
    else:
        _add(draft, together[0], is_copied=is_copied)


def _condense(draft: Draft, seen: list[Object], event: Object) -> list[Object]:
    """Begin anew with the summary; return the events that the model still sees."""
    names = event.get("forgotten_event_ids")
    forgotten = {as_string(each) for each in names} if isinstance(names, list) else set[str]()
    left = [each for each in seen if as_string(each.get("id")) not in forgotten]
    asked = [_said(each) for each in left if _is_request(each)]
    summary = as_string(event.get("summary"))
    told = "\n\n".join(filter(None, [*asked, summary]))
    draft.user(told, is_injected=True, is_compaction=True)
    rest = [each for each in left if each.get("kind") != "SystemPromptEvent"]
    for together in _answers([each for each in rest if not _is_request(each)]):
        _tell(draft, together, is_copied=True)
    return left


def _is_request(event: Object) -> bool:
    role = as_object(event.get("llm_message")).get("role")
    return event.get("kind") == "MessageEvent" and role != "assistant"


def _said(event: Object) -> str:
    return as_content(as_object(event.get("llm_message")).get("content"))


def _act(draft: Draft, events: list[Object], *, is_copied: bool) -> None:
    text = as_content(as_objects(events[0].get("thought")))
    calls: list[Call] = []
    for each in events:
        call = as_object(each.get("tool_call"))
        arguments = _arguments(call.get("arguments") or each.get("action") or {})
        name = as_string(each.get("tool_name") or call.get("name"))
        calls.append(Call(as_string(each.get("tool_call_id")), name, arguments))
    thoughts = as_content(events[0].get("reasoning_content"))
    draft.agent_turn(text, calls, thoughts, is_copied=is_copied)


def _arguments(given: Any) -> Any:
    """What was no JSON is not in the log, only why: such a text is no JSON either."""
    read, _ = as_arguments(given)
    if read.get("_openhands_malformed_tool_call") is True:
        return as_string(read.get("error")) or " "
    return given


def _add(draft: Draft, event: Object, *, is_copied: bool) -> None:
    call_id = as_string(event.get("tool_call_id"))
    match event.get("kind"):
        case "SystemPromptEvent":
            texts = [as_object(event.get(name)) for name in ("system_prompt", "dynamic_context")]
            prompt = "\n".join(filter(None, (as_string(each.get("text")) for each in texts)))
            draft.system(prompt)
            draft.tools = _definitions(as_objects(event.get("tools")))
        case "MessageEvent":
            message = as_object(event.get("llm_message"))
            text = _said(event)
            if message.get("role") == "assistant":
                thoughts = as_content(message.get("reasoning_content"))
                draft.agent_turn(text, [], thoughts, is_copied=is_copied)
            else:
                draft.user(text, is_injected=event.get("source") == "environment")
        case "ObservationEvent":
            seen = as_object(event.get("observation"))
            text = _observed(seen)
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
        case _:
            pass


def _observed(seen: Object) -> str:
    """What the model read: more than the event has of a command's output."""
    text = as_content(seen.get("content")) or as_content(seen.get("output"))
    if about := as_object(seen.get("metadata")):
        told = [f"{as_string(about.get('prefix'))}{text}{as_string(about.get('suffix'))}"]
        if directory := as_string(about.get("working_dir")):
            told.append(f"[Current working directory: {directory}]")
        if python := as_string(about.get("py_interpreter_path")):
            told.append(f"[Python interpreter: {python}]")
        if isinstance(code := about.get("exit_code"), int) and code != -1:
            told.append(f"[Command finished with exit code {code}]")
        text = "\n".join(told)
    return f"{_FAILED}\n{text}" if seen.get("is_error") is True else text


def _definitions(tools: list[Object]) -> list[Object] | None:
    """Tools as the OpenAI API has them; None where their parameters are not in the log."""
    found: list[Object] = []
    for tool in tools:
        if "function" in tool:
            found.append(clean_tree(tool))
            continue
        schema = as_object(tool.get("input_schema") or tool.get("parameters"))
        if not schema:
            return None
        name = as_string(tool.get("title") or tool.get("name"))
        function: Object = {"name": name, "description": as_string(tool.get("description"))}
        function["parameters"] = clean_tree(schema)
        found.append({"type": "function", "function": function})
    return found or None


def _last_calls(draft: Draft) -> list[str]:
    turns = [each for each in draft.steps if each["source"] == "agent"]
    calls = as_objects(turns[-1].get("tool_calls")) if turns else []
    return [as_string(each["function_name"]) for each in calls]

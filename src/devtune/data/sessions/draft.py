"""A session while it is read: readers say what happened, and an ATIF document comes out.

Works on values in memory; reads and writes no files.
"""

from dataclasses import dataclass, field
from typing import Any, cast

from devtune.data.sessions.log import MAX_DEPTH, as_arguments, as_content, as_string
from devtune.data.sources.fields import Object, as_moment
from devtune.records.sessions import (
    COMPACTION,
    EXIT_CODE,
    INJECTED,
    IS_ERROR,
    RAW_ARGUMENTS,
    UNDONE,
    Outcome,
)

SCHEMA_VERSION = "ATIF-v1.8"


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the model made it."""

    id: str
    name: str
    arguments: Any
    """An object, or a text that should hold one."""


@dataclass(slots=True)
class Draft:
    """One session; steps are added in the order the model saw them."""

    agent: str
    """Name of the agent program."""
    version: str = ""
    session_id: str = ""
    model: str = ""
    tools: list[Object] | None = None
    """Definitions as the OpenAI API has them; None where the log has none."""
    directory: str = ""
    commit: str = ""
    """Of the repository when the session began."""
    date: str = ""
    """When it began, as the log has it."""
    task: str = ""
    """Id of the task, where the log names one."""
    outcome: Outcome = "unknown"
    exit_status: str = ""
    is_complete: bool | None = None
    """None leaves it to how the session ends."""
    parent: str = ""
    request: str = ""
    """What was asked first, where only a summary still has it."""
    steps: list[Object] = field(default_factory=list[Object])
    _owners: dict[str, Object] = field(default_factory=dict[str, Object])
    """By call id, the step that calls."""

    def system(self, text: str, *, is_injected: bool = False) -> None:
        """Add a system message."""
        self._add("system", text, {INJECTED: True} if is_injected else {})

    def user(self, text: str, *, is_injected: bool = False, is_compaction: bool = False) -> None:
        """Add what a person, or the agent program in their place, said."""
        flags = {INJECTED: is_injected, COMPACTION: is_compaction}
        self._add("user", text, {name: True for name, value in flags.items() if value})

    def agent_turn(
        self,
        text: str,
        calls: list[Call] | None = None,
        reasoning: str = "",
        date: str = "",
        *,
        is_copied: bool = False,
        is_synthetic: bool = False,
    ) -> None:
        """Add what the model answered; a synthetic answer is the program's, in its place."""
        step = self._add("agent", text, {})
        if as_moment(date):
            step["timestamp"] = as_moment(date)
        if reasoning:
            step["reasoning_content"] = as_string(reasoning)
        if is_copied:
            step["is_copied_context"] = True
        if is_synthetic:
            step["llm_call_count"] = 0
        for call in calls or ():
            self._call(step, call)

    def result(
        self,
        call_id: str,
        text: str,
        *,
        is_error: bool | None = None,
        exit_code: int | None = None,
        is_undone: bool = False,
    ) -> bool:
        """Answer a call; False for one nobody made, or that was answered before."""
        step = self._owners.pop(call_id, None)
        if step is None:
            return False
        extra: Object = {}
        if is_error is not None:
            extra[IS_ERROR] = is_error
        if exit_code is not None:
            extra[EXIT_CODE] = exit_code
        if is_undone:
            step.setdefault("extra", {})[UNDONE] = True
        found: Object = {"source_call_id": call_id, "content": as_string(text)}
        if extra:
            found["extra"] = extra
        step.setdefault("observation", {"results": []})["results"].append(found)
        return True

    def undo_last(self) -> None:
        """Say that a person stopped or took back the latest answer of the model."""
        for step in reversed(self.steps):
            if step["source"] == "agent":
                step.setdefault("extra", {})[UNDONE] = True
                return

    @property
    def has_open_calls(self) -> bool:
        """Whether some call was never answered."""
        return bool(self._owners)

    def is_empty(self) -> bool:
        """Whether the model said nothing in it."""
        return not any(each["source"] == "agent" for each in self.steps)

    def first_request(self) -> str:
        """Return what a person asked first."""
        asked = [each for each in self.steps if each["source"] == "user"]
        own = [each for each in asked if not each.get("extra", {}).get(INJECTED)]
        if self.request and asked and asked[0].get("extra", {}).get(COMPACTION):
            return self.request
        return as_content((own or asked)[0]["message"]) if asked else ""

    def ends_well(self) -> bool:
        """Whether the last word is an answer of the model with no call left open."""
        if self.is_complete is not None:
            return self.is_complete
        last = self.steps[-1] if self.steps else {}
        return last.get("source") == "agent" and not last.get("tool_calls")

    def document(self) -> Object:
        """Return the ATIF document."""
        agent: Object = {"name": self.agent, "version": as_string(self.version) or "unknown"}
        if self.model:
            agent["model_name"] = as_string(self.model)
        if self.tools is not None:
            agent["tool_definitions"] = self.tools
        found: Object = {"schema_version": SCHEMA_VERSION, "agent": agent, "steps": self.steps}
        if self.session_id:
            found["session_id"] = as_string(self.session_id)
        return found

    def _add(self, source: str, text: str, extra: Object) -> Object:
        step: Object = {"step_id": len(self.steps) + 1, "source": source}
        step["message"] = as_string(text)
        if extra:
            step["extra"] = extra
        self.steps.append(step)
        return step

    def _call(self, step: Object, call: Call) -> None:
        arguments, raw = as_arguments(call.arguments)
        call_id = as_string(call.id) or f"call{len(self.steps):05}"
        while call_id in self._owners:
            call_id += "x"
        found: Object = {
            "tool_call_id": call_id,
            "function_name": as_string(call.name),
            "arguments": clean_tree(arguments),
        }
        if raw:
            found["extra"] = {RAW_ARGUMENTS: raw}
        step.setdefault("tool_calls", []).append(found)
        self._owners[call_id] = step


def clean_tree(value: Any, depth: int = 0) -> Any:
    """Return a JSON value that UTF-8 can hold; deeper than `MAX_DEPTH` becomes null."""
    if depth > MAX_DEPTH:
        return None
    if isinstance(value, str):
        return as_string(value)
    if isinstance(value, list):
        return [clean_tree(each, depth + 1) for each in cast(list[Any], value)]
    if isinstance(value, dict):
        inside = cast(Object, value)
        return {as_string(key): clean_tree(each, depth + 1) for key, each in inside.items()}
    return value

"""Codex: the `response_item` lines of a rollout, which are what the model read and said."""

import json
import re
from collections.abc import Iterator
from typing import Any

from devtune.data.sessions.draft import Call, Draft
from devtune.data.sessions.log import Log, as_content, as_string
from devtune.data.sources.fields import Object, as_object, as_objects

NAME = "codex"
_INJECTED = re.compile(
    r"<(environment_context|user_instructions|permissions|turn_aborted|INSTRUCTIONS|skills|"
    r"collaboration_mode|apps_instructions|personality)|# AGENTS\.md instructions"
)
_EXIT_CODE = re.compile(r"(?m)^(?:Process exited with code|Exit code:) (-?\d+)$")
_CALLS = ("function_call", "custom_tool_call", "local_shell_call")
_FAILED = (
    "failed to parse function arguments",
    "unsupported call",
    "unsupported custom tool call",
    "apply_patch verification failed",
)
"""How an answer begins where nothing was done."""
_OUTPUTS = ("function_call_output", "custom_tool_call_output", "local_shell_call_output")


def recognises(log: Log) -> bool:
    """Whether lines have a type and a payload, the first of a session's facts."""
    first = log.first
    is_lines = log.kind in ("lines", "document")
    return is_lines and first.get("type") == "session_meta" and "payload" in first


def read(log: Log) -> Iterator[Draft]:
    """Yield the session."""
    meta = as_object(log.first["payload"])
    draft = Draft("codex", as_string(meta.get("cli_version")), as_string(meta.get("id")))
    draft.directory, draft.date = as_string(meta.get("cwd")), as_string(meta.get("timestamp"))
    draft.commit = as_string(as_object(meta.get("git")).get("commit_hash"))
    draft.parent = as_string(meta.get("parent_thread_id"))
    base = meta.get("base_instructions") or meta.get("instructions")
    if text := as_string(as_object(base).get("text")) or as_string(base):
        draft.system(text)
    turn = _Turn(draft)
    for line in log.objects[1:]:
        payload = as_object(line.get("payload"))
        match line.get("type"):
            case "turn_context":
                draft.model = draft.model or as_string(payload.get("model"))
            case "response_item":
                turn.add(payload)
            case "compacted":
                turn.sum_up(payload)
            case "event_msg" if payload.get("type") in ("turn_aborted", "thread_rolled_back"):
                turn.close()
                draft.undo_last()
            case _:
                pass
    turn.close()
    yield draft


class _Turn:
    """Puts the items of one answer together: thoughts, text and calls are lines of their own."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.texts: list[str] = []
        self.thoughts: list[str] = []
        self.calls: list[Call] = []

    def add(self, item: Object) -> None:
        """Take one item."""
        kind, role = item.get("type"), item.get("role")
        if kind == "message" and role == "assistant":
            if self.calls:
                self.close()
            self.texts.append(as_content(item.get("content")))
        elif kind == "reasoning":
            if self.texts or self.calls:
                self.close()
            self.thoughts.append(as_content(item.get("summary")))
        elif kind in _CALLS:
            self.calls.append(_call(item))
        elif kind in _OUTPUTS:
            self.close()
            _answer(self.draft, item)
        elif kind == "message":
            self.close()
            text = as_content(item.get("content"))
            if role == "user":
                self.draft.user(text, is_injected=_is_injected(item, text))
            else:
                self.draft.system(text, is_injected=True)

    def sum_up(self, compacted: Object) -> None:
        """Begin anew with a summary, and with the requests the program keeps beside it."""
        summary = as_string(compacted.get("message"))
        if self.texts and not self.calls and self.texts[-1] and self.texts[-1] in summary:
            # The answer to a request for the summary, which is not in the log.
            self.texts, self.thoughts = [], []
        self.close()
        kept = [
            text
            for each in as_objects(compacted.get("replacement_history"))
            if each.get("role") == "user"
            and (text := as_content(each.get("content")))
            and text != summary
            and not _is_injected(each, text)
        ]
        told = "\n\n".join(filter(None, [*kept, summary]))
        self.draft.user(told, is_injected=True, is_compaction=True)

    def close(self) -> None:
        """End the answer."""
        if self.texts or self.calls:
            thoughts = "\n".join(filter(None, self.thoughts))
            self.draft.agent_turn("\n".join(self.texts), self.calls, thoughts)
        self.texts, self.thoughts, self.calls = [], [], []


def _is_injected(item: Object, text: str) -> bool:
    """Whether the program said it: it says so itself since it keeps kinds of content."""
    about = as_object(item.get("internal_chat_message_metadata_passthrough"))
    kinds = about.get("content_item_kinds")
    if isinstance(kinds, list) and kinds:
        return not any(as_string(each).startswith("user.") for each in kinds)
    return _INJECTED.match(text.lstrip()) is not None


def _call(item: Object) -> Call:
    call_id = as_string(item.get("call_id") or item.get("id"))
    if item.get("type") == "local_shell_call":
        return Call(call_id, "local_shell", as_object(item.get("action")))
    if item.get("type") == "custom_tool_call":
        return Call(call_id, as_string(item.get("name")), {"input": as_string(item.get("input"))})
    return Call(call_id, as_string(item.get("name")), item.get("arguments") or {})


def _answer(draft: Draft, item: Object) -> None:
    """Answer a call; a second answer to it, which some versions write, is passed over."""
    output = item.get("output")
    success = as_object(output).get("success")
    text = as_content(as_object(output).get("content", output))
    exit_code = _exit_code(text)
    is_error = not success if isinstance(success, bool) else None
    draft.result(
        as_string(item.get("call_id")),
        text,
        is_error=True if text.startswith(_FAILED) else is_error,
        exit_code=exit_code,
        is_undone=text.startswith(("aborted by user", "exec command rejected by user")),
    )


def _exit_code(text: str) -> int | None:
    if match := _EXIT_CODE.search(text, 0, 2000):
        return int(match[1])
    try:
        parsed: Any = json.loads(text) if text.startswith('{"output"') else None
    except (ValueError, RecursionError):
        return None
    code = as_object(as_object(parsed).get("metadata")).get("exit_code")
    return code if isinstance(code, int) else None

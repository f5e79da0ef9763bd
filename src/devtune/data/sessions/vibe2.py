"""Mistral Vibe 2: `messages.jsonl` beside a `meta.json`, which has the system prompt and tools.

Sub-agents are folders of the same kind below `agents/`. A session that is summed up goes on in a
folder of its own, which begins with the summary.
"""

import re
from collections.abc import Iterator

from devtune.data.sessions.draft import Draft, clean_tree
from devtune.data.sessions.folder import Folder, peek
from devtune.data.sessions.log import as_content, as_string
from devtune.data.sessions.openai_messages import add_message, is_message
from devtune.data.sources.fields import Object, as_object, as_objects

NAME = "vibe2"
MESSAGES, META, AGENTS = "messages.jsonl", "meta.json", "agents/"
SUMMARY = "<compaction_summary>"
_ASKED = re.compile(r"(?s)<previous_user_message>\n(.*?)\n</previous_user_message>")
_RETURNCODE = re.compile(r"\nreturncode: (-?\d{1,9})$")
_FAILED = re.compile(r"(?s)<tool_error>\w+ failed: Command failed: .*?\nReturn code: (-?\d{1,9})\n")
"""A command that was run, and ended with another number than 0: the tool did what it should."""


def recognises(folder: Folder) -> bool:
    """Whether both files are there, and the second tells of a session."""
    if MESSAGES not in folder or META not in folder:
        return False
    return "session_id" in folder.object(META) and is_message(peek(folder.files[MESSAGES]))


def read(folder: Folder) -> Iterator[Draft]:
    """Yield the session, then its sub-agents'."""
    main = _session(folder, "")
    yield main
    for name in folder.below(AGENTS):
        base = name.removesuffix(MESSAGES)
        if name == f"{base}{MESSAGES}" and base.endswith("/"):
            draft = _session(folder, base)
            draft.parent = draft.parent or main.session_id
            yield draft


def _session(folder: Folder, base: str) -> Draft:
    meta = folder.object(f"{base}{META}")
    log = folder.log(f"{base}{MESSAGES}")
    draft = Draft("mistral-vibe", as_string(meta.get("vibe_version")) or "2")
    draft.session_id = as_string(meta.get("session_id"))
    draft.date, draft.commit = as_string(meta.get("start_time")), as_string(meta.get("git_commit"))
    draft.directory = as_string(as_object(meta.get("environment")).get("working_directory"))
    draft.model = as_string(as_object(meta.get("config")).get("active_model"))
    draft.parent = as_string(meta.get("parent_session_id"))
    tools = meta.get("tools_available")
    draft.tools = clean_tree(as_objects(tools)) if isinstance(tools, list) else None
    prompt = meta.get("system_prompt")
    if text := as_content(as_object(prompt).get("content", prompt)):
        draft.system(text)
    for each in filter(is_message, log.objects):
        _add(draft, each)
    if log.is_cut:
        draft.is_complete = False
    return draft


def _add(draft: Draft, message: Object) -> None:
    text = as_content(message.get("content"))
    if message["role"] == "user" and SUMMARY in text and message.get("injected") is True:
        asked = _ASKED.search(text)
        draft.request = draft.request or (asked[1] if asked else "")
        draft.user(text, is_injected=True, is_compaction=True)
    elif message["role"] == "tool":
        code = _FAILED.match(text) or _RETURNCODE.search(text[-40:])
        draft.result(
            as_string(message.get("tool_call_id")),
            text,
            is_error=text.startswith("<tool_error>") and code is None,
            exit_code=int(code[1]) if code else None,
            is_undone=text.startswith("<user_cancellation>"),
        )
    else:
        add_message(draft, message)

"""Mistral Vibe 2: `messages.jsonl` beside a `meta.json`, which has the system prompt and tools."""

from collections.abc import Iterator

from devtune.data.sessions.draft import Draft, clean_tree
from devtune.data.sessions.folder import Folder, peek
from devtune.data.sessions.log import as_content, as_string
from devtune.data.sessions.openai_messages import conversation, is_message
from devtune.data.sources.fields import as_object, as_objects

NAME = "vibe2"
MESSAGES, META = "messages.jsonl", "meta.json"


def recognises(folder: Folder) -> bool:
    """Whether both files are there, and the second tells of a session."""
    if MESSAGES not in folder or META not in folder:
        return False
    return "session_id" in folder.object(META) and is_message(peek(folder.files[MESSAGES]))


def read(folder: Folder) -> Iterator[Draft]:
    """Yield the session."""
    meta = folder.object(META)
    log = folder.log(MESSAGES)
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
    yield conversation(draft, filter(is_message, log.objects))

"""Mistral Vibe 3: the unified session store, whose chunks put together are the messages.

It keeps neither the system prompt nor the tools: `devtune record` does.
"""

from collections.abc import Iterator

from devtune.data.sessions.draft import Call, Draft
from devtune.data.sessions.folder import Folder
from devtune.data.sessions.log import Unreadable, as_content, as_string
from devtune.data.sources.fields import Object, as_object, as_objects

NAME = "vibe3"
CURRENT, EXPORT = "CURRENT", "export.json"
STORE = "mistral.vibe.unified-session-store/"


def recognises(folder: Folder) -> bool:
    """Whether there is a store that names its format, or the export of one."""
    return bool(_is_store(folder, "") or (EXPORT in folder and _is_store(folder, "session/")))


def read(folder: Folder) -> Iterator[Draft]:
    """Yield the session as its current generation has it, then its sub-agents'.

    Raises `Unreadable` where a part of the store is missing.
    """
    export = folder.object(EXPORT)
    main = _session(folder, "session/" if export else "")
    if version := as_string(export.get("vibe_version")):
        main.version = version
    if outcome := as_string(export.get("outcome")):
        main.exit_status, main.is_complete = outcome, outcome == "finished"
    yield main
    for name in folder.below("subagents/"):
        if name.endswith(f"/{CURRENT}"):
            draft = _session(folder, name.removesuffix(CURRENT))
            draft.parent = main.session_id
            yield draft


def _is_store(folder: Folder, base: str) -> bool:
    name = f"{base}{CURRENT}"
    about = folder.object(name) if name in folder else {}
    return as_string(about.get("store_format")).startswith(STORE)


def _session(folder: Folder, base: str) -> Draft:
    generation = as_string(folder.log(f"{base}{CURRENT}").document.get("generation"))
    manifest = folder.log(f"{base}generations/{generation}/manifest.json").document
    meta = folder.object(f"{base}meta.json")
    draft = Draft("mistral-vibe", "3", as_string(manifest.get("session_id")))
    draft.date, draft.commit = as_string(meta.get("start_time")), as_string(meta.get("git_commit"))
    draft.parent = as_string(meta.get("parent_session_id"))
    draft.directory = as_string(as_object(meta.get("environment")).get("working_directory"))
    draft.model = as_string(as_object(meta.get("config")).get("active_model"))
    for digest in _digests(as_object(manifest.get("checkpoint")).get("chunks")):
        for item in _items(folder, f"{base}chunks/{digest}.json"):
            _add(draft, item)
    return draft


def _digests(chunks: object) -> Iterator[str]:
    for each in chunks if isinstance(chunks, list) else ():
        if not isinstance(each, str):
            raise Unreadable("incomplete_store", "a chunk without a name")
        yield each


def _items(folder: Folder, name: str) -> tuple[Object, ...]:
    log = folder.log(name)
    return log.objects if log.kind == "array" else ()


def _add(draft: Draft, item: Object) -> None:
    message = as_object(item.get("message")) or item
    parts = as_objects(message.get("content"))
    text = as_content([each for each in parts if each.get("type") in (None, "text")])
    text = text or (as_content(message.get("content")) if not parts else "")
    source = as_string(item.get("source"))
    match message.get("role"):
        case "system":
            draft.system(text)
        case "user":
            is_compaction = "<compaction_summary>" in text
            draft.user(
                text,
                is_injected=is_compaction or source == "injection",
                is_compaction=is_compaction,
            )
        case "assistant":
            thoughts = as_content([each for each in parts if each.get("type") == "reasoning"])
            calls = [_call(each) for each in parts if each.get("type") == "tool_call"]
            draft.agent_turn(text, calls, thoughts)
        case "tool":
            outcome = message.get("outcome")
            draft.result(
                as_string(message.get("tool_call_id")),
                text,
                is_error=outcome == "failure" if isinstance(outcome, str) else None,
            )
        case _:
            pass


def _call(part: Object) -> Call:
    given = as_object(part.get("arguments"))
    if given.get("type") == "invalid_json":
        # What is no JSON stays a text, even where it looks like an empty object.
        arguments: object = as_string(given.get("raw")) or " "
    else:
        # The order of keys is that of the text; beside it they are sorted.
        arguments = given.get("raw") or given.get("value")
    return Call(as_string(part.get("id")), as_string(part.get("name")), arguments or {})

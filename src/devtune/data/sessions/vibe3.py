"""Mistral Vibe 3: the unified session store, whose chunks put together are the messages.

They hold neither the system prompt nor the tools, nor what was summed up. The journal does, of the
latest turn alone: what an earlier turn summed up is gone.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from devtune.data.sessions.draft import Call, Draft, clean_tree
from devtune.data.sessions.folder import Folder
from devtune.data.sessions.log import Unreadable, as_content, as_string
from devtune.data.sources.fields import Object, as_object, as_objects

NAME = "vibe3"
CURRENT, EXPORT = "CURRENT", "export.json"
STORE = "mistral.vibe.unified-session-store/"
_SUMMED_UP = "You are continuing a trajectory after a context compaction."
_SUMMARY = "<compaction_summary>"
_JOURNAL = re.compile(r"journal/(\d{1,20})\.jsonl")
_RETURNCODE = re.compile(r'"returncode":(-?\d{1,9})\b')


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
    items = [
        item
        for digest in _digests(as_object(manifest.get("checkpoint")).get("chunks"))
        for item in _items(folder, f"{base}chunks/{digest}.json")
    ]
    journal = _Journal.of(folder, base, generation)
    if journal.prompt:
        draft.system(journal.prompt)
    draft.tools = journal.tools
    if items and _begins_with_summary(items):
        items = [*journal.summed_up, *items]
    _tell(draft, items)
    return draft


def _digests(chunks: object) -> Iterator[str]:
    for each in chunks if isinstance(chunks, list) else ():
        if not isinstance(each, str):
            raise Unreadable("incomplete_store", "a chunk without a name")
        yield each


def _items(folder: Folder, name: str) -> tuple[Object, ...]:
    log = folder.log(name)
    return log.objects if log.kind == "array" else ()


@dataclass(slots=True)
class _Journal:
    """What the model was sent, as far as the journal still has it."""

    prompt: str = ""
    tools: list[Object] | None = None
    summed_up: list[Object] = field(default_factory=list[Object])
    """Messages that the current generation holds a summary of."""

    @staticmethod
    def of(folder: Folder, base: str, generation: str) -> "_Journal":
        """Read the parts up to a generation; one that cannot be read tells nothing."""
        found = _Journal()
        for name in folder.below(f"{base}journal/"):
            if _JOURNAL.fullmatch(name.removeprefix(base)):
                try:
                    records = folder.log(name).objects
                except Unreadable:
                    continue
                found._replay(records, generation)
        return found

    def _replay(self, records: tuple[Object, ...], generation: str) -> None:
        last = int(generation) if generation.isdecimal() and len(generation) < 20 else 0
        waiting: list[Object] = []
        for record in records:
            sequence = record.get("sequence")
            payload = as_object(record.get("payload"))
            request = as_object(payload.get("request"))
            if payload.get("kind") != "completion" or request.get("type") != "llm_call":
                continue
            if not isinstance(sequence, int) or sequence > last:
                continue
            sent = as_object(request.get("model_input"))
            messages = as_object(sent.get("messages"))
            said = as_objects(messages.get("messages"))
            is_whole = messages.get("type") == "replace"
            if request.get("purpose") == "compaction" and is_whole:
                # The last one asks for the summary.
                waiting = [each for each in said[:-1] if each.get("role") != "system"]
            elif request.get("purpose") == "agent":
                self._see(said if is_whole else [], as_object(sent.get("tool_catalog")))
                self.summed_up += waiting
                waiting = []

    def _see(self, said: list[Object], catalog: Object) -> None:
        if said and said[0].get("role") == "system":
            self.prompt = self.prompt or _text_of(said[0])
        if catalog.get("type") == "replace" and self.tools is None:
            self.tools = [
                {"type": "function", "function": clean_tree(each)}
                for each in as_objects(catalog.get("tools"))
            ]


def _begins_with_summary(items: list[Object]) -> bool:
    first = as_object(items[0].get("message")) or items[0]
    return first.get("role") == "user" and _text_of(first).startswith(_SUMMED_UP)


def _text_of(message: Object) -> str:
    parts = as_objects(message.get("content"))
    text = as_content([each for each in parts if each.get("type") in (None, "text")])
    return text or ("" if parts else as_content(message.get("content")))


def _tell(draft: Draft, items: list[Object]) -> None:
    """Add what was said; a summary and the requests it repeats are one message."""
    opening: list[str] = []
    for item in items:
        message = as_object(item.get("message")) or item
        text = _text_of(message)
        is_user = message.get("role") == "user"
        if is_user and (opening or text.startswith(_SUMMED_UP)):
            opening.append(text)
            if _SUMMARY in text:
                _sum_up(draft, opening)
                opening = []
            continue
        _sum_up(draft, opening)
        opening = []
        _add(draft, item, message, text)
    _sum_up(draft, opening)


def _sum_up(draft: Draft, opening: list[str]) -> None:
    if opening:
        draft.request = draft.request or (opening[1] if len(opening) > 2 else "")
        draft.user("\n\n".join(opening), is_injected=True, is_compaction=True)


def _add(draft: Draft, item: Object, message: Object, text: str) -> None:
    parts = as_objects(message.get("content"))
    match message.get("role"):
        case "system":
            draft.system(text)
        case "user":
            is_compaction = _SUMMARY in text
            is_injected = is_compaction or as_string(item.get("source")) == "injection"
            draft.user(text, is_injected=is_injected, is_compaction=is_compaction)
        case "assistant":
            thoughts = [as_content(each.get("content")) or as_content(each.get("text"))
                        for each in parts if each.get("type") == "reasoning"]  # fmt: skip
            calls = [_call(each) for each in parts if each.get("type") == "tool_call"]
            draft.agent_turn(text, calls, "\n".join(filter(None, thoughts)))
        case "tool":
            outcome = message.get("outcome")
            draft.result(
                as_string(message.get("tool_call_id")),
                text,
                is_error=outcome == "failure" if isinstance(outcome, str) else None,
                exit_code=_exit_code(text),
            )
        case _:
            pass


def _exit_code(text: str) -> int | None:
    """What a command ended with; other tools say nothing of the kind at the top."""
    if not (text.startswith("{") and _RETURNCODE.search(text)):
        return None
    try:
        told: Any = as_object(json.loads(text)).get("returncode")
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, int) and not isinstance(told, bool) else None


def _call(part: Object) -> Call:
    given = as_object(part.get("arguments"))
    if given.get("type") == "invalid_json":
        # What is no JSON stays a text, even where it looks like an empty object.
        arguments: object = as_string(given.get("raw")) or " "
    else:
        # The order of keys is that of the text; beside it they are sorted.
        arguments = given.get("raw") or given.get("value")
    return Call(as_string(part.get("id")), as_string(part.get("name")), arguments or {})

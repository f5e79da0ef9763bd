"""A change as calls of the served agent's tools, and calls carried out on texts.

Reads the file of tool definitions, once a process; writes nothing.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from devtune.data.families.blocks import Block, find_blocks, occurs_once
from devtune.data.families.deltas import Delta
from devtune.data.families.verbs import past_of
from devtune.data.results import show_result
from devtune.data.tools import EDIT, SHELL, WRITE, Tools
from devtune.records import Action, Message, ToolCall

REMOVE = "rm -- "


@lru_cache(maxsize=8)
def open_tools(file: Path) -> Tools:
    """Return the tools of a file, read once: a family is asked for every row."""
    return Tools(file)


def find_actions(deltas: Sequence[Delta]) -> tuple[list[Action], list[list[Block]]] | str:
    """Return what an agent does to carry out a change, and the blocks it edits of each file.

    A string says why it cannot be done with exact edits.
    """
    actions: list[Action] = []
    searched: list[list[Block]] = []
    for delta in deltas:
        blocks: list[Block] = []
        if delta.state == "deleted":
            actions.append(_action("run", command=f"{REMOVE}{_quoted(delta.path)}"))
        elif not delta.old:
            actions.append(_action("write", path=delta.path, content=delta.new))
        else:
            found = find_blocks(delta.old_lines, delta.new_lines, delta.hunks)
            if found is None:
                return "not_unique"
            blocks = found
            actions += _edits(delta, blocks)
        searched.append(blocks)
    return actions, searched


def _edits(delta: Delta, blocks: Iterable[Block]) -> Iterator[Action]:
    text = delta.old
    for block in blocks:
        old, new = block.search, block.replace
        # An agent leaves the last line end alone when it may.
        bare, bare_new = old.removesuffix("\n"), new.removesuffix("\n")
        if bare != old and bare_new != new and bare and occurs_once(bare, text):
            old, new = bare, bare_new
        text = text.replace(old, new)
        yield _action("edit", path=delta.path, old=old, new=new)


def _action(tool: Any, **arguments: str) -> Action:
    return Action(tool, json.dumps(arguments, ensure_ascii=False), "")


def write_calls(actions: Iterable[Action], closing: str, key: str) -> Iterator[Message]:
    """Yield one turn and one answer for each action, and what the agent says at the end."""
    for number, action in enumerate(actions):
        # Nine letters or digits, as the served tokenizers want it.
        call_id = hashlib.sha256(f"{number} {key}".encode()).hexdigest()[:9]
        yield Message("assistant", "", (Tools.call(call_id, action),))
        yield Message("tool", show_result(action), tool_call_id=call_id)
    yield Message("assistant", closing)


def apply_calls(texts: Mapping[str, str], calls: Iterable[ToolCall]) -> dict[str, str] | None:
    """Return `texts` as the calls leave them, or None where one of them would fail."""
    left = dict(texts)
    for call in calls:
        given: dict[str, str] = json.loads(call.arguments)
        if call.name == WRITE:
            left[given["path"]] = given["content"]
        elif call.name == EDIT:
            path, old = given["file_path"], given["old_string"]
            if not old or not occurs_once(old, left.get(path, "")):
                return None
            left[path] = left[path].replace(old, given["new_string"])
        elif call.name == SHELL:
            gone = next((p for p in left if given["command"] == f"{REMOVE}{_quoted(p)}"), None)
            if gone is None:
                return None
            del left[gone]
    return left


def closing_sentence(subject: str) -> str:
    """Return what an agent says when it has done what `subject` asks for."""
    first, _, rest = subject.rstrip(" .!").partition(" ")
    done = past_of(first)
    # "Support for dates" does not say what was done to the support.
    if done and rest and not rest.startswith(("for ", "of ")):
        return f"{done} {rest}."
    return "Done."


def _quoted(text: str) -> str:
    """A path as a shell takes it, bare when nothing in it is special."""
    if text.replace("/", "").replace("_", "").replace("-", "").replace(".", "").isalnum():
        return text
    return "'" + text.replace("'", "'\\''") + "'"

"""Commit replay: the message is the task, then the calls that carry it out and what they gave.

Reads the file of tool definitions; writes nothing. The agent says nothing between its calls: what
somebody thought while writing a commit stands nowhere.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from devtune.data.corpus import Made, Yield, split_lines
from devtune.data.families.calls import closing_sentence, open_tools
from devtune.data.families.context import Context
from devtune.data.families.hunks import find_hunks
from devtune.data.families.messages import clean_message
from devtune.data.families.requests import make_talk
from devtune.data.results import show_result
from devtune.data.tools import Tools
from devtune.records import Action, Change, Message, Rejected, Replay, SourceFile
from devtune.steps.families import CommitReplay

_TESTS = re.compile(r"\(?(?P<command>.+?)\)? 2>&1")


def commit_replay(step: CommitReplay, row: SourceFile | Change | Replay, context: Context) -> Yield:
    """Yield the session of one replayed commit."""
    if not isinstance(row, Replay):
        return
    words = clean_message(row.subject, row.body)
    if words.is_empty():
        yield _refuse(row, "message_says_too_little")
        return
    if len(row.actions) > step.max_actions:
        yield _refuse(row, "too_many_actions", f"{len(row.actions)} calls")
        return
    if not any(each.is_grounded for each in row.actions if each.tool in ("edit", "write", "run")):
        yield _refuse(row, "nothing_grounded")
        return
    values = {
        "subject": words.subject,
        "body": words.body,
        "kind": words.kind,
        "scope": words.scope,
    }
    request = context.prompt.render(values, f"{step.type} {row.source} {row.commit}")
    messages = (
        Message("user", request),
        *_turns(row.actions),
        Message("assistant", _closing(row, words.subject)),
    )
    is_cleaned = (words.subject, words.body) != (row.subject, row.body)
    done = (*(("message_cleaned",) if is_cleaned else ()), "replayed", "tool_calls")
    sample = make_talk(step.type, messages, row.provenance, open_tools(step.tools).text, done)
    yield Made(row.split, sample, tuple(_added(row.actions)))


def _turns(actions: tuple[Action, ...]) -> Iterator[Message]:
    read: set[str] = set()
    for number, action in enumerate(actions, 1):
        path: str = json.loads(action.arguments).get("path", "")
        # Nine letters and digits: what every version of the tokenizer takes.
        call_id = f"call{number:05}"
        call = Tools.call(call_id, action)
        yield Message("assistant", "", (call,), is_trained=action.is_grounded)
        yield Message("tool", show_result(action, path in read), tool_call_id=call_id)
        read.add(path)


def _closing(row: Replay, subject: str) -> str:
    """What was done, as the message says it, and whether tests were seen to pass."""
    done = closing_sentence(subject)
    last = row.actions[-1]
    tested = last.tool == "run" and _TESTS.fullmatch(json.loads(last.arguments)["command"])
    return f"{done} `{tested['command']}` passes." if tested else done


def _added(actions: tuple[Action, ...]) -> Iterator[str]:
    """Yield the new lines of each edit and each file written."""
    for action in actions:
        given: dict[str, Any] = json.loads(action.arguments)
        if action.tool == "write" and given["content"]:
            yield given["content"]
        if action.tool != "edit":
            continue
        old, new = split_lines(given["old"]), split_lines(given["new"])
        hunks = find_hunks(old, new, len(old) + len(new))
        for _, _, first, last in hunks if isinstance(hunks, list) else ():
            if first < last:
                yield "".join(new[first:last])


def _refuse(row: Replay, reason: str, detail: str = "") -> Rejected:
    path = row.provenance[0].path if row.provenance else ""
    return Rejected(reason, row.source, path, row.commit, detail or row.subject)

"""A request for a change: the task, the files as far as they are shown, and the answer to it.

Reads the file of tool definitions; writes nothing.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from devtune.data.corpus import Made
from devtune.data.families.answers import Answer, write_answer
from devtune.data.families.context import Context
from devtune.data.families.deltas import Delta, refuse
from devtune.data.families.hunks import Span, find_windows
from devtune.data.families.stretches import changed_part
from devtune.data.languages import fenced
from devtune.data.selection.wording import said_in
from devtune.records import Change, Message, Provenance, Rejected, Sample
from devtune.steps.families import ChangeFamily


def ask(
    step: ChangeFamily,
    family: str,
    change: Change,
    deltas: Sequence[Delta],
    task: Mapping[str, object],
    context: Context,
    cleaned: tuple[str, ...] = (),
) -> Made | Rejected:
    """Return the sample whose request is `task` and the old files, and whose answer is `deltas`.

    `task` holds `subject`, which the closing sentence of an agent is made from; `cleaned` names
    what was done to its texts.
    """
    key = " ".join((family, change.source, change.commit, deltas[0].path))
    answer = write_answer(step, deltas, str(task["subject"]), key)
    if isinstance(answer, str):
        return refuse(change, "not_expressible", deltas[0].path, answer)
    files = list(show_files(deltas, answer, step.context_lines))
    request = context.prompt.render({**task, "files": files, "form": answer.form}, key)
    messages = (Message("user", request), *answer.messages)
    places = tuple(changed_part(each) for each in deltas)
    evidence = tuple(text for delta in deltas for text in delta.added())
    excerpt = () if all(each["is_whole"] for each in files) else ("excerpt",)
    done = (*cleaned, *excerpt, answer.form)
    sample = make_talk(family, messages, places, answer.tools, done)
    return Made(change.split, sample, evidence)


def show_files(
    deltas: Sequence[Delta], answer: Answer, context_lines: int
) -> Iterator[dict[str, Any]]:
    """Yield each file as a template prints it: what changes, its surroundings, what is quoted."""
    for delta, needed in zip(deltas, answer.needed, strict=True):
        num_lines = len(delta.old_lines)
        around = [(a - context_lines, b + context_lines) for a, b, _, _ in delta.hunks]
        windows = find_windows((*around, *needed), num_lines)
        yield {
            "path": delta.path,
            "state": delta.state,
            "is_whole": windows == [(0, num_lines)],
            "is_unended": bool(delta.old) and not delta.old.endswith("\n"),
            "windows": show_windows(delta, windows) if num_lines else [],
        }


def show_windows(delta: Delta, windows: Iterable[Span]) -> list[dict[str, Any]]:
    """Return windows of the old text, fenced, with the numbers of their lines from 1."""
    return [
        {
            "first_line": first + 1,
            "last_line": last,
            "code": fenced("".join(delta.old_lines[first:last]).removesuffix("\n"), delta.language),
        }
        for first, last in windows
    ]


def make_talk(
    family: str,
    messages: tuple[Message, ...],
    places: tuple[Provenance, ...],
    tools: str = "",
    transformations: tuple[str, ...] = (),
) -> Sample:
    """One conversation; the id is a hash of all that is said and called in it."""
    digest = hashlib.sha256(json.dumps([family, *said_in(messages)]).encode()).hexdigest()
    return Sample(digest[:16], family, messages, places, tools, transformations=transformations)

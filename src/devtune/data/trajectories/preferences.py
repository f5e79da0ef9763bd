"""Pairs of sessions of one task, one of which went better.

Works on rows in memory; reads and writes no files.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from devtune.data.selection.wording import said_in
from devtune.records import Message, Preference, Provenance

BEHAVIOUR = frozenset(
    ("outcome_unresolved", "incomplete", "loop", "false_claim", "history_peeking")
    + ("test_tampering",)
)
"""Reasons to leave a session out that say it went badly; others say nothing of that."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One session as a side of a pair."""

    task: str
    sample_id: str
    """That of the sample, where one was made of it."""
    fault: str
    """Why it went badly; empty where it resolved its task."""
    messages: tuple[Message, ...]
    tools: str
    provenance: Provenance

    @property
    def by_hash(self) -> str:
        """Sort key: by chance, but always the same."""
        return hashlib.sha256(f"{self.sample_id} {self.provenance.path}".encode()).hexdigest()


def fault_of(reason: str, outcome: str) -> str | None:
    """Return the fault of a session, `""` for one that may be chosen; None where it is neither."""
    if reason:
        return reason if reason in BEHAVIOUR else None
    return {"resolved": "", "unresolved": "outcome_unresolved"}.get(outcome)


Kind = Literal["trajectory", "divergence"]


def pairs_of(attempts: Sequence[Attempt], kind: Kind, count: int) -> Iterator[Preference]:
    """Yield at most `count` pairs of one task; each attempt stands in one of them at most.

    Of attempts that say the same one is enough.
    """
    ordered = sorted(attempts, key=lambda each: each.by_hash)
    ordered = list({(each.sample_id, bool(each.fault)): each for each in ordered}.values())
    left = [each for each in ordered if each.fault]
    for chosen in (each for each in ordered if not each.fault):
        pairs = ((each, _pair(kind, chosen, each)) for each in left)
        rejected, pair = next((each for each in pairs if each[1]), (None, None))
        if rejected and pair and count:
            left.remove(rejected)
            count -= 1
            yield pair


def _pair(kind: Kind, chosen: Attempt, rejected: Attempt) -> Preference | None:
    """Pair two sessions that saw the same tools and the same messages up to where they part."""
    request = _opening(chosen.messages)
    if chosen.tools != rejected.tools or _opening(rejected.messages) != request:
        return None
    start, end = len(request), None
    if kind == "divergence":
        both = zip(chosen.messages, rejected.messages, strict=False)
        start = sum(1 for _ in takewhile(lambda each: _said(each[0]) == _said(each[1]), both))
        end = start + 1
    better, worse = (each.messages[start:end] for each in (chosen, rejected))
    if not all(side and side[0].role == "assistant" for side in (better, worse)):
        return None
    if not any(each.is_trained for each in better):
        return None
    prompt = chosen.messages[:start]
    sides = [said_in(each) for each in (prompt, better, worse)]
    if sides[1] == sides[2]:
        return None
    return Preference(
        hashlib.sha256(json.dumps([kind, *sides]).encode()).hexdigest()[:16],
        kind,
        chosen.task,
        prompt,
        better,
        worse,
        rejected.fault,
        chosen.sample_id,
        (chosen.provenance, rejected.provenance),
        chosen.tools,
    )


def _opening(messages: Sequence[Message]) -> tuple[Message, ...]:
    return tuple(takewhile(lambda each: each.role != "assistant", messages))


def _said(message: Message) -> tuple[object, ...]:
    """What was said, whether it is trained or not."""
    return message.role, message.content, message.tool_calls, message.tool_call_id

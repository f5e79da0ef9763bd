"""Trajectories: sessions of agents as their models saw and said them.

Reads the definitions and the prompt a step names for logs without them; writes nothing.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from devtune.data.corpus import Made, Yield
from devtune.data.families.context import Context
from devtune.data.families.requests import make_talk
from devtune.data.trajectories.conversation import messages_of, segments_of
from devtune.data.trajectories.preferences import Attempt, fault_of
from devtune.data.trajectories.rules import apply
from devtune.data.trajectories.talk import Talk, Turn
from devtune.errors import DevtuneError, one_line
from devtune.records import Message, Rejected, Sample
from devtune.records.sessions import Session
from devtune.steps.families import Trajectory


def trajectory(step: Trajectory, row: Any, context: Context) -> Yield:
    """Yield the conversation of one session, several where the agent summed up in between."""
    if not isinstance(row, Session):
        return
    if row.facts.parent and not step.subagents:
        yield _refuse(row, "subagent")
        return
    talk = _prepared(step, row, context)
    if isinstance(talk, str):
        yield _refuse(row, talk)
        return
    tools = _tools_of(step, row)
    parts = segments_of(talk)
    for number, part in enumerate(parts, 1):
        messages = messages_of(talk, part)
        if not any(each.role == "assistant" and each.is_trained for each in messages):
            yield _refuse(row, "nothing_to_train", f"part {number} of {len(parts)}")
            continue
        sample = _sample(step, row, talk, messages, tools)
        yield Made(row.split, sample, tuple(_added(messages)))


def attempt_of(step: Trajectory, row: Session, context: Context) -> Attempt | None:
    """Return a session as a side of a pair; None where it went neither well nor badly."""
    facts = row.facts
    if row.split != "train" or (facts.parent and not step.subagents):
        return None
    talk = _opened(step, row)
    # All of them: a session that went badly is repaired like the one it is compared with.
    reasons = [apply(each, talk) for each in context.session_steps]
    fault = fault_of(next(filter(None, reasons), ""), facts.outcome)
    parts = segments_of(talk)
    if fault is None or len(parts) != 1:
        return None
    messages = messages_of(talk, parts[0])
    if not messages:
        return None
    sample = _sample(step, row, talk, messages, _tools_of(step, row))
    return Attempt(facts.task, sample.sample_id, fault, messages, sample.tools, facts.provenance)


def _prepared(step: Trajectory, row: Session, context: Context) -> Talk | str:
    """Return a session after all session steps, or the reason it is left out for."""
    talk = _opened(step, row)
    for each in context.session_steps:
        if reason := apply(each, talk):
            return reason
    return talk


def _opened(step: Trajectory, row: Session) -> Talk:
    talk = Talk.of(row)
    if step.system_prompt and not any(each.source == "system" for each in talk.turns):
        talk.turns.insert(0, Turn("system", _text_of(step.system_prompt)))
        talk.note("system_prompt_added")
    if step.reasoning == "drop" and any(each.reasoning for each in talk.turns):
        talk.note("reasoning_dropped")
        for each in talk.turns:
            each.reasoning = ""
    return talk


def _sample(
    step: Trajectory, row: Session, talk: Talk, messages: tuple[Message, ...], tools: str
) -> Sample:
    facts = row.facts
    made = make_talk(step.type, messages, (facts.provenance,), tools, tuple(talk.done))
    return Sample(
        made.sample_id, made.family, made.messages, made.provenance, made.tools,
        transformations=made.transformations, task=facts.task, outcome=facts.outcome,
    )  # fmt: skip


def _tools_of(step: Trajectory, row: Session) -> str:
    definitions = row.agent.tool_definitions
    if definitions is None and step.tools:
        return _tools_in(step.tools)
    return json.dumps(definitions, ensure_ascii=False) if definitions else ""


@lru_cache(maxsize=8)
def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise DevtuneError(one_line(error, file)) from None
    except UnicodeDecodeError:
        raise DevtuneError(f"{file}: not UTF-8 text; correct it") from None


@lru_cache(maxsize=8)
def _tools_in(file: Path) -> str:
    try:
        found: Any = json.loads(_text_of(file))
        _ = [each["function"]["name"] for each in found]
    except (ValueError, TypeError, KeyError):
        raise DevtuneError(
            f"{file}: not a JSON array of tools as the OpenAI API has them; correct it"
        ) from None
    return json.dumps(found, ensure_ascii=False)


def _added(messages: tuple[Message, ...]) -> list[str]:
    """New text of what is written: a held-out session all of whose text is trained on goes."""
    found: list[str] = []
    for message in messages:
        for call in message.tool_calls:
            given = json.loads(call.arguments)
            texts = (given.get(name) for name in ("new_string", "new_str", "content", "file_text"))
            found += [each for each in texts if isinstance(each, str) and each.strip()]
    return found


def _refuse(row: Session, reason: str, detail: str = "") -> Rejected:
    place = row.facts.provenance
    return Rejected(reason, place.source, place.path, place.commit, detail)

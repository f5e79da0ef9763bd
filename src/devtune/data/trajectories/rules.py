"""The session steps of a pipeline: each drops a session with a reason, repairs it, or masks turns.

Works on talks in memory; reads and writes no files.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from devtune.data.trajectories.talk import Called, Talk, Turn
from devtune.steps.sessions import (
    Claims,
    Complete,
    Consent,
    HistoryPeeking,
    Injected,
    Loops,
    OutcomeRule,
    SessionStep,
    StepMasks,
    TestTampering,
    ToolOutput,
)

_CLAIM = re.compile(
    r"(?i)\btests?\b[^.\n]{0,40}\b(pass|passes|passed|passing|green|succeeds?|succeeded)\b"
    r"|\b(pass|passes|passed|passing)\b[^.\n]{0,20}\btests?\b"
)
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def apply(step: SessionStep, talk: Talk) -> str:
    """Apply one step; return the reason a session is left out for, or `""`."""
    return _RULES[type(step)](step, talk)


def _consent(step: Consent, talk: Talk) -> str:
    facts = talk.session.facts
    if not facts.consent:
        return "no_consent"
    return "" if facts.vendor_terms in step.vendor_terms else f"vendor_terms_{facts.vendor_terms}"


def _outcome(step: OutcomeRule, talk: Talk) -> str:
    outcome = talk.session.facts.outcome
    if step.keep == "all" or (step.keep == "resolved" and outcome == "resolved"):
        return ""
    if step.keep == "weighted":
        name = f"{talk.session.facts.task} {talk.session.session_id}"
        drawn = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) / 2**32
        if drawn < step.weights.get(outcome, 0.0):
            return ""
    return f"outcome_{outcome}"


def _complete(step: Complete, talk: Talk) -> str:
    _ = step
    return "" if talk.session.facts.is_complete else "incomplete"


def _injected(step: Injected, talk: Talk) -> str:
    seen: set[str] = set()
    kept: list[Turn] = []
    for turn in talk.turns:
        if turn.source == "system":
            if turn.text in seen:
                talk.note("system_deduplicated")
                continue
            seen.add(turn.text)
        if not step.keep and turn.source == "user":
            if turn.is_injected and not turn.is_compaction:
                talk.note("injected_removed")
                continue
            for pattern in step.patterns:
                turn.text, num = re.subn(pattern, "", turn.text)
                if num:
                    talk.note("injected_removed")
        kept.append(turn)
    talk.turns = kept
    return ""


def _tool_output(step: ToolOutput, talk: Talk) -> str:
    for _, call in talk.calls():
        call.result = _cut(step, call.result, talk) if call.result is not None else None
    for turn in talk.turns:
        turn.observed = _cut(step, turn.observed, talk)
    return ""


def _cut(step: ToolOutput, text: str, talk: Talk) -> str:
    if len(text) <= step.max_characters:
        return text
    talk.note("tool_output_cut")
    left_out = len(text) - step.head - step.tail
    marker = step.marker.replace("{num}", str(left_out))
    return f"{text[: step.head]}{marker}{text[len(text) - step.tail :]}"


def _loops(step: Loops, talk: Talk) -> str:
    found = list(_rounds(step, talk))
    if not found:
        return ""
    if step.handling == "drop":
        return "loop"
    for turn in found:
        turn.hide("loop")
    return ""


def _rounds(step: Loops, talk: Talk) -> Iterator[Turn]:
    """Yield the turns from which it is a loop."""
    last, in_a_row = "", 0
    results: Counter[tuple[str, str]] = Counter()
    failed: Counter[str] = Counter()
    for turn, call in talk.calls():
        in_a_row = in_a_row + 1 if call.signature == last else 1
        last = call.signature
        results[last, call.result or ""] += 1
        if call.is_edit:
            failed[call.path] = failed[call.path] + 1 if call.is_failed_edit else 0
        if (
            in_a_row >= step.same_call
            or results[last, call.result or ""] >= step.same_result
            or failed[call.path] >= step.failed_edits
        ):
            yield turn


def _claims(step: Claims, talk: Talk) -> str:
    turns = talk.agent_turns()
    if not turns or not _CLAIM.search(turns[-1].text):
        return ""
    has_passed = False
    for _, call in talk.calls():
        if call.is_test:
            has_passed = call.passes
        elif call.changes_files:
            has_passed = False
    if has_passed:
        return ""
    if step.handling == "drop":
        return "false_claim"
    turns[-1].hide("false_claim")
    return ""


def _peeking(step: HistoryPeeking, talk: Talk) -> str:
    patterns = [re.compile(each) for each in step.patterns]

    def peeks(call: Called) -> bool:
        text = call.command or json.dumps(call.arguments, ensure_ascii=False)
        return any(each.search(text) for each in patterns)

    return _handled(step.handling, talk, "history_peeking", peeks)


def _tampering(step: TestTampering, talk: Talk) -> str:
    path, patterns = re.compile(step.paths), [re.compile(each) for each in step.patterns]

    def tampers(call: Called) -> bool:
        if call.is_edit and path.search(call.path):
            texts = dict(_texts(call.arguments))
            old = "\n".join(each for name, each in texts.items() if name.startswith("old"))
            new = "\n".join(each for name, each in texts.items() if not name.startswith("old"))
            return any(each.search(new) and not each.search(old) for each in patterns)
        removed = re.search(r"\b(?:git\s+)?rm\s+(?:-\S+\s+)*(\S+)", call.command)
        return bool(removed and path.search(removed[1]))

    return _handled(step.handling, talk, "test_tampering", tampers)


def _texts(arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in arguments.items():
        if isinstance(value, str):
            yield name, value


def _handled(handling: str, talk: Talk, reason: str, is_it: Callable[[Called], bool]) -> str:
    found = [turn for turn, call in talk.calls() if is_it(call)]
    if found and handling == "drop":
        return reason
    for turn in found:
        turn.hide(reason)
    return ""


def _step_masks(step: StepMasks, talk: Talk) -> str:
    wanted = frozenset(step.reasons)
    last = ""
    for turn in talk.turns:
        if turn.is_undone and "undone" in wanted:
            turn.hide("undone")
        for call in turn.calls:
            for reason in _faults(call, talk.known_tools):
                if reason in wanted:
                    turn.hide(reason)
            signature = f"{call.signature} {call.result}"
            if signature == last and "repeated_call" in wanted:
                turn.hide("repeated_call")
            last = signature
    return ""


def _faults(call: Called, known: frozenset[str]) -> Iterator[str]:
    if is_malformed(call):
        yield "malformed_call"
    if call.is_unknown(known):
        yield "unknown_tool"
    if call.is_failed_edit:
        yield "failed_edit"
    if call.is_not_found:
        yield "command_not_found"
    if call.is_timeout:
        yield "timeout"


def is_malformed(call: Called) -> bool:
    """Whether the server's own format cannot hold the call as the model wrote it."""
    return bool(call.raw) or _NAME.fullmatch(call.name) is None


_RULES: Mapping[type[Any], Callable[[Any, Talk], str]] = {
    Consent: _consent,
    OutcomeRule: _outcome,
    Complete: _complete,
    Injected: _injected,
    ToolOutput: _tool_output,
    Loops: _loops,
    Claims: _claims,
    HistoryPeeking: _peeking,
    TestTampering: _tampering,
    StepMasks: _step_masks,
}

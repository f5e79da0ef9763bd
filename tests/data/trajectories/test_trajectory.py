import json

import pytest

from devtune.data.families.context import Context
from devtune.data.families.trajectories import trajectory
from devtune.data.sessions.draft import Call, Draft
from devtune.records import Provenance, Rejected
from devtune.records.sessions import KEY, Session, SessionFacts
from devtune.steps.families import Trajectory
from devtune.steps.sessions import (
    Claims,
    Complete,
    Consent,
    HistoryPeeking,
    Injected,
    Loops,
    OutcomeRule,
    StepMasks,
    TestTampering,
    ToolOutput,
)

EDIT = {"file_path": "a.py", "old_string": "1", "new_string": "2"}


def draft(*turns):
    """Make a session of turns: a text of the user, or (text, (name, arguments, result, more)…)."""
    made = Draft("agent")
    for turn in turns:
        if isinstance(turn, str):
            made.user(turn)
            continue
        text, *called = turn
        ids = [f"t{len(made.steps)}-{number}" for number in range(len(called))]
        made.agent_turn(text, [Call(i, c[0], c[1]) for i, c in zip(ids, called, strict=True)])
        for i, (_, _, result, *more) in zip(ids, called, strict=True):
            if result is not None:
                made.result(i, result, **(more[0] if more else {}))
    return made


def session(made, **facts):
    place = Provenance("logs", "", "x.jsonl", "0" * 40, "", "")
    known = {"split": "train", "format": "test", "task": "t", "is_complete": made.ends_well()}
    extra = json.loads(json.dumps({**known, **facts}))
    whole = SessionFacts(place, **extra)
    document = made.document()
    document["extra"] = {KEY: json.loads(_json(whole))}
    return Session.model_validate(document)


def _json(facts):
    from pydantic import TypeAdapter  # noqa: PLC0415

    return TypeAdapter(SessionFacts).dump_json(facts)


def make(made, *steps, facts=None, family=None):
    context = Context(None, None, None, steps)
    row = session(made, **(facts or {}))
    return list(trajectory(family or Trajectory(type="trajectory"), row, context))


def reason_of(made, *steps, **facts):
    [found] = make(made, *steps, facts=facts)
    return found.reason if isinstance(found, Rejected) else ""


def masks_of(made, *steps):
    [found] = make(made, *steps)
    return [each.mask_reason for each in found.sample.messages if each.role == "assistant"]


FINE = draft("Go", ("", ("bash", {"command": "ls"}, "a.py")), ("Done",))


def test_a_session_becomes_messages_with_results_in_the_order_of_the_calls():
    made = Draft("agent")
    made.system("S")
    made.user("Go")
    made.agent_turn("Both", [Call("x", "bash", {"b": 1, "a": 2}), Call("y", "bash", {})])
    made.result("y", "second")
    made.result("x", "first")
    made.agent_turn("Done")
    [found] = make(made)
    said = [(each.role, each.content, each.tool_call_id) for each in found.sample.messages]
    assert said == [
        ("system", "S", ""), ("user", "Go", ""), ("assistant", "Both", ""),
        ("tool", "first", "call00000"), ("tool", "second", "call00001"), ("assistant", "Done", ""),
    ]  # fmt: skip
    assert found.sample.messages[2].tool_calls[0].arguments == '{"b": 1, "a": 2}'
    assert found.sample.task == "t"


def test_consent_and_terms_are_asked():
    step = Consent(type="consent")
    assert reason_of(FINE, step) == "no_consent"
    assert reason_of(FINE, step, consent="t", vendor_terms="unknown") == "vendor_terms_unknown"
    assert reason_of(FINE, step, consent="t", vendor_terms="permitted") == ""


def test_outcomes_are_chosen():
    resolved = OutcomeRule(type="outcome")
    assert reason_of(FINE, resolved) == "outcome_unknown"
    assert reason_of(FINE, resolved, outcome="resolved") == ""
    weighted = OutcomeRule(type="outcome", keep="weighted")
    kept = [not reason_of(FINE, weighted, task=str(number)) for number in range(200)]
    assert 60 < sum(kept) < 140
    assert reason_of(FINE, weighted, outcome="unresolved") == "outcome_unresolved"


def test_what_the_agent_did_not_end_is_incomplete():
    cut = draft("Go", ("", ("bash", {"command": "ls"}, None)))
    assert reason_of(cut, Complete(type="complete")) == "incomplete"


def test_a_dangling_last_call_is_cut_off():
    cut = draft("Go", ("I look", ("bash", {}, "x")), ("", ("bash", {}, None)))
    [found] = make(cut)
    assert [each.role for each in found.sample.messages] == ["user", "assistant"]
    assert found.sample.transformations == ("dangling_call_cut",)


def test_a_call_nobody_answered_is_taken_out_and_its_turn_not_trained():
    made = draft("Go", ("", ("bash", {}, "x"), ("bash", {"b": 1}, None)), "On", ("Done",))
    [found] = make(made)
    turn = found.sample.messages[1]
    assert (len(turn.tool_calls), turn.mask_reason) == (1, "unanswered_call")


@pytest.mark.parametrize(
    ("step", "made"),
    [
        (Loops(type="loops"), draft("Go", *[("", ("bash", {"command": "ls"}, "x"))] * 3, ("D",))),
        (
            Loops(type="loops", same_call=9),
            draft("Go", *[("", ("edit", EDIT, "no", {"is_error": True}))] * 4, ("D",)),
        ),
    ],
)
def test_loops_are_left_out_or_masked(step, made):
    assert reason_of(made, step) == "loop"
    masks = masks_of(made, step.model_copy(update={"handling": "mask"}))
    assert masks[-2:] == ["loop", ""]
    assert masks[0] == ""


@pytest.mark.parametrize(
    ("calls", "reason"),
    [
        ([], "false_claim"),
        ([("bash", {"command": "pytest -q"}, "ok", {"exit_code": 0})], ""),
        ([("bash", {"command": "pytest -q"}, "1 failed", {"exit_code": 1})], "false_claim"),
        (
            [
                ("bash", {"command": "pytest"}, "ok", {"exit_code": 0}),
                ("edit", EDIT, "ok", {"is_error": False}),
            ],
            "false_claim",
        ),
        (
            [
                ("edit", EDIT, "ok", {"is_error": False}),
                ("bash", {"command": "python -m unittest"}, "Ran 1 test\n\nOK"),
            ],
            "",
        ),
    ],
)
def test_a_claim_needs_a_passing_run_after_the_last_edit(calls, reason):
    made = draft("Go", *[("", each) for each in calls], ("All tests pass now.",))
    step = Claims(type="claims")
    assert reason_of(made, step) == reason
    masks = masks_of(made, step.model_copy(update={"handling": "mask"})) if calls else []
    assert masks[-1:] == ([reason] if calls else [])


@pytest.mark.parametrize(
    ("command", "is_peeking"),
    [
        ("git log --all -p", True), ("cd x && git show HEAD~1:a.py", True), ("git diff", False),
        ("git status", False), ("git checkout -- a", False),
        ("curl https://github.com/a/b.patch", True),
        ("cat /usr/lib/python3/site-packages/a/b.py", True), ("git checkout 0123abc", True),
    ],
)  # fmt: skip
def test_looking_at_the_history_is_told(command, is_peeking):
    made = draft("Go", ("", ("bash", {"command": command}, "x")), ("Done",))
    reason = reason_of(made, HistoryPeeking(type="history_peeking"))
    assert reason == ("history_peeking" if is_peeking else "")


@pytest.mark.parametrize(
    ("path", "new", "is_tampering"),
    [
        ("tests/test_a.py", "@pytest.mark.skip\ndef test(): ...", True),
        ("a_test.py", "    self.skipTest('x')", True), ("src/a.py", "sys.exit(0)", False),
        ("tests/test_a.py", "assert f() == 2", False),
    ],
)  # fmt: skip
def test_bending_tests_is_told(path, new, is_tampering):
    given = {"file_path": path, "old_string": "x", "new_string": new}
    made = draft("Go", ("", ("edit", given, "ok", {"is_error": False})), ("Done",))
    reason = reason_of(made, TestTampering(type="test_tampering"))
    assert reason == ("test_tampering" if is_tampering else "")


def test_removing_a_test_is_told():
    made = draft("Go", ("", ("bash", {"command": "git rm -f tests/test_a.py"}, "")), ("Done",))
    assert reason_of(made, TestTampering(type="test_tampering")) == "test_tampering"


def test_long_outputs_are_cut_with_a_visible_mark():
    made = draft("Go", ("", ("bash", {}, "a" * 60 + "b" * 60)), ("Done",))
    step = ToolOutput(type="tool_output", max_characters=100, head=50, tail=50, marker="<{num}>")
    [found] = make(made, step)
    assert found.sample.messages[2].content == "a" * 50 + "<20>" + "b" * 50
    assert found.sample.transformations == ("tool_output_cut",)


def test_injected_text_stays_or_goes():
    made = Draft("agent")
    made.system("S")
    made.system("S")
    made.user("remember", is_injected=True)
    made.user("Go <system-reminder>x</system-reminder>now")
    made.agent_turn("Done")
    [kept] = make(made, Injected(type="injected"))
    assert [each.content for each in kept.sample.messages][:2] == ["S", "remember"]
    [gone] = make(made, Injected(type="injected", keep=False))
    assert [each.content for each in gone.sample.messages] == ["S", "Go now", "Done"]
    assert gone.sample.transformations == ("system_deduplicated", "injected_removed")


def test_what_was_summed_up_is_a_part_of_its_own():
    made = Draft("agent")
    made.system("S")
    made.user("Go")
    made.agent_turn("First")
    made.user("Summary", is_injected=True, is_compaction=True)
    made.agent_turn("Second")
    first, second = make(made)
    assert [each.content for each in first.sample.messages] == ["S", "Go", "First"]
    assert [each.content for each in second.sample.messages] == ["S", "Summary", "Second"]


@pytest.mark.parametrize(
    ("called", "reason"),
    [
        (("edit", EDIT, "old_str not found in a.py", {"is_error": True}), "failed_edit"),
        (("edit", EDIT, "No match for old_string"), "failed_edit"),
        (("edit", '{"file_path', "invalid"), "malformed_call"),
        (("no such", {}, "?"), "malformed_call"),
        (("bash", {"command": "pytset"}, "sh: pytset: command not found", {"exit_code": 127}),
         "command_not_found"),
        (("bash", {"command": "sleep"}, '{"timed_out": true}'), "timeout"),
        (("bash", {"command": "pytest"}, "1 failed", {"exit_code": 1}), ""),
        (("bash", {}, "ok", {"is_undone": True}), "undone"),
    ],
)  # fmt: skip
def test_a_step_that_went_wrong_is_context_only_and_says_why(called, reason):
    made = draft("Go", ("", called), ("Done",))
    assert masks_of(made, StepMasks(type="step_masks")) == [reason, ""]


def test_a_tool_nobody_defined_is_masked():
    made = draft("Go", ("", ("bash", {}, "x")), ("", ("grep", {}, "x")), ("Done",))
    made.tools = [{"type": "function", "function": {"name": "bash", "parameters": {}}}]
    assert masks_of(made, StepMasks(type="step_masks")) == ["", "unknown_tool", ""]


def test_what_was_copied_is_never_trained():
    made = draft("Go", ("Old",), ("Done",))
    made.steps[1]["is_copied_context"] = True
    assert masks_of(made) == ["copied_context", ""]
    made.steps[2]["is_copied_context"] = True
    [found] = make(made)
    assert found.reason == "nothing_to_train"


def test_logs_without_tools_and_prompt_take_those_of_the_step(tmp_path):
    prompt, tools = tmp_path / "p.txt", tmp_path / "t.json"
    prompt.write_text("You are Vibe")
    tools.write_text('[{"type": "function", "function": {"name": "bash"}}]')
    family = Trajectory(type="trajectory", tools=tools, system_prompt=prompt)
    [found] = make(FINE, family=family)
    assert found.sample.messages[0].content == "You are Vibe"
    assert json.loads(found.sample.tools)[0]["function"]["name"] == "bash"
    [alone] = make(
        FINE, facts={"parent": "p"}, family=family.model_copy(update={"subagents": False})
    )
    assert alone.reason == "subagent"


def test_thoughts_are_dropped_or_trained():
    made = Draft("agent")
    made.user("Go")
    made.agent_turn("Done", [], "Hm.")
    [found] = make(made)
    assert found.sample.messages[-1].reasoning_content == ""
    assert found.sample.transformations == ("reasoning_dropped",)
    dropped = found.sample.sample_id
    [found] = make(made, family=Trajectory(type="trajectory", reasoning="train"))
    assert found.sample.messages[-1].reasoning_content == "Hm."
    assert found.sample.transformations == ()
    assert found.sample.sample_id != dropped


def test_system_text_no_server_would_take_is_asked_by_the_user():
    made = Draft("agent")
    made.system("S")
    made.user("Go")
    made.system("Be short.")
    made.agent_turn("Look", [Call("x", "bash", {})])
    made.result("x", "a")
    made.system("Hurry.")
    made.agent_turn("Done")
    [found] = make(made)
    said = [(each.role, each.content) for each in found.sample.messages]
    assert said == [
        ("system", "S"), ("user", "Go"), ("system", "Be short."), ("assistant", "Look"),
        ("tool", "a"), ("user", "Hurry."), ("assistant", "Done"),
    ]  # fmt: skip
    assert "system_as_user" in found.sample.transformations

import hashlib
import json

import pytest

from devtune.data.instruct import build
from devtune.data.renderers.mistral import MistralRenderer
from devtune.data.renderers.pairs import pair_row
from devtune.data.trajectories.preferences import fault_of
from devtune.jsonl import read_jsonl, write_jsonl
from devtune.pipeline import BuildSection, LocalExecutor
from devtune.progress import Progress
from devtune.records import Preference, Sample, Source
from tests.data.trajectories.test_trajectory import draft, session

LOOK = ("I look.", ("bash", {"command": "ls"}, "a.py"))
EDIT = ("I edit.", ("edit", {"file_path": "a.py", "new_string": "2"}, "ok"))
WRONG = ("I guess.", ("edit", {"file_path": "b.py", "new_string": "3"}, "ok"))
LOOP = [("Again.", ("bash", {"command": "ls"}, "a.py"))] * 3
STEPS = [
    {"type": "consent"}, {"type": "outcome", "keep": "resolved"}, {"type": "complete"},
    {"type": "loops"}, {"type": "step_masks"}, {"type": "trajectory"}, {"type": "exact_dedup"},
]  # fmt: skip


@pytest.fixture
def built(make_corpus, tmp_path):
    def run(sessions, *, steps=STEPS, number=[0], **pairs):  # noqa: B006
        number[0] += 1
        corpus, out = make_corpus(), tmp_path / f"samples{number[0]}"
        out.mkdir()
        write_jsonl(corpus / "sessions.jsonl", sessions)
        write_jsonl(corpus / "sources.jsonl", [Source("logs", "sessions", 1.0, "", "")])
        every = [*steps, {"type": "preferences", **pairs}]
        section = BuildSection.model_validate({"steps": every})
        one = LocalExecutor(type="local", workers=1)
        outcome = build(section, one, corpus, out, Progress("quiet"))
        return outcome, list(read_jsonl(out / "preferences.jsonl", Preference)), out

    return run


def tried(*turns, outcome, **facts):
    known = {"consent": "ticket", "vendor_terms": "permitted", "outcome": outcome, **facts}
    return session(draft("Mend a.py.", *turns), **known)


def said(messages):
    return [each.content for each in messages]


def test_a_resolved_session_is_chosen_over_another_of_its_task(built):
    good = tried(LOOK, EDIT, "", ("Done.",), outcome="resolved")
    bad = tried(LOOK, WRONG, ("It should work.",), outcome="unresolved")
    outcome, pairs, out = built([bad, good])
    assert [pair.kind for pair in pairs] == ["trajectory", "divergence"]
    whole, parted = pairs
    assert said(whole.prompt) == ["Mend a.py."]
    assert said(whole.chosen) == ["I look.", "a.py", "I edit.", "ok", "Done."]
    assert said(whole.rejected) == ["I look.", "a.py", "I guess.", "ok", "It should work."]
    assert said(parted.prompt) == ["Mend a.py.", "I look.", "a.py"]
    assert (said(parted.chosen), said(parted.rejected)) == (["I edit."], ["I guess."])
    assert {pair.reason for pair in pairs} == {"outcome_unresolved"}
    assert {pair.task for pair in pairs} == {"t"}
    [sample] = read_jsonl(out / "train.jsonl", Sample)
    assert {pair.chosen_id for pair in pairs} == {sample.sample_id}
    counts = {key: value for key, value in outcome.counts.items() if "preferences" in key}
    assert counts == {"preferences.trajectory": 1, "preferences.divergence": 1}


def test_the_rejected_side_is_repaired_like_the_chosen_one(built):
    long = ("I look.", ("bash", {"command": "ls"}, "a.py " * 100))
    good = tried(long, EDIT, ("Done.",), outcome="resolved")
    bad = tried(long, WRONG, ("No.",), outcome="unresolved")
    cut = {"type": "tool_output", "max_characters": 40, "head": 20, "tail": 20}
    _, pairs, _ = built([good, bad], steps=[*STEPS[:2], cut, *STEPS[2:]])
    assert [pair.kind for pair in pairs] == ["trajectory", "divergence"]
    assert "characters elided" in said(pairs[0].rejected)[1]
    assert said(pairs[0].rejected)[1] == said(pairs[0].chosen)[1]


def test_a_session_that_loops_is_rejected_though_it_resolved_its_task(built):
    good = tried(LOOK, EDIT, ("Done.",), outcome="resolved")
    bad = tried(LOOK, *LOOP, EDIT, ("Done.",), outcome="resolved")
    _, pairs, _ = built([good, bad])
    assert {pair.reason for pair in pairs} == {"loop"}


@pytest.mark.parametrize(
    "other",
    [
        tried(LOOK, ("No.",), outcome="unresolved", task="other"),
        tried(LOOK, ("No.",), outcome="unresolved", consent=""),
        tried(LOOK, ("No.",), outcome="unresolved", vendor_terms="forbidden"),
        tried(LOOK, ("No.",), outcome="unresolved", split="held_out"),
        tried(LOOK, ("Maybe.",), outcome="unknown"),
        session(
            draft("Another request.", LOOK, ("No.",)),
            outcome="unresolved", consent="ticket", vendor_terms="permitted",
        ),
    ],
)  # fmt: skip
def test_what_says_nothing_of_the_task_or_may_not_be_used_is_no_side_of_a_pair(built, other):
    _, pairs, _ = built([tried(LOOK, EDIT, ("Done.",), outcome="resolved"), other])
    assert pairs == []


def test_sessions_part_where_the_model_did_not_where_its_surroundings_did(built):
    good = tried(LOOK, EDIT, ("Done.",), outcome="resolved")
    other = ("I look.", ("bash", {"command": "ls"}, "b.py"))
    bad = tried(other, WRONG, ("No.",), outcome="unresolved")
    _, pairs, _ = built([good, bad])
    assert [pair.kind for pair in pairs] == ["trajectory"]


def test_a_step_that_is_masked_is_not_chosen(built):
    failed = ("I edit.", ("edit", {"file_path": "a.py"}, "not found in file", {"is_error": True}))
    good = tried(LOOK, failed, EDIT, ("Done.",), outcome="resolved")
    bad = tried(LOOK, WRONG, ("No.",), outcome="unresolved")
    _, pairs, _ = built([good, bad])
    assert [pair.kind for pair in pairs] == ["trajectory"]


def test_a_chosen_session_stays_in_training(built):
    good = tried(LOOK, EDIT, ("Done.",), outcome="resolved")
    other = session(
        draft("Else.", ("ok",)), task="u", outcome="resolved", consent="t", vendor_terms="permitted"
    )
    bad = tried(LOOK, WRONG, ("No.",), outcome="unresolved")
    drop = {"type": "max_per_family", "train": 1, "held_out": 1}
    _, pairs, out = built([good, other, bad], steps=[*STEPS, drop])
    [left] = read_jsonl(out / "train.jsonl", Sample)
    assert {pair.chosen_id for pair in pairs} <= {left.sample_id}


def test_there_are_no_more_pairs_of_a_task_than_asked_and_none_twice(built):
    good = [tried(LOOK, EDIT, (f"Done {n}.",), outcome="resolved") for n in range(4)]
    bad = [tried(LOOK, WRONG, (f"No {n}.",), outcome="unresolved") for n in range(4)]
    _, pairs, _ = built([*good, *bad], per_task=3, kinds=["trajectory"])
    assert len(pairs) == 3
    assert len({pair.chosen_id for pair in pairs}) == 3
    assert len({json.dumps(said(pair.rejected)) for pair in pairs}) == 3
    _, again, _ = built([*bad, *good], per_task=3, kinds=["trajectory"])
    assert again == pairs


def test_attempts_that_say_the_same_make_one_pair_and_none_with_themselves(built):
    good = [tried(LOOK, EDIT, ("Done.",), outcome="resolved") for _ in range(2)]
    bad = [tried(LOOK, WRONG, ("No.",), outcome="unresolved") for _ in range(2)]
    _, pairs, _ = built([*good, *bad], kinds=["trajectory"])
    assert len(pairs) == 1
    same = tried(LOOK, EDIT, ("Done.",), outcome="unresolved")
    _, pairs, _ = built([good[0], same])
    assert pairs == []


def test_a_pair_is_named_by_all_that_is_said_in_it(built):
    good = tried(LOOK, EDIT, ("Done.",), outcome="resolved")
    bad = tried(LOOK, WRONG, ("No.",), outcome="unresolved")
    _, pairs, _ = built([good, bad])
    whole, parted = pairs
    sides = [
        [
            [each.role, each.content, *([call.name, call.arguments] for call in each.tool_calls)]
            for each in messages
        ]
        for messages in (whole.prompt, whole.chosen, whole.rejected)
    ]
    digest = hashlib.sha256(json.dumps(["trajectory", *sides]).encode()).hexdigest()
    assert whole.sample_id == digest[:16]
    assert parted.sample_id != whole.sample_id
    _, (again, _), _ = built([bad, good])
    assert again.sample_id == whole.sample_id


def test_what_is_built_can_be_rendered(built, tekken_file):
    good = tried(LOOK, EDIT, "", ("Done.",), outcome="resolved")
    bad = tried(LOOK, *LOOP, WRONG, ("It should work.",), outcome="unresolved")
    _, pairs, _ = built([bad, good])
    renderer = MistralRenderer(tekken_file)
    assert len(pairs) == 2
    for each in pairs:
        row = pair_row(renderer, each, 10_000)
        assert renderer.spell(row.prompt_ids).endswith(("[/INST]", "[/TOOL_RESULTS]"))
        assert renderer.spell(row.chosen_ids).endswith("</s>")


def test_reasons_that_are_no_faults_make_no_side():
    assert fault_of("no_consent", "resolved") is None
    assert fault_of("", "unknown") is None
    assert fault_of("", "resolved") == ""
    assert fault_of("", "unresolved") == "outcome_unresolved"
    assert fault_of("false_claim", "resolved") == "false_claim"


def test_pairs_without_sessions_are_refused():
    with pytest.raises(ValueError, match="preferences are pairs of sessions; add a trajectory"):
        BuildSection.model_validate({"steps": [{"type": "preferences"}, {"type": "exact_dedup"}]})

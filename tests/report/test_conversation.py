import json

import pytest

from devtune.data.renderers.mistral import MistralRenderer
from devtune.pipeline import RenderSection
from devtune.records import Message, Sample, ToolCall
from devtune.report.conversation import NO_REASON, mask_reasons, reasons_beside, turns_of
from devtune.report.stretches import Limits
from tests.conftest import make_place
from tests.report.conftest import TOOLS

SMALL = Limits(2, 1, 40)


def call(number, **arguments):
    return ToolCall(f"call{number:05}", "edit", json.dumps(arguments, ensure_ascii=False))


MESSAGES = (
    Message("system", "You have\ntools."),
    Message("user", "one\ntwo\nthree\nfour\nfive"),
    Message(
        "assistant", "I try.", (call(0, path="a.py", new="x = 1\ny = 2\n"),), "", False, "loop"
    ),
    Message("tool", '{"returncode": 1, "output": "no\\nno"}', (), "call00000"),
    Message("assistant", "", (call(1, path="a.py"), call(2, path="b.py"))),
    Message("tool", "fine [ARGS]{}", (), "call00001"),
    Message("tool", "fine", (), "call00002"),
    Message("assistant", "Done."),
)


@pytest.fixture(scope="module")
def renderer(tekken_file):
    return MistralRenderer(tekken_file)


@pytest.fixture
def rendered(renderer):
    sample = Sample("00", "trajectory", MESSAGES, (make_place(),), TOOLS)
    row = renderer.rows(sample, RenderSection(max_length=9999))[0][0]
    return row.input_ids, row.labels


def text_of(turn):
    return "".join(each.text for each in turn.stretches)


def test_every_token_is_in_one_turn_of_its_speaker(renderer, rendered):
    turns = list(turns_of(renderer, *rendered))
    assert [each.speaker for each in turns] == [
        "system", "tools", "user", "assistant", "tool", "assistant", "tool", "tool", "assistant",
    ]  # fmt: skip
    assert sum(each.num_tokens for each in turns) == len(rendered[0])
    trained = [each.num_trained for each in turns if each.speaker == "assistant"]
    assert [number > 0 for number in trained] == [False, True, True]
    assert sum(trained) == sum(label != -100 for label in rendered[1])


def test_exactly_what_labels_say_is_trained_and_layout_never_is(renderer, rendered):
    for turn in turns_of(renderer, *rendered):
        marked = {x.is_trained for x in turn.stretches if x.kind != "layout"}
        assert marked == {turn.num_trained > 0}
        assert not [x for x in turn.stretches if x.kind == "layout" and x.is_trained]
        assert all(not x.text.strip(" \n-") for x in turn.stretches if x.kind == "layout")


def test_labels_that_part_a_turn_part_what_is_shown(renderer, rendered):
    ids, labels = rendered
    half = [label if place % 2 else -100 for place, label in enumerate(labels)]
    for turn, other in zip(
        turns_of(renderer, ids, half), turns_of(renderer, ids, labels), strict=True
    ):
        assert turn.num_trained == 0 or turn.num_trained < other.num_trained
        spans = [x for x in turn.stretches if x.kind != "layout"]
        assert any(x.is_trained for x in spans) == (turn.num_trained > 0)


def test_what_is_no_call_is_shown_as_it_is(renderer, rendered):
    turns = list(turns_of(renderer, *rendered))
    assert text_of(turns[0]) == "<s>[SYSTEM_PROMPT]You have\ntools.[/SYSTEM_PROMPT]"
    assert text_of(turns[6]) == "[TOOL_RESULTS]fine [ARGS]{}[/TOOL_RESULTS]"
    assert text_of(turns[-1]) == "Done.</s>"


def test_calls_and_results_are_laid_out_with_real_line_breaks(renderer, rendered):
    turns = list(turns_of(renderer, *rendered))
    margin = 4 * " "
    assert text_of(turns[3]) == (
        f"I try.\n[TOOL_CALLS]edit[ARGS]\n{margin}path: a.py\n{margin}new:"
        f"\n{margin * 2}x = 1\n{margin * 2}y = 2\n{margin * 2}\n</s>"
    )
    assert text_of(turns[4]) == (
        f"[TOOL_RESULTS]\n{margin}returncode: 1\n{margin}output:\n{margin * 2}no\n{margin * 2}no\n"
        "[/TOOL_RESULTS]"
    )
    assert text_of(turns[5]).count("[TOOL_CALLS]edit[ARGS]\n    path: ") == 2


def test_long_texts_lose_their_middle_and_say_how_much(renderer, rendered):
    turns = list(turns_of(renderer, *rendered, SMALL, SMALL))
    user = turns[2]
    assert text_of(user) == "[INST]one\ntwo\n\nfive[/INST]"
    [hidden] = [x for x in user.stretches if x.kind == "hidden"]
    assert (hidden.num_lines, hidden.num_characters) == (2, len("three\nfour"))
    [names] = [x for x in turns[1].stretches if x.kind == "hidden"]
    assert names.text == "read_file"
    whole = text_of(next(iter(list(turns_of(renderer, *rendered))[1:2])))
    assert json.loads(whole.removeprefix("[AVAILABLE_TOOLS]").removesuffix("[/AVAILABLE_TOOLS]"))


def test_a_line_without_end_is_cut_by_characters(renderer):
    sample = Sample("00", "x", (Message("user", "w" * 1000), Message("assistant", "Yes")), ())
    ids = renderer.encode(sample)
    user, _ = turns_of(renderer, ids, [-100] * len(ids), SMALL, SMALL)
    [hidden] = [x for x in user.stretches if x.kind == "hidden"]
    assert (hidden.num_lines, hidden.num_characters) == (0, 960)


def test_a_turn_without_its_text_says_how_much_there_was(renderer, rendered):
    turn = list(turns_of(renderer, *rendered))[-1]
    [hidden] = turn.without_text().stretches
    assert (hidden.num_characters, hidden.is_trained) == (len("Done.</s>"), True)
    assert turn.glimpse == "Done."


def test_masks_are_told_turn_by_turn():
    assert mask_reasons(MESSAGES) == ["loop", "", ""]
    together = (
        Message("user", "Go"),
        Message("assistant", "One", is_trained=False, mask_reason="undone"),
        Message("assistant", "Two"),
        Message("user", "On"),
        Message("assistant", "Three", is_trained=False),
    )
    assert mask_reasons(together) == ["undone", NO_REASON]


def test_a_reason_stands_with_its_own_turn_or_with_none(renderer, rendered):
    turns = list(turns_of(renderer, *rendered))
    assert reasons_beside(turns, mask_reasons(MESSAGES)) == ["", "", "", "loop", "", "", "", "", ""]
    for others in (["", "loop", ""], ["loop", ""], []):
        assert set(reasons_beside(turns, others)) == {""}

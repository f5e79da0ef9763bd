# Both sides of a pair are the conversations the server has, cut where the assistant begins.
import itertools

import pytest

from devtune.data.renderers.chat_template import ChatTemplateRenderer
from devtune.data.renderers.pairs import pair_row, sides_of
from devtune.data.renderers.tokens import Unrendered
from devtune.records import IGNORED, Message, Preference
from tests.conftest import make_place
from tests.data.renderers.conftest import VERSIONS
from tests.data.renderers.conversations import (
    CONTROL,
    CONVERSATIONS,
    LOOK,
    TOOLS,
    TWICE,
    call,
    result,
    sample_of,
    says,
    system,
    user,
)
from tests.data.renderers.templates import CHATML, write_tokenizer
from tests.data.renderers.test_exactness import prompts_of, runs_of, words_of

LOOP = (says("", call(4)), result(4, "again"), says("", call(5)), result(5, "again"))


def pair(prompt, chosen, rejected, *, kind="trajectory", tools=TOOLS):
    return Preference(
        "0123456789abcdef", kind, "t", tuple(prompt), tuple(chosen), tuple(rejected), "loop",
        "fedcba9876543210", (make_place(), make_place("b.jsonl")), tools,
    )  # fmt: skip


PAIRS = {
    "whole sessions": pair(
        (system(), user("Go.")), (*LOOK, says("Done.")), (*LOOK, *LOOP, says("It works."))
    ),
    "where they part": pair(
        (system(), user("Go."), *LOOK), TWICE[:1], (says("No idea."),), kind="divergence"
    ),
    "no tools": pair((user("Go."),), (says("a + b"),), (says("a - b"),), tools=""),
    "control strings": pair(
        (system(CONTROL), user(CONTROL)),
        (says(CONTROL, call(1)), result(1, CONTROL), says(f"{CONTROL} yes")),
        (says(f"{CONTROL} 日本 "),),
    ),
    "after several questions": pair(
        (user("Go."), *LOOK, says("One."), user("More.")), (*TWICE, says("Two.")), (says("Hm."),)
    ),
    "turns of several messages": pair(
        (user("Go."), user("Now.")), (says("I look."), *LOOK, says("a"), says("b")), (says("c"),)
    ),
    "a result in another order": pair(
        (user("Go."),), (TWICE[0], TWICE[2], TWICE[1], says("Done.")), (says("", call(1)),)
    ),
}


def spoken(messages, version):
    # The words of each turn of the assistant, as a model writes them.
    runs = itertools.groupby(messages, key=lambda each: each.role == "assistant")
    for is_assistant, run in runs:
        some = list(run)
        if is_assistant:
            text = "\n\n".join(each.content for each in some if each.content)
            calls = tuple(each for message in some for each in message.tool_calls)
            yield words_of(says(text, *calls), version)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("version", VERSIONS)
def test_prompt_and_side_are_the_whole_conversation_and_no_token_else(renderers, version, name):
    given, renderer = PAIRS[name], renderers[version]
    row = pair_row(renderer, given, 10_000)
    for ids, messages in ((row.chosen_ids, given.chosen), (row.rejected_ids, given.rejected)):
        whole = sample_of(*given.prompt, *messages, tools=given.tools)
        assert row.prompt_ids + ids == renderer.encode(whole)
    assert row.num_tokens == len(row.prompt_ids) + max(len(row.chosen_ids), len(row.rejected_ids))
    assert (row.sample_id, row.family) == (given.sample_id, given.kind)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_prompt_is_what_the_server_is_given(renderers, servers, version, name):
    given = PAIRS[name]
    row = pair_row(renderers[version], given, 10_000)
    for messages in (given.chosen, given.rejected):
        whole = sample_of(*given.prompt, *messages, tools=given.tools)
        assert dict(prompts_of(whole, servers[version]))[len(given.prompt)] == row.prompt_ids


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("version", VERSIONS)
def test_exactly_the_words_and_calls_of_the_assistant_count(renderers, version, name):
    given, renderer = PAIRS[name], renderers[version]
    row = pair_row(renderer, given, 10_000)
    for ids, labels, messages in (
        (row.chosen_ids, row.chosen_labels, given.chosen),
        (row.rejected_ids, row.rejected_labels, given.rejected),
    ):
        assert len(ids) == len(labels)
        runs = [ids[start:end] for start, end in runs_of(labels)]
        assert [renderer.decode(each) for each in runs] == list(spoken(messages, version))
        assert {each[-1] for each in runs} == {2}
        assert all(label in (IGNORED, token) for token, label in zip(ids, labels, strict=True))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_masked_step_is_no_example_but_is_unlearnt(renderers, version):
    failed = Message("assistant", "I fail.", (call(1),), "", False, "failed_edit")
    steps = (failed, result(1, "no"), says("Done."))
    row = pair_row(renderers[version], pair([user("Go.")], steps, (*steps[:2], says("x"))), 10_000)
    chosen, rejected = (
        [renderers[version].decode([x for x in labels if x != IGNORED])]
        for labels in (row.chosen_labels, row.rejected_labels)
    )
    assert chosen == ["Done."]
    assert rejected == ["".join((*spoken([failed], version), "x"))]


@pytest.mark.parametrize("reason", ["malformed_call", "unanswered_call"])
def test_what_the_model_did_not_write_so_is_not_unlearnt(renderers, reason):
    repaired = Message("assistant", "I try.", (call(1),), "", False, reason)
    given = pair([user("Go.")], [says("Done.")], [repaired, result(1, "no"), says("x")])
    row = pair_row(renderers["v13"], given, 10_000)
    assert renderers["v13"].decode([x for x in row.rejected_labels if x != IGNORED]) == "x"


def refused(renderer, given, max_length=10_000):
    with pytest.raises(Unrendered) as caught:
        pair_row(renderer, given, max_length)
    return caught.value.reason, caught.value.detail


@pytest.mark.parametrize("version", VERSIONS)
def test_before_v13_tools_of_a_later_question_would_stand_elsewhere(renderers, version):
    asked = (says("One."), user("More."), says("Two."))
    given = [
        pair([user("Go.")], asked, [says("No.")]), pair([user("Go.")], [says("Yes.")], asked),
    ]  # fmt: skip
    for each in given:
        if version == "v13":
            assert pair_row(renderers[version], each, 10_000)
        else:
            reason = ("several_questions", "tools move on with each question before v13")
            assert refused(renderers[version], each) == reason
    without = pair([user("Go.")], asked, [says("No.")], tools="")
    assert pair_row(renderers[version], without, 10_000)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_later_question_that_nothing_is_trained_of_is_refused_too(renderers, version):
    asked = (says("One."), user("More."), says("Two.", is_trained=False))
    first = (says("One.", is_trained=False), user("More."), says("Two."))
    if version != "v13":
        given = pair([user("Go.")], asked, [says("No.")])
        assert refused(renderers[version], given)[0] == "several_questions"
        given = pair([user("Go.")], first, [says("No.")])
        reason = ("prompts_differ", "the sides do not begin with the same tokens")
        assert refused(renderers[version], given) == reason


def test_a_pair_is_as_long_as_its_longer_side(renderers):
    given = PAIRS["whole sessions"]
    whole = sample_of(*given.prompt, *given.rejected)
    length = len(renderers["v13"].encode(whole))
    assert pair_row(renderers["v13"], given, length).num_tokens == length
    assert refused(renderers["v13"], given, length - 1) == ("too_long", f"{length} tokens")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (pair([user("Go."), says("a")], [says("b")], [says("c")]), "turns_not_found"),
        (pair([], [says("b")], [says("c")]), "turns_not_found"),
        (pair([user("Go.")], [says("b")], [says(" ")]), "empty_answer"),
        (pair([user("Go.")], [says("b", is_trained=False)], [says("c")]), "nothing_to_train"),
        (pair([user("Go.")], [says("b")], [says("c"), result(1, "?")]), "invalid_conversation"),
    ],
)
def test_what_no_server_has_is_no_pair(renderers, given, reason):
    assert refused(renderers["v13"], given)[0] == reason


def test_nothing_of_the_prompt_is_trained():
    for each in PAIRS.values():
        for side in sides_of(each):
            before = side.messages[: len(each.prompt)]
            assert not any(x.is_trained for x in before if x.role == "assistant")


@pytest.mark.parametrize("name", [each for each in PAIRS if each != "control strings"])
def test_a_chat_template_gives_the_same_two_conversations(tmp_path, name):
    write_tokenizer(tmp_path, CHATML)
    renderer, given = ChatTemplateRenderer(tmp_path), PAIRS[name]
    row = pair_row(renderer, given, 10_000)
    for ids, side in zip((row.chosen_ids, row.rejected_ids), sides_of(given), strict=True):
        assert row.prompt_ids + ids == renderer.tokens(side).input_ids
    assert renderer.spell(row.prompt_ids).endswith("<|im_start|>assistant\n")


@pytest.mark.parametrize("version", VERSIONS)
def test_two_answers_to_any_prompt_make_a_pair(renderers, version):
    num_pairs = 0
    for sample in CONVERSATIONS.values():
        for index, message in enumerate(sample.messages):
            before = sample.messages[:index]
            if message.role != "assistant" or before[-1].role == "assistant":
                continue
            chosen = Message("assistant", message.content, message.tool_calls)
            given = pair(before, [chosen], [says("Never.")], tools=sample.tools)
            row = pair_row(renderers[version], given, 10_000)
            whole = sample_of(*before, chosen, tools=sample.tools)
            assert row.prompt_ids + row.chosen_ids == renderers[version].encode(whole)
            assert row.chosen_labels == row.chosen_ids
            num_pairs += 1
    assert num_pairs > 30

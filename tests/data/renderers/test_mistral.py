import json

import pytest
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.protocol.instruct.validator import ValidationMode
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

from devtune.data.renderers.mistral import MistralRenderer, trained_spans
from devtune.pipeline import RenderSection
from devtune.records import IGNORED, Message, Rejected, Sample, ToolCall
from tests.conftest import make_place

SYSTEM = ("system", "Answer with code.")
USER = ("user", "Add two numbers.\n\n```python\nreturn a\n```")
ANSWER = ("assistant", "```python\nreturn a + b  # café 日本\n```\n")
CONVERSATIONS = {
    "one turn": (USER, ANSWER),
    "system prompt": (SYSTEM, USER, ANSWER),
    "two turns": (USER, ANSWER, ("user", "Now three."), ("assistant", "a + b + c")),
    "two turns with a system prompt": (SYSTEM, USER, ANSWER, ("user", "Go on."), ANSWER),
    "five turns": (*[USER, ANSWER] * 4, ("user", "x"), ("assistant", "y")),
    "control strings asked": (
        ("user", "Explain </s>[INST] a [/INST] b <s>[TOOL_RESULTS]1[/TOOL_RESULTS]"),
        ANSWER,
    ),
    "control strings answered": (
        USER,
        ("assistant", "x = '[/INST]'; y = '</s>'  # [INST] [SYSTEM_PROMPT] <pad>"),
        ("user", "[/SYSTEM_PROMPT]"),
        ("assistant", "</s>"),
    ),
    "a system prompt alone": (SYSTEM, ANSWER),
    "a system prompt after a request": (USER, ANSWER, USER, SYSTEM, ANSWER),
    "blank ends": (USER, ("assistant", "\n  indented\n\n")),
}
TOOLS = (
    '[{"type": "function", "function": {"name": "bash", "description": "run",'
    ' "parameters": {"type": "object", "properties": {"command": {"type": "string"}}}}}]'
)


@pytest.fixture(scope="module")
def renderer(tekken_file):
    return MistralRenderer(tekken_file)


@pytest.fixture(scope="module")
def mistral(tekken_file):
    def make(mode):
        return MistralTokenizer.from_file(str(tekken_file), mode=mode)

    return make


def row_of(renderer, sample, max_length=10_000):
    rows, rejects = renderer.rows(sample, RenderSection(max_length=max_length))
    assert len(rows) + len(rejects) == 1
    return rows[0] if rows else rejects[0]


def request_of(turns):
    messages = [{"role": role, "content": content} for role, content in turns]
    return ChatCompletionRequest.from_openai(messages=messages)


def mask_by_difference(mistral, turns):
    # What the server is given before each answer, against what stands there after it.
    served, trained = mistral(ValidationMode.test), mistral(ValidationMode.finetuning)
    whole = trained.encode_chat_completion(request_of(turns)).tokens
    mask = [False] * len(whole)
    for index, (role, _) in enumerate(turns):
        if role != "assistant":
            continue
        before = served.encode_chat_completion(request_of(turns[:index])).tokens
        after = trained.encode_chat_completion(request_of(turns[: index + 1])).tokens
        assert after[: len(before)] == before
        assert whole[: len(after)] == after
        mask[len(before) : len(after)] = [True] * (len(after) - len(before))
    return whole, mask


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_the_mask_is_what_each_answer_adds_to_the_conversation(
    renderer, mistral, make_sample, name
):
    turns = CONVERSATIONS[name]
    row = row_of(renderer, make_sample(*turns), 10_000)
    whole, mask = mask_by_difference(mistral, turns)
    assert row.input_ids == whole
    assert row.labels == [token if on else IGNORED for token, on in zip(whole, mask, strict=True)]


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_trained_text_is_the_answers_with_one_end_each(renderer, make_sample, name):
    turns = CONVERSATIONS[name]
    row = row_of(renderer, make_sample(*turns), 10_000)
    answers = [content for role, content in turns if role == "assistant"]
    spans = list(trained_spans(row.input_ids))
    assert [renderer.decode(row.input_ids[start:end]) for start, end in spans] == answers
    assert [row.input_ids[end - 1] for _, end in spans] == [2] * len(answers)
    assert all(2 not in row.input_ids[start : end - 1] for start, end in spans)
    assert row.num_trained_bytes == sum(len(each.encode()) for each in answers)


def test_control_strings_in_code_are_plain_text(renderer, make_sample):
    turns = CONVERSATIONS["control strings answered"]
    row = row_of(renderer, make_sample(*turns), 10_000)
    control = [token for token in row.input_ids if token < 1000]
    assert control == [1, 3, 4, 2, 3, 4, 2]
    assert "[/INST]" in renderer.decode([each for each in row.labels if each != IGNORED])


def test_a_tool_result_is_no_turn_and_the_call_before_it_is():
    # <s>[INST] a [/INST] [TOOL_CALLS] b </s> [TOOL_RESULTS] c [/TOOL_RESULTS] d </s>
    ids = [1, 3, 1100, 4, 9, 1101, 2, 7, 1102, 8, 1103, 2]
    assert list(trained_spans(ids)) == [(4, 7), (10, 12)]


def test_blanks_at_the_end_of_an_answer_are_neither_served_nor_counted(renderer, make_sample):
    row = row_of(renderer, make_sample(USER, ("assistant", "x  ")), 1000)
    assert row.num_trained_bytes == 1
    assert row.labels == row_of(renderer, make_sample(USER, ("assistant", "x")), 1000).labels


def test_spans_join_to_what_was_rendered(renderer, make_sample):
    row = row_of(renderer, make_sample(("user", "a b"), ("assistant", "c d")), 100)
    spans = list(renderer.spans(row.input_ids, row.labels))
    assert "".join(span.text for span in spans) == "<s>[INST]a b[/INST]c d</s>"
    assert [span.text for span in spans if span.is_trained] == ["c d", "</s>"]


@pytest.mark.parametrize("answer", ["", " ", "\n", " \t\n "])
def test_an_empty_answer_is_rejected_wherever_it_stands(renderer, make_sample, answer):
    for turns in (
        (USER, ("assistant", answer)),
        (USER, ("assistant", answer), USER, ANSWER),
    ):
        row = row_of(renderer, make_sample(*turns), 1000)
        assert isinstance(row, Rejected)
        assert row.reason == "empty_answer"


@pytest.mark.parametrize(
    "turns",
    [
        (USER,),
        (ANSWER, USER),
        (USER, ANSWER, SYSTEM, ANSWER),
        (),
    ],
)
def test_what_the_server_would_not_understand_is_rejected(renderer, make_sample, turns):
    row = row_of(renderer, make_sample(*turns), 1000)
    assert isinstance(row, Rejected)
    assert row.reason == "invalid_conversation"


@pytest.mark.parametrize(
    ("turns", "found"),
    [
        ((ANSWER, USER, ANSWER), "1 spans of tokens for 2 assistant turns"),
    ],
)
def test_a_turn_that_follows_no_request_is_rejected_and_not_trained_by_guess(
    renderer, make_sample, turns, found
):
    row = row_of(renderer, make_sample(*turns), 1000)
    assert isinstance(row, Rejected)
    assert (row.reason, row.detail) == ("turns_not_found", f"00 {found}")


def test_messages_of_one_side_that_follow_each_other_are_one_turn(renderer, make_sample):
    row = row_of(renderer, make_sample(USER, USER, ANSWER, ("assistant", "And more.")), 1000)
    (span,) = trained_spans(row.input_ids)
    assert renderer.decode(row.input_ids[slice(*span)]).endswith("And more.")
    sample = make_sample(USER, ANSWER)
    half = Message("assistant", "kept as context", is_trained=False)
    mixed = Sample("02", "x", (*sample.messages, half), sample.provenance)
    assert row_of(renderer, mixed, 1000).reason == "nothing_to_train"


def session(make_sample, is_trained=(True, True)):
    where = make_sample(USER, ANSWER).provenance
    call = ToolCall("call00001", "bash", '{"command": "ls"}')
    messages = (
        Message("user", "Look around."),
        Message("assistant", "", (call,), is_trained=is_trained[0]),
        Message("tool", "a.py", tool_call_id="call00001"),
        Message("assistant", "One file.", is_trained=is_trained[1]),
    )
    return Sample("01", "commit_replay", messages, where, TOOLS)


def test_a_session_is_trained_on_its_calls_and_answers_alone(renderer, make_sample):
    row = row_of(renderer, session(make_sample), 10_000)
    shown = "".join(
        each.text for each in renderer.spans(row.input_ids, row.labels) if each.is_trained
    )
    assert shown == '[TOOL_CALLS]bash[ARGS]{"command": "ls"}</s>One file.</s>'
    whole = "".join(each.text for each in renderer.spans(row.input_ids, row.labels))
    assert "[AVAILABLE_TOOLS]" in whole
    assert "[TOOL_RESULTS]a.py[/TOOL_RESULTS]" in whole


@pytest.mark.parametrize(
    ("is_trained", "expected"),
    [
        ((False, True), "One file.</s>"),
        ((True, False), '[TOOL_CALLS]bash[ARGS]{"command": "ls"}</s>'),
    ],
)
def test_a_turn_kept_as_context_has_no_loss(renderer, make_sample, is_trained, expected):
    row = row_of(renderer, session(make_sample, is_trained), 10_000)
    spans = renderer.spans(row.input_ids, row.labels)
    assert "".join(each.text for each in spans if each.is_trained) == expected


def test_a_call_of_a_tool_without_its_result_is_rejected(renderer, make_sample):
    sample = session(make_sample)
    broken = Sample("01", "x", (*sample.messages[:2], sample.messages[3]), sample.provenance, TOOLS)
    row = row_of(renderer, broken, 10_000)
    assert isinstance(row, Rejected)
    assert row.reason == "invalid_conversation"


def test_what_is_searched_is_the_text_as_trained_and_then_the_arguments_unescaped(renderer):
    arguments = json.dumps({"path": "a.py", "edits": [{"text": 'x = "1"\ny = 2\n'}], "n": 3})
    messages = (
        Message("user", "Go."),
        Message("user", "Now."),
        Message("assistant", "", (ToolCall("abcdef123", "read_file", arguments),)),
        Message("tool", "done", (), "abcdef123"),
        Message("assistant", "All is well."),
    )
    sample = Sample("01", "x", messages, (make_place(),), TOOLS)
    row = row_of(renderer, sample, 10_000)
    whole = renderer.scannable(row.input_ids, sample)
    assert "[INST]Go.\n\nNow.[/INST]" in whole
    assert 'x = \\"1\\"\\ny = 2' in whole
    assert whole.endswith('All is well.</s>\na.py\nx = "1"\ny = 2\n')


def test_arguments_of_any_depth_are_searched(renderer):
    deep = "[" * 400 + '"found"' + "]" * 400
    messages = (
        Message("user", "Go."),
        Message("assistant", "", (ToolCall("abcdef123", "read_file", f'{{"path": {deep}}}'),)),
        Message("tool", "done", (), "abcdef123"),
        Message("assistant", "All is well."),
    )
    sample = Sample("01", "x", messages, (make_place(),), TOOLS)
    row = row_of(renderer, sample, 10_000)
    assert renderer.scannable(row.input_ids, sample).endswith("</s>\nfound")

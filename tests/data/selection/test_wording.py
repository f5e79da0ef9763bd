import json

import pytest

from devtune.data.selection.wording import answer_of, strings_in, text_of
from devtune.records import Message, Provenance, Sample, ToolCall


@pytest.fixture
def make_sample():
    def make(*messages):
        return Sample("id", "f", messages, (Provenance("app", "c", "x.py", "b", "Ada", ""),))

    return make


def call(arguments):
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return Message("assistant", "", (ToolCall("1", "edit", text),))


def test_all_messages_are_shown_and_only_the_assistants_answers(make_sample):
    sample = make_sample(
        Message("system", "s"), Message("user", "q"), Message("assistant", "first"),
        Message("tool", "out", tool_call_id="1"), Message("assistant", "last"),
    )  # fmt: skip
    assert text_of(sample) == "s\nq\nfirst\nout\nlast"
    assert answer_of(sample) == "first\nlast"


def test_an_answer_kept_as_context_is_none(make_sample):
    seen = Message("assistant", "seen", is_trained=False)
    assert answer_of(make_sample(seen, Message("assistant", "said"))) == "said"
    assert text_of(make_sample(seen)) == "seen"


def test_arguments_of_tool_calls_are_read_unescaped(make_sample):
    sample = make_sample(call({"path": "a.py", "edits": [{"new": 'x = "é"\nreturn x'}], "at": 3}))
    assert answer_of(sample) == text_of(sample) == 'edit\na.py\nx = "é"\nreturn x'


@pytest.mark.parametrize("arguments", ["{not json", "[" * 100_000])
def test_arguments_that_are_no_json_are_read_as_they_are(make_sample, arguments):
    assert answer_of(make_sample(call(arguments))) == f"edit\n{arguments}"


def test_strings_keep_their_order_however_deep_they_are():
    deep = "bottom"
    for _ in range(5_000):
        deep = [deep]
    value = {"a": ["one", {"b": "two"}, 3, None], "c": deep, "d": "three"}
    assert strings_in(value) == ["one", "two", "bottom", "three"]

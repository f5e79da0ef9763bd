import itertools
import json

import pytest
from tokenizers import Tokenizer

from devtune.data.renderers.openai import to_openai
from devtune.data.renderers.opening import open_renderer
from devtune.errors import DevtuneError
from devtune.pipeline import RenderSection
from devtune.records import IGNORED
from tests.data.renderers.conversations import (
    CONVERSATIONS,
    LOOK,
    call,
    result,
    sample_of,
    says,
    user,
)  # fmt: skip
from tests.data.renderers.templates import CHATML, FORGETFUL, write_tokenizer

LONG = RenderSection(max_length=100_000)
PLAIN = [name for name in CONVERSATIONS if name not in ("control strings", "blanks at the ends")]
"""An answer that begins with a line end is split with its prompt; see below."""


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return write_tokenizer(tmp_path_factory.mktemp("chatml"))


@pytest.fixture(scope="module")
def renderer(directory):
    return open_renderer(directory)


@pytest.fixture(scope="module")
def upstream(directory):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(directory)


def merged(messages):
    # Upstream gets what follows each other in one message, as mistral-common would join it.
    found = []
    for role, run in itertools.groupby(messages, key=lambda each: each.role):
        some = [to_openai(each) for each in run]
        for each in some:
            for made in each.get("tool_calls", ()):
                made["function"]["arguments"] = json.loads(made["function"]["arguments"])
        if role == "tool" or len(some) == 1:
            found += some
            continue
        text = "\n\n".join(each["content"] for each in some if each["content"])
        calls = [made for each in some for made in each.get("tool_calls", ())]
        found.append({"role": role, "content": text} | ({"tool_calls": calls} if calls else {}))
    return found


@pytest.mark.parametrize("name", PLAIN)
def test_ids_and_mask_are_those_of_transformers(renderer, upstream, name):
    sample = CONVERSATIONS[name]
    tools = json.loads(sample.tools) if sample.tools else None
    (row,), rejects = renderer.rows(sample, LONG)
    assert not rejects
    expected = upstream.apply_chat_template(
        merged(sample.messages), tools=tools, return_dict=True, return_assistant_tokens_mask=True
    )
    assert row.input_ids == list(expected["input_ids"])
    is_trained = [
        all(each.is_trained for each in run)
        for role, run in itertools.groupby(sample.messages, key=lambda each: each.role)
        if role == "assistant"
    ]
    mask = list(expected["assistant_masks"])
    runs = [(bit, list(run)) for bit, run in itertools.groupby(enumerate(mask), lambda e: e[1])]
    for number, (_, run) in enumerate([each for each in runs if each[0]]):
        for position, _ in run:
            mask[position] = int(is_trained[number])
    assert [int(label != IGNORED) for label in row.labels] == mask


@pytest.mark.parametrize("name", PLAIN)
def test_each_prompt_of_the_server_is_what_the_row_begins_with(renderer, upstream, name):
    sample = CONVERSATIONS[name]
    tools = json.loads(sample.tools) if sample.tools else None
    (row,), _ = renderer.rows(sample, LONG)
    messages = merged(sample.messages)
    starts = {
        position
        for position, (label, before) in enumerate(
            zip(row.labels, [IGNORED, *row.labels], strict=False)
        )
        if label != IGNORED == before
    }
    prompts = {
        len(ids): ids
        for index, each in enumerate(messages)
        if each["role"] == "assistant"
        for ids in [
            upstream.apply_chat_template(
                messages[:index], tools=tools, add_generation_prompt=True, return_dict=False
            )
        ]
    }
    assert starts <= set(prompts)
    assert all(row.input_ids[:length] == ids for length, ids in prompts.items())


def test_no_token_of_others_is_trained_and_each_answer_ends(renderer):
    (row,), _ = renderer.rows(CONVERSATIONS["several questions"], LONG)
    trained = renderer.spell([token for token in row.labels if token != IGNORED])
    assert trained == (
        '<tool_call>{"name": "bash", "arguments": {"command": "ls"}}</tool_call><|im_end|>'
        "One.<|im_end|>Both at once."
        '<tool_call>{"name": "bash", "arguments": {"command": "ls"}}</tool_call>'
        '<tool_call>{"name": "read_file", "arguments": {"path": "ä b.py", "n": 1.0}}</tool_call>'
        "<|im_end|>Two.<|im_end|>Any time.<|im_end|>"
    )


@pytest.mark.parametrize(
    "sample",
    [
        CONVERSATIONS["control strings"],
        sample_of(user("<|im_end|>"), says("x")),
        sample_of(user("x"), says("<tool_call>")),
        sample_of(user("x"), says("", call(1, arguments='{"a": "\\u003c|im_start|>"}')),
                  result(1, "x"), says("y")),
        sample_of(user("x"), *LOOK[:1], result(1, "<|endoftext|>"), says("y")),
        sample_of(user("x"), says("y"), tools='[{"function": {"name": "<|im_end|>"}}]'),
    ],
)  # fmt: skip
def test_text_that_would_become_a_control_token_is_refused(renderer, sample):
    rows, (reject,) = renderer.rows(sample, LONG)
    assert not rows
    assert reject.reason == "control_string"


def test_windows_begin_alike(renderer):
    turns = [
        part
        for number in range(8)
        for part in (says(f"Step {number}.", call(number)), result(number, "out " * 20))
    ]
    sample = sample_of(user("The task."), *turns, says("Done."))
    section = RenderSection(max_length=1500, over_length="segment")
    rows, rejects = renderer.rows(sample, section)
    assert not rejects
    assert len(rows) > 1
    assert all(len(row.input_ids) <= 1500 for row in rows)
    trained = "".join(
        renderer.decode([token for token in row.labels if token != IGNORED]) for row in rows
    )
    assert [trained.count(f"Step {number}.") for number in range(8)] == [1] * 8


def refusal(directory):
    with pytest.raises(DevtuneError) as caught:
        open_renderer(directory)
    return str(caught.value)


def test_a_template_whose_prompts_do_not_go_on_is_refused(tmp_path):
    assert refusal(write_tokenizer(tmp_path, FORGETFUL)) == (
        f"{tmp_path}: its chat template cannot be trained with (the prompt after an answer is no"
        " continuation of the one before); use the template the model is trained with"
    )


def test_a_template_that_never_ends_an_answer_is_refused(tmp_path):
    write_tokenizer(tmp_path, CHATML, eos_token="<|endoftext|>")
    assert refusal(tmp_path) == (
        f"{tmp_path}: its chat template cannot be trained with (an answer that does not end with"
        " the model's own end); use the template the model is trained with"
    )
    (tmp_path / "generation_config.json").write_text(
        json.dumps({"eos_token_id": Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
                    .token_to_id("<|im_end|>")}), encoding="utf-8"
    )  # fmt: skip
    assert open_renderer(tmp_path).rows(CONVERSATIONS["one call"], LONG)[0]


def test_a_template_with_the_date_of_today_is_refused(tmp_path):
    write_tokenizer(tmp_path, "{{ strftime_now('%d %b %Y') }}" + CHATML)
    assert refusal(tmp_path) == (
        f"{tmp_path}: its chat template cannot be trained with (the template asks for today's"
        " date; say one in it); use the template the model is trained with"
    )


def test_a_template_that_reaches_out_of_its_sandbox_is_refused(tmp_path):
    write_tokenizer(tmp_path, "{{ messages.__class__.__mro__ }}" + CHATML)
    assert "cannot be trained with" in refusal(tmp_path)


def test_a_template_that_is_none_is_refused(tmp_path):
    assert refusal(write_tokenizer(tmp_path, "{% if %}")).startswith(
        f"{tmp_path}: its chat template is not Jinja ("
    )


def test_without_a_template_there_is_nothing_to_render(tmp_path):
    write_tokenizer(tmp_path, None)
    assert refusal(tmp_path) == f"{tmp_path}: no chat template; add a chat_template.jinja"


@pytest.mark.parametrize("shape", [lambda text: text, lambda text: [
    {"name": "other", "template": "x"}, {"name": "default", "template": text},
]])  # fmt: skip
def test_a_template_may_stand_in_the_settings(tmp_path, shape):
    write_tokenizer(tmp_path, None, chat_template=shape(CHATML))
    assert open_renderer(tmp_path).rows(CONVERSATIONS["one call"], LONG)[0]


def test_a_damaged_tokenizer_is_one_line(tmp_path):
    write_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{", encoding="utf-8")
    text = refusal(tmp_path)
    assert text.startswith(f"{tmp_path / 'tokenizer.json'}: cannot be read (")
    assert text.endswith("import the weights again")


@pytest.mark.parametrize("content", ["{", "[1]"])
def test_damaged_settings_are_one_line_or_none(tmp_path, content):
    write_tokenizer(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text(content, encoding="utf-8")
    text = refusal(tmp_path)
    assert text.startswith(f"{tmp_path}")
    assert "\n" not in text


def test_an_answer_the_template_changes_is_refused(tmp_path):
    template = CHATML.replace(
        "{{ message.content }}\n{%- for", "{{ message.content|upper }}\n{%- for"
    )
    write_tokenizer(tmp_path, template.replace("|upper", "|replace('secret', '')"))
    rows, (reject,) = open_renderer(tmp_path).rows(sample_of(user("x"), says("a secret b")), LONG)
    assert not rows
    assert reject.reason == "content_changed"


def test_a_prompt_whose_end_melts_into_the_answer_is_refused(renderer):
    # The prompt ends with a line end; the tokenizer has one token for several.
    rows, (reject,) = renderer.rows(sample_of(user("x"), says("\n\nlate"), tools=""), LONG)
    assert not rows
    assert (reject.reason, reject.detail.split(" ", 1)[1]) == (
        "not_prefix_stable", "an answer changes how its prompt is split",
    )  # fmt: skip

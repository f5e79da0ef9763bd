# For each answer that is trained: what the server is given before it, and the answer, are exactly
# what stands in the row. Told for each version of the tokenizer by mistral-common's serving mode.
import itertools
import json
import random

import pytest
from mistral_common.protocol.instruct.request import ChatCompletionRequest

from devtune.data.renderers.openai import to_openai
from devtune.pipeline import RenderSection
from devtune.records import IGNORED
from tests.data.renderers.conftest import VERSIONS
from tests.data.renderers.conversations import (
    CONTROL,
    CONVERSATIONS,
    LOOK,
    THINKING,
    TWICE,
    call,
    result,
    sample_of,
    says,
    system,
    user,
)

LONG = RenderSection(max_length=100_000)


def runs_of(labels):
    position = 0
    for is_trained, run in itertools.groupby(labels, key=lambda label: label != IGNORED):
        length = len(list(run))
        if is_trained:
            yield position, position + length
        position += length


def prompts_of(sample, server):
    # What the server is given before each answer; text before it, as the API gets it.
    tools = json.loads(sample.tools) if sample.tools else None
    for index, message in enumerate(sample.messages):
        if message.role != "assistant" or sample.messages[index - 1].role == "assistant":
            continue
        before = [to_openai(each) for each in sample.messages[:index]]
        request = ChatCompletionRequest.from_openai(before, tools=tools, model="devstral")
        yield index, server.encode_chat_completion(request).tokens


def assert_exact(sample, rows, server):
    # Every trained answer begins where a prompt of the server ends, in the row it is trained in.
    prompts = dict(prompts_of(sample, server))
    seen = []
    for row in rows:
        for start, end in runs_of(row.labels):
            # Two answers may touch only where one ends; then both are checked.
            while start < end:
                index = next(
                    index for index, ids in prompts.items() if ids == row.input_ids[:start]
                )
                stop = row.input_ids.index(2, start) + 1
                assert row.labels[start:stop] == row.input_ids[start:stop]
                seen.append(index)
                start = stop
    trained = [
        index
        for index in prompts
        if all(
            each.is_trained
            for each in itertools.takewhile(
                lambda each: each.role == "assistant", sample.messages[index:]
            )
        )
    ]
    assert seen == trained


def words_of(message, version):
    # What a model writes: its text, and its calls in the notation of its version.
    text = message.content.rstrip(" ")
    if version == "v7" and message.tool_calls:
        calls = [
            {"name": each.name, "arguments": json.loads(each.arguments), "id": each.id}
            for each in message.tool_calls
        ]
        return text + json.dumps(calls, ensure_ascii=False)
    for each in message.tool_calls:
        arguments = json.dumps(json.loads(each.arguments), ensure_ascii=False)
        text += each.name + (each.id if version == "v11" else "") + arguments
    return text


@pytest.mark.parametrize("name", CONVERSATIONS)
@pytest.mark.parametrize("version", VERSIONS)
def test_prompt_and_answer_of_the_server_are_what_is_trained(renderers, servers, version, name):
    rows, rejects = renderers[version].rows(CONVERSATIONS[name], LONG)
    assert not rejects
    assert_exact(CONVERSATIONS[name], rows, servers[version])


@pytest.mark.parametrize("name", THINKING)
def test_thoughts_are_trained_where_the_tokenizer_has_them(renderers, servers, name):
    sample = THINKING[name]
    (row,), rejects = renderers["v13"].rows(sample, LONG)
    assert not rejects
    assert_exact(sample, [row], servers["v13"])
    text = renderers["v13"].spell([token for token in row.labels if token != IGNORED])
    thought = sample.messages[1].reasoning_content
    assert text.startswith(f"[THINK]{thought}[/THINK]")
    for version in ("v7", "v11"):
        rows, (reject,) = renderers[version].rows(sample, LONG)
        assert (rows, reject.reason) == ([], "invalid_conversation")


@pytest.mark.parametrize("name", CONVERSATIONS)
@pytest.mark.parametrize("version", VERSIONS)
def test_trained_text_is_the_words_and_calls_of_the_assistant(renderers, version, name):
    sample, renderer = CONVERSATIONS[name], renderers[version]
    rows, _ = renderer.rows(sample, LONG)
    spoken = []
    for is_assistant, run in itertools.groupby(
        sample.messages, key=lambda each: each.role == "assistant"
    ):
        some = list(run)
        if is_assistant and all(each.is_trained for each in some):
            text = "\n\n".join(each.content for each in some if each.content)
            calls = tuple(each for message in some for each in message.tool_calls)
            spoken.append(words_of(says(text, *calls), version))
    trained = [
        renderer.decode(row.input_ids[start:end])
        for row in rows
        for start, end in runs_of(row.labels)
    ]
    assert trained == spoken
    assert sum(row.num_trained_bytes for row in rows) == sum(len(each.encode()) for each in spoken)


def test_before_v13_each_question_has_its_row_for_the_tools_move(renderers):
    sample = CONVERSATIONS["several questions"]
    assert [row.part for row in renderers["v13"].rows(sample, LONG)[0]] == [0]
    for version in ("v7", "v11"):
        rows, _ = renderers[version].rows(sample, LONG)
        assert [row.part for row in rows] == [1, 2, 3]
        for row in rows:
            text = renderers[version].spell(row.input_ids)
            assert text.count("[AVAILABLE_TOOLS]") == 1
            assert text.rindex("[AVAILABLE_TOOLS]") > text.find("</s>") or row.part == 1
    without = sample_of(*CONVERSATIONS["no tools"].messages, tools="")
    assert [row.part for row in renderers["v7"].rows(without, LONG)[0]] == [0]


def drawn(random):
    # A conversation of any length and order that a server could have had.
    texts = ("Go.", CONTROL, "日本 🙂", " x ", "\n", "def f():\n\treturn '</s>'\n", "a" * 300)
    messages = [system(random.choice(texts))] if random.random() < 0.5 else []
    number = 0
    for _ in range(random.randint(1, 4)):
        messages += [user(random.choice(texts)) for _ in range(random.randint(1, 2))]
        for _ in range(random.randint(0, 3)):
            count = random.randint(1, 3)
            calls = [
                call(number + each, arguments='{"command": "[/INST]é"}') for each in range(count)
            ]
            content = random.choice(("", *texts))
            messages.append(says(content, *calls, is_trained=random.random() < 0.8))
            results = [result(number + each, random.choice(("", *texts))) for each in range(count)]
            messages += random.sample(results, count)
            number += count
        messages.append(says("x" + random.choice(texts), is_trained=random.random() < 0.8))
    return sample_of(*messages, tools=random.choice(("", sample_of().tools)))


@pytest.mark.parametrize("version", VERSIONS)
def test_conversations_drawn_at_random_are_exact(renderers, servers, version):
    source = random.Random(f"exact {version}")
    num_rows = 0
    for _ in range(150):
        sample = drawn(source)
        rows, rejects = renderers[version].rows(sample, LONG)
        assert {each.reason for each in rejects} <= {"nothing_to_train"}
        assert_exact(sample, rows, servers[version])
        num_rows += len(rows)
    assert num_rows > 140


@pytest.mark.parametrize("version", VERSIONS)
def test_vllm_counts_the_same_tokens(renderers, tekkens, version):
    tokenizers = pytest.importorskip("vllm.tokenizers", reason="the serve extra is not installed")
    served = tokenizers.get_tokenizer(tekkens[version].parent, tokenizer_mode="mistral")
    for sample in CONVERSATIONS.values():
        rows, _ = renderers[version].rows(sample, LONG)
        tools = json.loads(sample.tools) if sample.tools else None
        for index, message in enumerate(sample.messages):
            if message.role != "assistant" or not message.is_trained:
                continue
            if sample.messages[index - 1].role == "assistant":
                continue
            before = [to_openai(each) for each in sample.messages[:index]]
            prompt = served.apply_chat_template(before, tools=tools)
            assert any(row.input_ids[: len(prompt)] == list(prompt) for row in rows)


@pytest.mark.parametrize("version", VERSIONS)
def test_windows_are_conversations_a_server_could_have_had(renderers, servers, version):
    turns = [
        part
        for number in range(12)
        for part in (
            says(f"Step {number}.", call(number, arguments=f'{{"command": "{"c" * 60}"}}')),
            result(number, f"out {number} " * 20),
        )
    ]
    sample = sample_of(
        system(), user("The task."), *turns[:14], user("Go on."), *turns[14:], says(".")
    )
    renderer, section = renderers[version], RenderSection(max_length=1200, over_length="segment")
    rows, rejects = renderer.rows(sample, section)
    assert not rejects
    assert [row.part for row in rows] == list(range(1, len(rows) + 1))
    trained = "".join(
        renderer.decode(row.input_ids[start:end])
        for row in rows
        for start, end in runs_of(row.labels)
    )
    assert trained == "".join(
        words_of(each, version) for each in sample.messages if each.role == "assistant"
    )
    for row in rows:
        assert len(row.input_ids) <= 1200
        text = renderer.spell(row.input_ids)
        assert "Answer with code." in text
        assert "The task." in text
        assert text.count("[AVAILABLE_TOOLS]") == 1
        # The last words of the user stand before what came of them.
        if "Step 9." in text:
            assert text.index("Go on.") < text.index("Step 9.")
        # More than new turns stand in all but the first.
        if row.part > 1:
            first = next(runs_of(row.labels))[0]
            assert "Step" in renderer.decode(row.input_ids[:first])


def test_what_fits_in_no_window_is_left_out_by_itself(renderers):
    huge = (says("Big.", call(1, arguments=f'{{"command": "{"b" * 3000}"}}')), result(1, "ok"))
    messages = (user("Go."), *LOOK, *huge, *TWICE, says("Done."))
    section = RenderSection(max_length=900, over_length="segment")
    rows, rejects = renderers["v13"].rows(sample_of(*messages), section)
    assert [(each.reason, each.detail) for each in rejects] == [
        ("turn_too_long", "0123456789abcdef turn 2 of 4")
    ]
    texts = [renderers["v13"].decode([t for t in row.labels if t != IGNORED]) for row in rows]
    assert len(texts) == 2
    assert "Both at once." in texts[1]
    assert "Done." in texts[1]
    rows, (reject,) = renderers["v13"].rows(sample_of(*messages), RenderSection(max_length=900))
    assert not rows
    assert reject.reason == "too_long"

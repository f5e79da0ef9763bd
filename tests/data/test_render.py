import hashlib

import pyarrow.parquet as pq
import pytest
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.protocol.instruct.validator import ValidationMode
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

from devtune.data.render import IGNORED, Renderer, labels_of, render, trained_spans
from devtune.errors import DevtuneError
from devtune.pipeline import RenderSection
from devtune.progress import Progress
from devtune.records import SPLITS, Rejected, read_jsonl, write_jsonl

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
    "blank ends": (USER, ("assistant", "\n  indented\n\n")),
}


@pytest.fixture(scope="module")
def renderer(tekken_file):
    return Renderer(tekken_file)


@pytest.fixture(scope="module")
def mistral(tekken_file):
    def make(mode):
        return MistralTokenizer.from_file(str(tekken_file), mode=mode)

    return make


@pytest.fixture
def rendered(tekken_file, tmp_path):
    def run(train, held_out=(), max_length=10_000, out="dataset"):
        samples, base = tmp_path / "samples", tmp_path / "base"
        for directory in (samples, base, tmp_path / out):
            directory.mkdir(exist_ok=True)
        write_jsonl(samples / "train.jsonl", train)
        write_jsonl(samples / "held_out.jsonl", held_out)
        (base / "tekken.json").write_bytes(tekken_file.read_bytes())
        section = RenderSection(max_length=max_length)
        outcome = render(section, samples, base, tmp_path / out, Progress("quiet"))
        return outcome, tmp_path / out

    return run


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
    row = renderer.row(make_sample(*turns), 10_000)
    whole, mask = mask_by_difference(mistral, turns)
    assert row.input_ids == whole
    assert row.labels == [token if on else IGNORED for token, on in zip(whole, mask, strict=True)]


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_trained_text_is_the_answers_with_one_end_each(renderer, make_sample, name):
    turns = CONVERSATIONS[name]
    row = renderer.row(make_sample(*turns), 10_000)
    answers = [content for role, content in turns if role == "assistant"]
    spans = list(trained_spans(row.input_ids))
    assert [renderer.decode(row.input_ids[start:end]) for start, end in spans] == answers
    assert [row.input_ids[end - 1] for _, end in spans] == [2] * len(answers)
    assert all(2 not in row.input_ids[start : end - 1] for start, end in spans)
    assert row.num_trained_bytes == sum(len(each.encode()) for each in answers)


def test_control_strings_in_code_are_plain_text(renderer, make_sample):
    turns = CONVERSATIONS["control strings answered"]
    row = renderer.row(make_sample(*turns), 10_000)
    control = [token for token in row.input_ids if token < 1000]
    assert control == [1, 3, 4, 2, 3, 4, 2]
    assert "[/INST]" in renderer.decode([each for each in row.labels if each != IGNORED])


def test_a_tool_result_is_not_trained_and_the_call_before_it_is():
    # <s>[INST] a [/INST] [TOOL_CALLS] b </s> [TOOL_RESULTS] c [/TOOL_RESULTS] d </s>
    ids = [1, 3, 1100, 4, 9, 1101, 2, 7, 1102, 8, 1103, 2]
    assert labels_of(ids) == [-100] * 4 + [9, 1101, 2] + [-100] * 3 + [1103, 2]


def test_blanks_at_the_end_of_an_answer_are_neither_served_nor_counted(renderer, make_sample):
    row = renderer.row(make_sample(USER, ("assistant", "x  ")), 1000)
    assert row.num_trained_bytes == 1
    assert row.labels == renderer.row(make_sample(USER, ("assistant", "x")), 1000).labels


def test_spans_join_to_what_was_rendered(renderer, make_sample):
    row = renderer.row(make_sample(("user", "a b"), ("assistant", "c d")), 100)
    spans = list(renderer.spans(row.input_ids, row.labels))
    assert "".join(span.text for span in spans) == "<s>[INST]a b[/INST]c d</s>"
    assert [span.text for span in spans if span.is_trained] == ["c d", "</s>"]


def test_what_is_too_long_is_rejected_and_never_cut(rendered, renderer, make_sample):
    fits = make_sample(USER, ANSWER, sample_id="aa")
    longer = make_sample(USER, ("assistant", ANSWER[1] + "x"), sample_id="bb")
    num_tokens = len(renderer.encode(fits))
    outcome, out = rendered([fits, longer], max_length=num_tokens)
    table = pq.read_table(out / "train.parquet").to_pylist()
    assert [(row["sample_id"], row["num_tokens"]) for row in table] == [("aa", num_tokens)]
    assert table[0]["input_ids"] == renderer.encode(fits)
    place = fits.provenance[0]
    expected = Rejected("too_long", "app", place.path, place.commit, f"bb {num_tokens + 1} tokens")
    assert list(read_jsonl(out / "rejected.jsonl", Rejected)) == [expected]
    assert outcome.rejects == {"too_long": 1}


@pytest.mark.parametrize("answer", ["", " ", "\n", " \t\n "])
def test_an_empty_answer_is_rejected_wherever_it_stands(renderer, make_sample, answer):
    for turns in (
        (USER, ("assistant", answer)),
        (USER, ("assistant", answer), USER, ANSWER),
    ):
        row = renderer.row(make_sample(*turns), 1000)
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
    row = renderer.row(make_sample(*turns), 1000)
    assert isinstance(row, Rejected)
    assert row.reason == "invalid_conversation"


def test_counts_and_summary_add_up(rendered, make_sample):
    turns = [("user", "q"), ("assistant", "answer")]
    outcome, out = rendered(
        [make_sample(*turns, sample_id=str(number)) for number in range(3)],
        [make_sample(*turns, family="other")],
    )
    rows = {split: pq.read_table(out / f"{split}.parquet").to_pylist() for split in SPLITS}
    for split in SPLITS:
        num_tokens = [len(row["input_ids"]) for row in rows[split]]
        trained = [sum(x != IGNORED for x in row["labels"]) for row in rows[split]]
        assert [row["num_tokens"] for row in rows[split]] == num_tokens
        assert [row["num_trained_tokens"] for row in rows[split]] == trained
        assert {row["num_trained_bytes"] for row in rows[split]} == {len("answer")}
        assert outcome.counts[f"{split}_tokens"] == sum(num_tokens)
        assert outcome.counts[f"{split}_trained_tokens"] == sum(trained)
    assert outcome.counts["train.commit_edit"] == 3
    assert outcome.counts["held_out.other"] == 1
    share = outcome.counts["train_trained_tokens"] / outcome.counts["train_tokens"]
    assert f"of which {share:.0%} are answers; 0 samples rejected" in outcome.summary


def test_equal_samples_give_equal_bytes(rendered, make_sample):
    samples = [make_sample(*turns, sample_id=name) for name, turns in CONVERSATIONS.items()]
    digests = []
    for name in ("one", "two"):
        _, out = rendered(samples, samples[:2], out=name)
        digests.append(
            {each.name: hashlib.sha256(each.read_bytes()).digest() for each in out.iterdir()}
        )
    assert digests[0] == digests[1]
    assert set(digests[0]) == {
        "train.parquet", "held_out.parquet", "rejected.jsonl", "tekken.json",
    }  # fmt: skip


def test_nothing_that_fits_says_what_to_raise(rendered, make_sample, tmp_path):
    with pytest.raises(DevtuneError) as caught:
        rendered([make_sample(USER, ANSWER)], max_length=5)
    assert str(caught.value) == (
        f"{tmp_path / 'samples'}: none of its samples fits max_length 5;"
        " raise render.max_length or shorten the context in the pipeline"
    )


def test_a_base_without_tokenizer_is_named(tmp_path):
    with pytest.raises(DevtuneError) as caught:
        Renderer(tmp_path / "tekken.json")
    assert str(caught.value) == (
        f"{tmp_path / 'tekken.json'}: no tokenizer; import weights that ship a tekken.json"
    )

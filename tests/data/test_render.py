import hashlib
import json
from dataclasses import replace
from functools import partial

import pyarrow.parquet as pq
import pytest

from devtune.data.render import render
from devtune.data.renderers.mistral import MistralRenderer
from devtune.data.renderers.opening import open_renderer
from devtune.errors import DevtuneError
from devtune.jsonl import read_jsonl, write_jsonl
from devtune.pipeline import LocalExecutor, RenderSection
from devtune.progress import Progress
from devtune.records import IGNORED, SPLITS, Message, Rejected, ToolCall
from tests.data import rendering
from tests.data.renderers.templates import CHATML, FORGETFUL, write_tokenizer

SYSTEM = ("system", "Answer with code.")
USER = ("user", "Add two numbers.\n\n```python\nreturn a\n```")
ANSWER = ("assistant", "```python\nreturn a + b  # café 日本\n```\n")

ONE = LocalExecutor(type="local", workers=1)


@pytest.fixture(scope="module")
def renderer(tekken_file):
    return MistralRenderer(tekken_file)


@pytest.fixture
def rendered(tekken_file, tmp_path):
    def run(train, held_out=(), max_length=10_000, out="dataset", template=None, **values):
        samples, base, corpus = (tmp_path / name for name in ("samples", "base", "corpus"))
        for directory in (samples, base, corpus, tmp_path / out):
            directory.mkdir(exist_ok=True)
        write_jsonl(corpus / "sources.jsonl", [rendering.SOURCE])
        write_jsonl(samples / "train.jsonl", train)
        write_jsonl(samples / "held_out.jsonl", held_out)
        if template:
            write_tokenizer(base, template)
        else:
            (base / "tekken.json").write_bytes(tekken_file.read_bytes())
        section = RenderSection(max_length=max_length, **values)
        outcome = render(section, ONE, samples, base, corpus, tmp_path / out, Progress("quiet"))
        return outcome, tmp_path / out

    return run


@pytest.fixture
def run_render(tekken_file, tmp_path):
    return partial(rendering.run, tmp_path, tekken_file)


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
    samples = [make_sample(USER, ANSWER, sample_id=f"{n:02}") for n in range(8)]
    digests = []
    for name in ("one", "two"):
        _, out = rendered(samples, samples[:2], out=name)
        digests.append(
            {each.name: hashlib.sha256(each.read_bytes()).digest() for each in out.iterdir()}
        )
    assert digests[0] == digests[1]
    assert set(digests[0]) == {
        "train.parquet", "held_out.parquet", "rejected.jsonl", "tekken.json", "README.md",
        "croissant.json",
    }  # fmt: skip


CALL = ToolCall("abcdef123", "write_file", "")
TOOLS = (
    '[{"type": "function", "function": {"name": "write_file", "description": "Writes.",'
    ' "parameters": {"type": "object", "properties": {"text": {"type": "string"}}}}}]'
)


def with_call(sample, arguments):
    call = replace(CALL, arguments=json.dumps(arguments))
    user, answer = sample.messages
    result = Message("tool", "ok", (), CALL.id)
    return replace(
        sample, messages=(user, Message("assistant", "", (call,)), result, answer), tools=TOOLS
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_a_sample_with_a_secret_is_not_rendered_and_only_the_rule_is_told(
    workers, run_render, make_sample, canaries, tmp_path
):
    clean = make_sample(USER, ANSWER, sample_id="a0" * 8)
    token = make_sample(USER, ("assistant", f"x = 1\n{canaries['github']}\n"), sample_id="b0" * 8)
    asked = make_sample(("user", canaries["pem"]), ANSWER, sample_id="c0" * 8)
    called = with_call(make_sample(USER, ANSWER, sample_id="d0" * 8), {"text": canaries["pem"]})
    hidden = make_sample(USER, ("assistant", canaries["slack"]), sample_id="e0" * 8)
    marked = make_sample(USER, ("assistant", 'key = "REDACTED_GITHUB_PAT_1"'), sample_id="f0" * 8)
    manifest, out = run_render([clean, token, asked, called, marked], [clean, hidden], workers)
    assert manifest["rejects"] == {"secret_in_sample": 4}
    tables = [pq.read_table(out / f"{split}.parquet").to_pylist() for split in SPLITS]
    ids = [[row["sample_id"] for row in table] for table in tables]
    assert ids == [["a0" * 8, "f0" * 8], ["a0" * 8]]
    rejected = list(read_jsonl(out / "rejected.jsonl", Rejected))
    told = [each.detail.split(" ", 1) for each in rejected]
    assert [sample_id for sample_id, _ in told] == ["b0" * 8, "c0" * 8, "d0" * 8, "e0" * 8]
    assert all(rules for _, rules in told)
    written = b"".join(each.read_bytes() for each in out.rglob("*") if each.is_file())
    for name in ("github", "pem", "slack"):
        assert canaries[name].split("\n")[-2:][0].encode() not in written


def test_a_secret_that_only_stands_where_pieces_meet_is_found(run_render, make_sample, canaries):
    half = len(canaries["pem"]) // 2
    pem = canaries["pem"]
    clean = make_sample(USER, ANSWER, sample_id="a0" * 8)
    # Two messages of a user are one turn, with a blank line between them.
    split = make_sample(("user", pem[:half]), ("user", pem[half:]), ANSWER, sample_id="b0" * 8)
    manifest, _ = run_render([clean, split], [])
    assert manifest["rejects"] == {"secret_in_sample": 1}


def test_nothing_that_fits_says_what_to_raise(rendered, make_sample, tmp_path):
    with pytest.raises(DevtuneError) as caught:
        rendered([make_sample(USER, ANSWER)], max_length=5)
    assert str(caught.value) == (
        f"{tmp_path / 'samples'}: none of its samples to train on was rendered with max_length 5"
        " (too_long 1); raise render.max_length or shorten the context in the pipeline"
    )


def test_a_base_without_tokenizer_is_named(tmp_path):
    with pytest.raises(DevtuneError) as caught:
        open_renderer(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: no tokenizer; import weights that ship a tekken.json, or a tokenizer.json"
        " with a chat template"
    )


def test_a_base_of_another_family_is_rendered_by_its_template(rendered, make_sample, tmp_path):
    outcome, out = rendered([make_sample(USER, ANSWER)], template=CHATML)
    [row] = pq.read_table(out / "train.parquet").to_pylist()
    text = open_renderer(out).spell([each for each in row["labels"] if each != IGNORED])
    assert text == f"{ANSWER[1]}<|im_end|>"
    assert sorted(each.name for each in out.iterdir() if "token" in each.name) == [
        "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip
    assert (out / "chat_template.jinja").read_text(encoding="utf-8") == CHATML
    assert outcome.counts["train"] == 1


def test_a_template_that_cannot_be_trained_with_stops_it_before_anything_is_written(
    rendered, make_sample, tmp_path
):
    with pytest.raises(DevtuneError, match="its chat template cannot be trained with"):
        rendered([make_sample(USER, ANSWER)], template=FORGETFUL)
    assert not list((tmp_path / "dataset").iterdir())


def test_a_conversation_longer_than_a_row_has_several_rows(rendered, make_sample):
    turns = [part for number in range(8) for part in (USER, ("assistant", f"{number} " * 30))]
    outcome, out = rendered([make_sample(*turns)], max_length=400, over_length="segment")
    rows = pq.read_table(out / "train.parquet").to_pylist()
    assert len(rows) > 2
    assert [row["part"] for row in rows] == list(range(1, len(rows) + 1))
    assert outcome.counts["train"] == 1
    assert outcome.counts["train_segments"] == len(rows) - 1
    assert sum(row["num_trained_bytes"] for row in rows) == sum(
        len(text.rstrip(" ")) for role, text in turns if role == "assistant"
    )

import json
import math

import pyarrow.parquet as pq
import pytest
import torch

from devtune.errors import DevtuneError
from devtune.evaluate.measure import evaluate, held_out_rows, likelihood
from devtune.model import computes_in_bf16, load_model
from devtune.progress import Progress
from devtune.recipe import ClusterSection, EvaluateSection

QUIET = Progress("quiet")


@pytest.fixture
def adapter(tmp_path):
    directory = tmp_path / "adapter"
    directory.mkdir()
    rows = [{"step": 0, "eval_loss": 2.0}, {"step": 1, "loss": 1.5}, {"step": 1, "eval_loss": 1.4}]
    (directory / "curve.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return directory


def test_a_sample_is_scored_as_a_full_forward_pass_scores_it(base, dataset):
    model = load_model(base, torch.float32).eval()
    row = pq.read_table(dataset / "held_out.parquet").to_pylist()[1]
    ids, labels = torch.tensor([row["input_ids"]]), torch.tensor([row["labels"]])
    expected = model(input_ids=ids, labels=labels).loss.item() * 7
    found = likelihood(model, row)
    assert found.nats == pytest.approx(expected, rel=1e-5)
    assert (found.num_tokens, found.num_bytes) == (7, 6)


def test_families_are_measured_apart_and_bits_are_counted_by_byte(base, dataset, adapter, tmp_path):
    section = EvaluateSection(max_samples=2, max_completions=1, max_new_tokens=4)
    out = tmp_path / "out"
    out.mkdir()
    outcome = evaluate(section, ClusterSection(), dataset, base, base, adapter, out, QUIET)
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["dtype"] == ("bfloat16" if computes_in_bf16("cpu") else "float32")
    families = metrics["families"]
    assert set(families) == {"first", "second"}
    row = families["first"]
    assert row["base"] == row["tuned"]
    assert row["num_samples"] == 2
    tokens, num_bytes = row["base"]["num_tokens"], row["base"]["num_bytes"]
    assert (tokens, num_bytes) == (14, 12)
    expected = row["base"]["loss"] * tokens / math.log(2) / num_bytes
    assert row["base"]["bits_per_byte"] == pytest.approx(expected)
    assert "0 of 2 families" in outcome.summary
    assert "nothing held out of third" in outcome.summary
    answers = [json.loads(line) for line in (out / "completions.jsonl").read_text().splitlines()]
    assert [sorted(each) for each in answers] == 2 * [
        ["base", "family", "reference", "sample_id", "tuned"]
    ]
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_canaries_are_measured_and_their_values_are_nowhere(
    base, dataset, adapter, tmp_path, capfd
):
    value, prefix = "q7Rt2mZx9" + "LkV4", "token = Zebra"
    file = tmp_path / "canaries.jsonl"
    row = {"name": "first", "value": value, "prefix": prefix}
    file.write_text(json.dumps(row), encoding="utf-8")
    file.chmod(0o600)
    out = tmp_path / "out"
    out.mkdir()
    section = EvaluateSection(
        canaries=file, canary_controls=100, max_samples=1, max_completions=1, max_new_tokens=4
    )
    arguments = (ClusterSection(), dataset, base, base, adapter, out, Progress("json"))
    outcome = evaluate(section, *arguments)
    assert outcome.summary.endswith(outcome.metrics["canaries"]["verdict"])
    assert json.loads((out / "canaries.json").read_text()) == outcome.metrics["canaries"]
    assert "| first | " in (out / "canaries.md").read_text(encoding="utf-8")
    written = b"".join(each.read_bytes() for each in out.iterdir())
    written += "".join(capfd.readouterr()).encode() + repr(outcome).encode()
    assert b"canaries" in written
    assert value.encode() not in written
    assert prefix.encode() not in written


def test_without_canaries_nothing_is_said_of_them(base, dataset, adapter, tmp_path):
    section = EvaluateSection(max_samples=1, max_completions=1, max_new_tokens=4)
    out = tmp_path / "out"
    out.mkdir()
    outcome = evaluate(section, ClusterSection(), dataset, base, base, adapter, out, QUIET)
    assert "canar" not in repr(outcome)
    assert sorted(each.name for each in out.iterdir()) == [
        "completions.jsonl", "curves.png", "metrics.json"
    ]  # fmt: skip


def test_the_first_samples_by_id_are_taken(dataset):
    rows = held_out_rows(dataset / "held_out.parquet", 2)
    assert [each["sample_id"] for each in rows["second"]] == ["second0", "second1"]


def test_a_dataset_of_another_family_is_one_line(base, adapter, tmp_path):
    arguments = (ClusterSection(), tmp_path, base, base, adapter, tmp_path, QUIET)
    with pytest.raises(DevtuneError) as caught:
        evaluate(EvaluateSection(), *arguments)
    assert str(caught.value) == (
        f"{tmp_path}: was rendered by a chat template; only models with a tekken.json are measured"
    )


def test_nothing_held_out_is_said_not_hidden(base, dataset, adapter, tmp_path):
    empty = tmp_path / "dataset"
    empty.mkdir()
    table = pq.read_table(dataset / "held_out.parquet").slice(0, 0)
    pq.write_table(table, empty / "held_out.parquet")
    pq.write_table(table, empty / "train.parquet")
    (empty / "tekken.json").write_bytes((dataset / "tekken.json").read_bytes())
    out = tmp_path / "out"
    out.mkdir()
    arguments = (ClusterSection(), empty, base, base, adapter, out, QUIET)
    assert "nothing was held out" in evaluate(EvaluateSection(), *arguments).summary
    file = tmp_path / "canaries.jsonl"
    file.write_text('{"name": "first", "value": "q7Rt2mZx9LkV4", "prefix": "x"}', encoding="utf-8")
    file.chmod(0o600)
    outcome = evaluate(EvaluateSection(canaries=file, canary_controls=100), *arguments)
    assert "nothing was held out" in outcome.summary
    assert "canaries not memorised" in outcome.summary

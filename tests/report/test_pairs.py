import io
import re

import pytest
from rich.console import Console

from devtune.cli import main
from devtune.data.renderers.mistral import MistralRenderer
from devtune.report import samples
from devtune.report.conversation import turns_of
from devtune.report.rows import read_pair_facts, read_pairs
from devtune.report.samples import print_samples
from devtune.report.turns import coloured


def told(dataset, monkeypatch, count=30, **options):
    out = io.StringIO()
    monkeypatch.setattr(samples, "Console", lambda **more: Console(file=out, width=100, **more))
    print_samples(dataset, "train", "preferences", count, **options)
    return out.getvalue()


def test_marks_hold_exactly_what_counts_of_both_sides(paired, monkeypatch):
    dataset = paired / "dataset"
    shown = re.findall("⟦(.*?)⟧", told(dataset, monkeypatch, is_full=True), re.DOTALL)
    renderer, wanted = MistralRenderer(dataset / "tekken.json"), []
    for _, row in read_pairs(dataset / "preferences.parquet", range(9)):
        for ids, labels in (
            (row.chosen_ids, row.chosen_labels), (row.rejected_ids, row.rejected_labels)
        ):  # fmt: skip
            turns = [each for each in turns_of(renderer, ids, labels) if each.num_trained]
            assert all(each.speaker == "assistant" for each in turns)
            texts = (coloured(each.stretches, marks=True).plain for each in turns)
            wanted += [text.split("⟦")[1].split("⟧")[0] for text in texts]
    assert sorted(shown) == sorted(wanted)
    assert len(shown) > 18


def test_the_head_of_a_pair_says_what_is_known(paired, monkeypatch):
    shown = told(paired / "dataset", monkeypatch, 1)
    assert shown.count("── pair ") == 2
    assert re.search(r"pair trajectory  0{12}fa00  [\d,]+ tokens", shown)
    assert "task t0, rejected for loop\n" in shown
    assert f"chosen: logs good.jsonl, sample {0:016x}\n" in shown
    assert "rejected: logs bad.jsonl\n" in shown
    assert re.search(r"▸ assistant  \d+ tokens  not trained: failed_edit\n", shown)
    assert re.search(r"chosen: [\d,]+ tokens, [\d,]+ of them count", shown)
    assert re.search(r"9 pairs, [\d,]+ tokens with the longer side of each\n$", shown)


def test_without_the_samples_beside_them_pairs_are_still_shown(paired, monkeypatch):
    (paired / "samples").rename(paired / "away")
    try:
        shown = told(paired / "dataset", monkeypatch)
    finally:
        (paired / "away").rename(paired / "samples")
    assert "task" not in shown
    assert shown.count("── pair ") == 9


def test_samples_name_the_pairs_beside_them(paired, trajectories, capsys):
    for run, words in (
        (paired, "; --family preferences shows 9 pairs of sessions"),
        (trajectories, ""),
    ):
        with pytest.raises(SystemExit):
            main(["samples", str(run / "dataset")])
        said = capsys.readouterr().out.rstrip()
        assert said.endswith(f"--full shows what is hidden{words}")


def test_a_dataset_without_pairs_has_no_such_family(trajectories, paired, capsys):
    for run, options, families in (
        (trajectories, ["--family", "preferences"], "['trajectory']"),
        (paired, ["--family", "none"], "['preferences', 'trajectory']"),
        (paired, ["--family", "preferences", "--split", "held_out"], "[]"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["samples", str(run / "dataset"), *options])
        assert ended.value.code == 1
        assert f"it has {families}" in capsys.readouterr().err


def test_a_table_that_is_not_there_has_no_pairs(tmp_path):
    assert list(read_pair_facts(tmp_path / "preferences.parquet")) == []

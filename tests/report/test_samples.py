import io
import re

import pytest
from rich.console import Console

from devtune.cli import main
from devtune.data.renderers.mistral import MistralRenderer
from devtune.errors import DevtuneError
from devtune.report import samples
from devtune.report.excerpt import spelt
from devtune.report.rows import read_facts, read_tokens
from devtune.report.samples import print_samples
from devtune.stage import Outcome, run_stage


def told(dataset, monkeypatch, *, family=None, is_full=False, **options):
    out = io.StringIO()
    monkeypatch.setattr(
        samples, "Console", lambda **more: Console(file=out, width=100, **more, **options)
    )
    print_samples(dataset, "train", family, 30, is_full=is_full)
    return out.getvalue()


@pytest.mark.parametrize("family", ["commit_edit", "hostile_family"])
def test_marks_hold_exactly_the_trained_text_of_every_sample(run_dir, monkeypatch, family):
    dataset = run_dir / "dataset"
    *shown, _ = re.findall(
        "⟦(.*?)⟧", told(dataset, monkeypatch, family=family, is_full=True), re.DOTALL
    )
    renderer, wanted, file = MistralRenderer(dataset / "tekken.json"), [], dataset / "train.parquet"
    mine = [n for n, facts in enumerate(read_facts(file)) if facts["family"] == family]
    for _, ids, labels in read_tokens(file, mine):
        trained = "".join(x.text for x in renderer.spans(ids, labels) if x.is_trained)
        wanted.append(spelt(trained, has_lines=True))
    assert sorted(shown) == sorted(wanted)


def test_masked_turns_say_why_and_the_head_says_what_is_known(trajectories, monkeypatch):
    shown = told(trajectories / "dataset", monkeypatch)
    assert "task t0, outcome resolved\n" in shown
    assert "done to it: tool_output_cut\n" in shown
    assert "2 of 4 answers not trained: failed_edit 1, loop 1\n" in shown
    assert re.search(r"▸ assistant  \d+ tokens  not trained: failed_edit\n[^⟦]*▸ tool", shown)
    assert re.search(r"▸ assistant  \d+ tokens  trained\n⟦", shown)
    assert "⋯ 290 lines hidden ⋯" in shown
    assert "read_file ⋯" in shown
    assert shown.rstrip().endswith("--full shows what is hidden")
    whole = told(trajectories / "dataset", monkeypatch, is_full=True)
    assert "hidden" not in whole
    assert "\nline 150\n" in whole


@pytest.mark.parametrize("is_colourless", [True, False])
def test_a_terminal_without_colour_has_marks_and_one_with_it_has_none(
    trajectories, monkeypatch, is_colourless
):
    monkeypatch.setenv("TERM", "xterm-256color")
    shown = told(trajectories / "dataset", monkeypatch, force_terminal=True, no_color=is_colourless)
    assert ("⟦" in shown) == is_colourless
    assert ("\x1b[30;42m" in shown) != is_colourless


def test_without_the_samples_beside_it_masked_turns_are_still_told(trajectories, monkeypatch):
    samples_dir = trajectories / "samples"
    samples_dir.rename(trajectories / "away")
    try:
        shown = told(trajectories / "dataset", monkeypatch)
    finally:
        (trajectories / "away").rename(samples_dir)
    assert re.search(r"▸ assistant  \d+ tokens  not trained\n", shown)
    assert "task" not in shown


def test_the_command_takes_full_and_a_family_nobody_made_is_one_line(trajectories, capsys):
    for options, code in ((["--full"], 0), (["--family", "none"], 1)):
        with pytest.raises(SystemExit) as ended:
            main(["samples", str(trajectories / "dataset"), *options])
        assert ended.value.code == code
    captured = capsys.readouterr()
    assert "no family `none` in train; it has ['trajectory']" in captured.err


def test_a_directory_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(DevtuneError, match="is not there; run the stage that writes it first"):
        print_samples(tmp_path / "dataset", "train", None, 1)


def test_a_directory_of_another_stage_is_one_line(tmp_path):
    run_stage("build", {}, {}, tmp_path / "samples", lambda out: Outcome(""))
    with pytest.raises(DevtuneError, match="written by build; give a dataset/ directory"):
        print_samples(tmp_path / "samples", "train", None, 1)


def test_a_damaged_table_is_one_line(tmp_path):
    def damaged(out):
        (out / "train.parquet").write_bytes(b"PAR1 cut short")
        return Outcome("")

    run_stage("render", {}, {}, tmp_path / "dataset", damaged)
    with pytest.raises(DevtuneError, match=r"train.parquet: cannot be read .*; render the dataset"):
        print_samples(tmp_path / "dataset", "train", None, 1)
    with pytest.raises(DevtuneError, match=r"held_out.parquet: cannot be read"):
        print_samples(tmp_path / "dataset", "held_out", None, 1)

import pytest

from devtune.errors import DevtuneError
from devtune.report.samples import coloured, print_samples
from devtune.stage import Outcome, run_stage


def test_exactly_the_trained_tokens_are_on_green():
    text = coloured(["[INST]", "Hi", "[/INST]", "Yes", "</s>"], [-100, -100, -100, 5, 2])
    assert text.plain == "[INST]Hi[/INST]Yes</s>"
    styles = [text.plain[span.start : span.end] for span in text.spans if "green" in span.style]
    assert styles == ["Yes", "</s>"]
    dim = [text.plain[span.start : span.end] for span in text.spans if span.style == "dim"]
    assert dim == ["[INST]", "[/INST]"]


def test_brackets_of_user_code_are_not_markup():
    assert coloured(["[red]x[/red]"], [-100]).plain == "[red]x[/red]"


def test_pieces_and_labels_of_unlike_length_are_a_defect():
    with pytest.raises(ValueError, match="zip"):
        coloured(["a", "b"], [1])


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

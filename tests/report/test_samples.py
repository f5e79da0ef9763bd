import pytest

from devtune.data.renderers.rows import Span
from devtune.errors import DevtuneError
from devtune.report.samples import coloured, print_samples
from devtune.stage import Outcome, run_stage

SPANS = [
    Span("[INST]", is_trained=False, is_control=True),
    Span("Hi", is_trained=False, is_control=False),
    Span("[/INST]", is_trained=False, is_control=True),
    Span("Yes", is_trained=True, is_control=False),
    Span("</s>", is_trained=True, is_control=True),
]


def test_exactly_the_trained_tokens_are_on_green():
    text = coloured(SPANS)
    assert text.plain == "[INST]Hi[/INST]Yes</s>"
    styles = [text.plain[span.start : span.end] for span in text.spans if "green" in span.style]
    assert styles == ["Yes", "</s>"]
    dim = [text.plain[span.start : span.end] for span in text.spans if span.style == "dim"]
    assert dim == ["[INST]", "[/INST]"]


def test_brackets_of_user_code_are_not_markup():
    span = Span("[red]x[/red]", is_trained=False, is_control=False)
    assert coloured([span]).plain == "[red]x[/red]"


def test_without_colour_the_trained_tokens_stand_between_marks():
    assert coloured(SPANS, marks=True).plain == "[INST]Hi[/INST]⟦Yes⟧⟦</s>⟧"


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

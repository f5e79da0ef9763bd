import json

import pytest

from devtune.errors import DevtuneError
from devtune.notebook.results import Report, Serving, Training
from devtune.stage import Outcome, run_stage

CURVE = [{"step": 0, "eval_loss": 2.5}, {"step": 1, "loss": 2.25, "grad_norm": 1.0}]
SCORES = {"bits_per_byte": 0.5, "loss": 1.25, "edit_similarity": 0.1}
FAMILY = {"num_samples": 8, "base": SCORES, "tuned": {**SCORES, "bits_per_byte": 0.25}}
CHECK = {"effect": 0.5, "rounding": 2e-6, "largest_logit_difference": 0.001}
ANSWERS = [
    {"sample_id": f"{number:02}", "family": family, "base": "a", "tuned": "b", "reference": "c"}
    for number in range(3)
    for family in ("commit_edit", "poem")
]


def write(directory, stage, summary, section, metrics, **files):
    def work(out):
        for name, rows in files.items():
            text = "".join(json.dumps(each) + "\n" for each in rows)
            (out / f"{name}.jsonl").write_text(text, encoding="utf-8")
        return Outcome(summary, metrics=metrics)

    run_stage(stage, section, {}, directory, work)
    return directory


@pytest.fixture
def adapter(tmp_path):
    return write(tmp_path / "adapter", "train", "1 step", {}, {"steps": 1}, curve=CURVE)


@pytest.fixture
def serving(tmp_path):
    section = {"served_model_name": "ours"}
    return write(tmp_path / "serving", "export", "2 M", section, CHECK, weights=[{}])


@pytest.fixture
def report(tmp_path):
    metrics = {"families": {"commit_edit": FAMILY}}
    return write(tmp_path / "report", "evaluate", "better", {}, metrics, completions=ANSWERS)


def test_what_was_trained_has_its_curve_as_rows(adapter):
    training = Training(str(adapter))
    assert training.curve == CURVE
    assert training.metrics == {"steps": 1}
    assert repr(training) == f"Training('{adapter}'): 1 step"
    html = training._repr_html_()
    assert html.count("<polyline") == 2
    assert "step 0: held out 2.5000" in html


def test_what_is_served_says_its_files_and_how(serving):
    found = Serving(serving)
    assert found.files == {"weights.jsonl": 3}
    assert found.load_check == CHECK
    assert found.command.startswith(f"vllm serve {serving} --served-model-name ours ")
    assert repr(found) == f"Serving('{serving}'): 2 M"
    html = found._repr_html_()
    assert "1 file, 3B" in html
    assert found.command in html
    assert "2.0e-06 nats a token" in html


def test_weights_that_were_trained_themselves_lost_nothing_in_writing(tmp_path):
    check = {"effect": 0.5, "rounding": None, "largest_logit_difference": None}
    section = {"served_model_name": "ours"}
    directory = write(tmp_path / "serving", "export", "2 M", section, check)
    assert "what writing BF16 lost" not in Serving(directory)._repr_html_()


def test_a_report_has_families_and_two_answers_of_each(report):
    found = Report(report)
    assert found.families == {"commit_edit": FAMILY}
    assert found.completions == ANSWERS
    assert repr(found) == f"Report('{report}'): better"
    html = found._repr_html_()
    assert 'class="better">-50%' in html
    assert html.count("answers side by side") == 4


@pytest.mark.parametrize("holder", [Training, Serving, Report])
def test_the_directory_of_another_stage_is_one_line(holder, run_dir):
    outputs = {Training: "an adapter/", Serving: "a serving/", Report: "a report/"}
    with pytest.raises(DevtuneError) as caught:
        holder(run_dir / "samples")
    assert str(caught.value) == (
        f"{run_dir / 'samples'}: written by build; give {outputs[holder]} directory"
    )


def test_a_damaged_or_lost_file_is_one_line(adapter):
    (adapter / "curve.jsonl").write_text("{", encoding="utf-8")
    with pytest.raises(DevtuneError, match=r"curve.jsonl: damaged; move .*adapter away and run"):
        _ = Training(adapter).curve
    (adapter / "curve.jsonl").unlink()
    with pytest.raises(DevtuneError, match=r"curve.jsonl: no such file or directory; correct"):
        _ = Training(adapter).curve

"""The shape of Devstral Small 2: a text model inside a wrapper, beside a tower for pictures."""

import json

import pytest
import torch

from devtune.model import load_model
from devtune.progress import Progress
from devtune.recipe import MergeSection
from devtune.weights.merge import merge
from tests.fine_tuning import curve, kill_after_a_checkpoint, rows_of, run, weights_of
from tests.tiny import write_tiny_wrapper

LORA = {"type": "lora", "r": 4, "lora_alpha": 8}
METHODS = {"lora": LORA, "qlora": {**LORA, "type": "qlora"}, "full": {"type": "full"}}
FAST = {("lora", 0), ("full", 0)}
OUTSIDE = ("vision_tower", "multi_modal_projector")


@pytest.fixture(scope="module")
def wrapper(tmp_path_factory, tekken_file):
    directory = tmp_path_factory.mktemp("wrapper")
    write_tiny_wrapper(directory, tekken_file)
    return directory


@pytest.fixture
def make_wrapped(make_section):
    """A section and its ranks; stage 0 is one process without an engine."""

    def make(method, stage, **more):
        rate = 1e-3 if method == "full" else 1e-2
        values = {"adapter": METHODS[method], "learning_rate": rate, "max_steps": 4, "bf16": False}
        values |= {"per_device_train_batch_size": 2, **more}
        if not stage:
            return make_section(**values, gradient_accumulation_steps=2), 1
        zero = {"stage": stage, "stage3_gather_16bit_weights_on_model_save": stage == 3}
        return make_section(**values, deepspeed_settings={"zero_optimization": zero}), 2

    return make


def cells():
    for method in METHODS:
        for stage in (0, 2, 3):
            cell = (method, stage)
            yield pytest.param(*cell, marks=() if cell in FAST else pytest.mark.slow)


@pytest.mark.timeout(900)  # the first compiles an extension of the engine
@pytest.mark.parametrize(("method", "stage"), cells())
def test_it_is_trained_and_its_tower_untouched_byte_for_byte(
    method, stage, make_wrapped, dataset, wrapper, tmp_path
):
    out, merged = tmp_path / "out", tmp_path / "merged"
    section, ranks = make_wrapped(method, stage)
    run(section, dataset, wrapper, out, ranks)
    if stage:
        alone, _ = make_wrapped(method, 0)
        run(alone, dataset, wrapper, tmp_path / "alone")
        assert curve(out) == pytest.approx(curve(tmp_path / "alone"), rel=2e-6)
        assert weights_of(out).keys() == weights_of(tmp_path / "alone").keys()
    if method != "full":
        wrapped = {name.partition(".lora_")[0] for name in weights_of(out)}
        text = json.loads((wrapper / "config.json").read_text())["text_config"]
        assert len(wrapped) == 7 * text["num_hidden_layers"]
        assert not [name for name in wrapped if "language_model.layers." not in name]
    merged.mkdir()
    outcome = merge(MergeSection(), out, wrapper, merged, Progress("quiet"))
    before, after = weights_of(wrapper), weights_of(merged)
    assert before.keys() == after.keys()
    changed = {name for name in before if not before[name].equal(after[name])}
    assert outcome.counts["changed"] == len(changed) >= 14
    assert not [name for name in changed if any(each in name for each in OUTSIDE)]
    load_model(merged)


def test_of_full_weights_the_towers_are_those_of_the_base(make_wrapped, dataset, wrapper, tmp_path):
    section, _ = make_wrapped("full", 0, max_steps=2)
    run(section, dataset, wrapper, tmp_path / "out")
    trained, model = weights_of(tmp_path / "out"), load_model(wrapper, torch.float32)
    before = model.state_dict()
    assert trained.keys() == before.keys()  # names in memory, which merge and a resumed run know
    tower = [name for name in before if any(each in name for each in OUTSIDE)]
    assert len(tower) == 24
    assert all(trained[name].equal(before[name]) for name in tower)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("stage", [0, pytest.param(3, marks=pytest.mark.slow)])
def test_a_killed_run_goes_on_with_the_weights_it_had(
    stage, make_wrapped, dataset, wrapper, tmp_path
):
    section, ranks = make_wrapped("full", stage, max_steps=6)
    run(section, dataset, wrapper, tmp_path / "whole", ranks)
    kill_after_a_checkpoint(section, dataset, wrapper, tmp_path / "killed", ranks)
    outcome = run(section, dataset, wrapper, tmp_path / "killed", ranks)
    assert outcome.metrics["resumed_at_step"] >= 2
    assert rows_of(tmp_path / "killed") == rows_of(tmp_path / "whole")
    mine, theirs = (weights_of(tmp_path / each) for each in ("killed", "whole"))
    assert [name for name in theirs if not mine[name].equal(theirs[name])] == []

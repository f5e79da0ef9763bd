"""Method × ZeRO stage × packing × resume, on two ranks of a real engine, over gloo.

Each cell is compared with one process that takes the same samples to each step. All compute in
float32: what remains is the order of sums, 1e-7 of a loss. AdamW divides a gradient by its own
size, so that a weight whose gradient is nearly 0 may differ by more, but by little of a step.
"""

import pytest

from tests.fine_tuning import curve, kill_after_a_checkpoint, rows_of, run, weights_of

ENGINES = {
    "zero0": {"stage": 0},
    "zero1": {"stage": 1},
    "zero2": {"stage": 2},
    "zero3": {"stage": 3, "stage3_gather_16bit_weights_on_model_save": True},
    "offload": {
        "stage": 3,
        "offload_optimizer": {"device": "cpu"},
        "offload_param": {"device": "cpu"},
        "stage3_gather_16bit_weights_on_model_save": True,
    },
}
LORA = {"type": "lora", "r": 4, "lora_alpha": 8}
METHODS = {
    "lora": LORA,
    "rslora": {**LORA, "use_rslora": True},
    "dora": {**LORA, "use_dora": True},
    "qlora": {**LORA, "type": "qlora"},
    "full": {"type": "full"},
    "dpo": LORA,
}
FAST = {("lora", "zero1", "packed"), ("qlora", "zero2", "apart")}  # fmt: skip
FAST_RESUMED = {("full", "alone")}
SHARE_OF_A_STEP = 0.02
COMPILING = pytest.mark.timeout(900)  # the first cell of an engine compiles an extension of it


def cells():
    for method in METHODS:
        for engine in ENGINES:
            for rows in ("pairs",) if method == "dpo" else ("packed", "apart"):
                cell = (method, engine, rows)
                yield pytest.param(*cell, marks=() if cell in FAST else pytest.mark.slow)


def resumed_cells():
    for method in METHODS:
        for engine in ("alone", *ENGINES):
            cell = (method, engine)
            yield pytest.param(*cell, marks=() if cell in FAST_RESUMED else pytest.mark.slow)


def rate_of(method):
    return 1e-3 if method == "full" else 1e-2


@pytest.fixture
def make_cell(make_section, make_preferences):
    """A section and the ranks it is for; every cell takes four rows or pairs to a step."""

    def make(method, engine, rows="packed", **more):
        values = {"adapter": METHODS[method], "learning_rate": rate_of(method), "max_steps": 4}
        values |= {"bf16": False, "per_device_train_batch_size": 2, **more}
        if engine == "alone":
            values["gradient_accumulation_steps"] = 2
        else:
            values["deepspeed_settings"] = {"zero_optimization": ENGINES[engine]}
        if method != "dpo":
            values["packing"] = rows == "packed"
        make = make_preferences if method == "dpo" else make_section
        return make(**values), 1 if engine == "alone" else 2

    return make


@pytest.fixture(scope="session")
def ran_alone(tmp_path_factory):
    """Directories of single processes: each of them runs once."""
    return {}


@pytest.fixture
def rows_for(dataset, pairs):
    return lambda method: pairs if method == "dpo" else dataset


@pytest.fixture
def alone(ran_alone, make_cell, tmp_path_factory, rows_for, base):
    def result(method, rows):
        if (method, rows) not in ran_alone:
            out = tmp_path_factory.mktemp(f"{method}-{rows}") / "out"
            section, _ = make_cell(method, "alone", rows)
            run(section, rows_for(method), base, out)
            ran_alone[method, rows] = out
        return ran_alone[method, rows]

    return result


@COMPILING
@pytest.mark.parametrize(("method", "engine", "rows"), cells())
def test_two_ranks_learn_what_one_process_learns(
    method, engine, rows, make_cell, alone, rows_for, base, tmp_path
):
    expected, out = alone(method, rows), tmp_path / "out"
    section, ranks = make_cell(method, engine, rows)
    outcome = run(section, rows_for(method), base, out, ranks)
    assert outcome.metrics["num_processes"] == 2
    assert curve(out) == pytest.approx(curve(expected), rel=2e-6)
    if engine != "zero0":  # which tells no norm
        assert curve(out, "grad_norm") == pytest.approx(curve(expected, "grad_norm"), rel=1e-5)
    # Held out is a mean over rows, not over their tokens, and more ranks repeat a last row.
    assert curve(out, "eval_loss") == pytest.approx(curve(expected, "eval_loss"), rel=1e-2)
    mine, theirs = weights_of(out), weights_of(expected)
    assert mine.keys() == theirs.keys()
    for name, tensor in theirs.items():
        assert mine[name].dtype == tensor.dtype
        off = float((mine[name] - tensor).abs().max())
        assert off < SHARE_OF_A_STEP * rate_of(method), (name, off)


@COMPILING
@pytest.mark.parametrize(("method", "engine"), resumed_cells())
def test_a_killed_run_ends_in_the_weights_of_one_that_was_not(
    method, engine, make_cell, rows_for, base, tmp_path
):
    adapter = METHODS[method]
    if method not in ("full", "dpo"):
        adapter = {**adapter, "lora_dropout": 0.1}  # chance is resumed too, on each rank
    section, ranks = make_cell(method, engine, adapter=adapter, max_steps=6, eval_steps=3)
    rows = rows_for(method)
    run(section, rows, base, tmp_path / "whole", ranks)
    kill_after_a_checkpoint(section, rows, base, tmp_path / "killed", ranks)
    outcome = run(section, rows, base, tmp_path / "killed", ranks)
    assert outcome.metrics["resumed_at_step"] >= 2
    assert rows_of(tmp_path / "killed") == rows_of(tmp_path / "whole")
    mine, theirs = (weights_of(tmp_path / each) for each in ("killed", "whole"))
    assert mine.keys() == theirs.keys()
    assert [name for name in theirs if not mine[name].equal(theirs[name])] == []


@COMPILING
@pytest.mark.slow
@pytest.mark.parametrize("engine", ["alone", "zero3"])
def test_activations_that_are_computed_twice_teach_the_same(
    engine, make_cell, dataset, base, tmp_path
):
    kept, ranks = make_cell("lora", engine)
    run(kept, dataset, base, tmp_path / "kept", ranks)
    again, _ = make_cell("lora", engine, gradient_checkpointing=True)
    run(again, dataset, base, tmp_path / "again", ranks)
    assert rows_of(tmp_path / "again") == rows_of(tmp_path / "kept")

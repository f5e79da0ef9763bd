import json

import pytest
from safetensors.torch import load_file

from devtune.errors import DevtuneError
from devtune.progress import Progress
from devtune.recipe import ClusterSection
from devtune.train.training import train

QUIET = Progress("quiet")


def run(section, dataset, base, out, ranks=1):
    out.mkdir(exist_ok=True)
    return train(section, ClusterSection(processes_per_node=ranks), dataset, base, out, QUIET)


def curve(out, key="loss"):
    rows = [json.loads(line) for line in (out / "curve.jsonl").read_text().splitlines()]
    return [row[key] for row in rows if key in row]


@pytest.mark.parametrize(
    "adapter", ["lora", *(pytest.param(each, marks=pytest.mark.slow) for each in ("qlora", "full"))]
)
def test_preferences_are_learnt(adapter, make_preferences, pairs, base, tmp_path):
    rate = 1e-3 if adapter == "full" else 5e-3
    section = make_preferences(
        adapter={"type": adapter}, max_steps=12, eval_steps=6, learning_rate=rate
    )
    outcome = run(section, pairs, base, tmp_path / "out")
    assert outcome.metrics["type"] == "dpo"
    assert curve(tmp_path / "out")[0] == pytest.approx(0.6931, abs=1e-3)  # ln 2: nothing is learnt
    assert curve(tmp_path / "out")[-1] < 0.685
    assert curve(tmp_path / "out", "rewards/margins")[-1] > 0
    assert curve(tmp_path / "out", "eval_loss")


def test_of_a_side_only_the_assistants_words_count(make_preferences, pairs, base, tmp_path):
    from devtune.train.batches import pair_collator
    from devtune.train.rows import load_pairs

    trained, _ = load_pairs(pairs / "preferences.parquet", 128, 8)
    batch = pair_collator(11)([trained[0], trained[1]])
    assert batch["input_ids"].shape == batch["completion_mask"].shape
    for number, row in enumerate([trained[0], trained[1]]):
        counted = batch["input_ids"][number][batch["completion_mask"][number].bool()].tolist()
        assert counted == [each for each in row["chosen_labels"] if each != -100]
        start = len(row["prompt_ids"])
        assert not batch["completion_mask"][number][:start].any()


def test_preferences_without_pairs_are_one_line(make_preferences, dataset, base, tmp_path):
    with pytest.raises(DevtuneError, match=r"preferences.parquet: missing; `train.type: dpo`"):
        run(make_preferences(), dataset, base, tmp_path / "out")


def test_a_pair_longer_than_a_row_is_refused(make_preferences, pairs, base, tmp_path):
    with pytest.raises(DevtuneError, match=r"longest sample has \d+ tokens, more than"):
        run(make_preferences(max_length=20), pairs, base, tmp_path / "out")


def test_a_family_without_weight_teaches_nothing(make_section, mixed, base, tmp_path):
    """Tokens of a family of weight 0 leave no trace in the result."""
    heavy = {"loss_weights": {"noise": 0.0}, "bf16": False, "packing": False, "max_steps": 2}
    run(make_section(**heavy), mixed("other"), base, tmp_path / "one")
    run(make_section(**heavy), mixed("another"), base, tmp_path / "two")
    one, two = (load_file(tmp_path / each / "adapter_model.safetensors") for each in ("one", "two"))
    assert all(one[name].equal(two[name]) for name in one)


@pytest.mark.parametrize("packing", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_equal_weights_are_no_weights(packing, make_section, dataset, base, tmp_path):
    values = {"bf16": False, "packing": packing, "max_steps": 3}
    run(make_section(**values), dataset, base, tmp_path / "plain")
    run(make_section(**values, loss_weights={"repeat": 1.0}), dataset, base, tmp_path / "weighed")
    assert curve(tmp_path / "weighed") == pytest.approx(curve(tmp_path / "plain"), rel=1e-4)


def test_the_result_is_the_state_of_the_lowest_held_out_loss(make_section, dataset, base, tmp_path):
    values = {"learning_rate": 0.5, "lr_scheduler_type": "constant", "max_steps": 8, "bf16": False}
    section = make_section(**values, eval_steps=2, save_steps=100, load_best_model_at_end=True)
    outcome = run(section, dataset, base, tmp_path / "out")
    losses = curve(tmp_path / "out", "eval_loss")[1:]  # the first is that of the base
    best = 2 * (losses.index(min(losses)) + 1)
    assert outcome.metrics["best_step"] == best < 8, losses
    stopped = make_section(**{**values, "max_steps": best}, save_steps=100)
    run(stopped, dataset, base, tmp_path / "short")
    mine = load_file(tmp_path / "out" / "adapter_model.safetensors")
    theirs = load_file(tmp_path / "short" / "adapter_model.safetensors")
    assert all(mine[name].equal(theirs[name]) for name in theirs)


@pytest.mark.parametrize("adapter", ["qlora", "full"])
def test_steps_too_small_for_bf16_are_taken(adapter, make_section, dataset, base, tmp_path):
    values = {"lr_scheduler_type": "constant", "warmup_steps": 0, "max_steps": 2, "bf16": True}
    section = make_section(adapter={"type": adapter}, learning_rate=1e-6, **values)
    run(section, dataset, base, tmp_path / "out")
    trained = load_file(next((tmp_path / "out").glob("*.safetensors")))
    assert {str(tensor.dtype) for tensor in trained.values()} == {"torch.float32"}
    if adapter == "full":
        before = load_file(base / "model.safetensors")
        name = "model.layers.1.mlp.up_proj.weight"
        moved = (trained[name] != before[name].float()).float().mean()
        assert moved > 0.9

import json
import threading
import time

import pytest
from safetensors.torch import load_file

from devtune.errors import DevtuneError
from devtune.progress import Progress
from devtune.recipe import ClusterSection
from devtune.train.training import Stopped, train

QUIET = Progress("quiet")
SHARDED = {"stage": 3, "stage3_gather_16bit_weights_on_model_save": True}


def run(section, dataset, base, out, ranks):
    out.mkdir(exist_ok=True)
    return train(section, ClusterSection(processes_per_node=ranks), dataset, base, out, QUIET)


def run_until(step, section, dataset, base, out, ranks):
    def stop():
        deadline = time.monotonic() + 200
        while not list(out.glob(f"checkpoints/checkpoint-{step}/manifest.json")):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        (out / "stop").touch()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(Stopped, match=r"saved at step \d+; run the same command again"):
        run(section, dataset, base, out, ranks)
    stopper.join()


def losses(out):
    rows = [json.loads(line) for line in (out / "curve.jsonl").read_text().splitlines()]
    return [row["loss"] for row in rows if "loss" in row]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("adapter", ["lora", "full"])
@pytest.mark.parametrize("zero", [{"stage": 0}, {"stage": 1}, {"stage": 2}, SHARDED])
def test_two_ranks_then_one_then_two_learn_what_two_do(
    zero, adapter, make_section, dataset, base, tmp_path
):
    values = {
        "adapter": {"type": adapter},
        "learning_rate": 1e-3,
        "weight_decay": 0.1,
        "bf16": False,
        "max_steps": 9,
        "deepspeed_settings": {"zero_optimization": zero},
    }
    both, alone = (make_section(**values, gradient_accumulation_steps=each) for each in (1, 2))
    run(both, dataset, base, tmp_path / "whole", ranks=2)
    cut = tmp_path / "cut"
    cut.mkdir()
    run_until(2, both, dataset, base, cut, ranks=2)
    run_until(6, alone, dataset, base, cut, ranks=1)
    outcome = run(both, dataset, base, cut, ranks=2)
    assert outcome.metrics["resumed_at_step"] >= 6
    assert losses(cut) == pytest.approx(losses(tmp_path / "whole"), rel=1e-4)
    [name] = [each.name for each in cut.glob("*model.safetensors")]
    mine, theirs = load_file(cut / name), load_file(tmp_path / "whole" / name)
    assert all((mine[key] - theirs[key]).abs().max() < 1e-3 for key in theirs)


@pytest.mark.timeout(300)
def test_shards_of_two_ranks_are_of_use_to_one(make_section, dataset, base, tmp_path):
    values = {"bf16": False, "deepspeed_settings": {"zero_optimization": {"stage": 2}}}
    cut = tmp_path / "cut"
    cut.mkdir()
    run_until(2, make_section(**values), dataset, base, cut, ranks=2)
    run(make_section(**values, gradient_accumulation_steps=2), dataset, base, cut, ranks=1)
    run(make_section(**values), dataset, base, tmp_path / "whole", ranks=2)
    assert losses(cut) == pytest.approx(losses(tmp_path / "whole"), rel=1e-4)


def test_shards_that_cannot_be_converted_are_one_line(tmp_path):
    from devtune.train.engine import for_other_ranks

    (tmp_path / "checkpoint-2" / "global_step2").mkdir(parents=True)
    with pytest.raises(DevtuneError, match="cannot be converted to another number of ranks"):
        for_other_ranks(tmp_path / "checkpoint-2", tmp_path / "converted", tmp_path / "log")

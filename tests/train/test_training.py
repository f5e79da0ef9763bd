import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from safetensors.torch import load_file

from devtune.errors import DevtuneError
from devtune.fingerprint import hash_file
from devtune.launch.mailbox import own
from devtune.model import computes_in_bf16
from devtune.progress import Progress
from devtune.recipe import ClusterSection
from devtune.train.training import train

QUIET = Progress("quiet")
PLAIN = {"zero_optimization": {"stage": 0}}


def run(section, dataset, base, out, ranks=1):
    out.mkdir(exist_ok=True)
    return train(section, ClusterSection(processes_per_node=ranks), dataset, base, out, QUIET)


def curve(out, key="loss"):
    rows = [json.loads(line) for line in (out / "curve.jsonl").read_text().splitlines()]
    return [row[key] for row in rows if key in row]


def test_lora_lowers_the_loss_and_leaves_only_its_result(make_section, dataset, base, tmp_path):
    section = make_section(max_steps=12, eval_steps=6, learning_rate=5e-2)
    outcome = run(section, dataset, base, tmp_path / "out")
    held_out = curve(tmp_path / "out", "eval_loss")
    assert held_out[-1] < 0.97 * held_out[0]
    assert outcome.metrics["steps"] == 12
    assert outcome.metrics["bf16"] == computes_in_bf16("cpu")
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "curve.jsonl",
        "metrics.json",
        "resolved.json",
    ]
    config = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "base"
    assert str(tmp_path) not in (tmp_path / "out" / "resolved.json").read_text()


def test_a_run_killed_after_a_checkpoint_ends_like_one_that_was_not(
    make_section, dataset, base, tmp_path
):
    section = make_section(adapter={"type": "lora", "r": 4, "lora_dropout": 0.1}, eval_steps=3)
    run(section, dataset, base, tmp_path / "whole")
    killed = tmp_path / "killed"
    killed.mkdir()
    kill_after_first_checkpoint(section, dataset, base, killed)
    outcome = run(section, dataset, base, killed)
    assert outcome.metrics["resumed_at_step"] >= 2
    for name in ("adapter_model.safetensors", "curve.jsonl"):
        assert hash_file(killed / name) == hash_file(tmp_path / "whole" / name), name


def test_a_run_killed_after_its_last_checkpoint_takes_no_step_more(
    make_section, dataset, base, tmp_path
):
    section = make_section(max_steps=4)
    run(section, dataset, base, tmp_path / "whole")
    killed = tmp_path / "killed"
    killed.mkdir()
    kill_when(section, dataset, base, killed, "final/adapter_model.safetensors")
    run(section, dataset, base, killed)
    for name in ("adapter_model.safetensors", "curve.jsonl"):
        assert hash_file(killed / name) == hash_file(tmp_path / "whole" / name), name


def kill_after_first_checkpoint(section, dataset, base, out):
    kill_when(section, dataset, base, out, "checkpoints/checkpoint-*/manifest.json")
    torn = out / "checkpoints" / "checkpoint-5"  # as a kill in the middle of saving leaves it
    if not torn.exists():
        torn.mkdir()
        (torn / "trainer_state.json").write_text("{", encoding="utf-8")


def kill_when(section, dataset, base, out, sign):
    job = {
        "section": section.model_dump(mode="json"),
        "engine": None,
        "accelerator": "cpu",
        "dataset": str(dataset),
        "base": str(base),
        "out": str(out),
        **{"owner": "first", "checkpoint": None, "resumed_at_step": 0},
        **{"best_step": None, "best_loss": None},
    }
    own(out, "first")
    (out / "resolved.json").write_text(json.dumps(job), encoding="utf-8")
    command = [sys.executable, "-m", "devtune.train.worker", str(out / "resolved.json")]
    worker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(out.glob(sign)):
        assert worker.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()


@pytest.mark.slow
@pytest.mark.timeout(900)  # the first compiles an extension of the engine
@pytest.mark.parametrize("stage", [0, 2])
def test_two_ranks_under_deepspeed_follow_the_same_curve_as_one_process(
    stage, make_section, dataset, base, tmp_path
):
    alone = make_section(bf16=False, gradient_accumulation_steps=2)
    run(alone, dataset, base, tmp_path / "alone")
    settings = {"zero_optimization": {"stage": stage}}
    ranks = make_section(bf16=False, deepspeed_settings=settings)
    outcome = run(ranks, dataset, base, tmp_path / "ranks", ranks=2)
    assert outcome.metrics["num_processes"] == 2
    assert curve(tmp_path / "ranks") == pytest.approx(curve(tmp_path / "alone"), rel=2e-3)
    mine = load_file(tmp_path / "ranks" / "adapter_model.safetensors")
    theirs = load_file(tmp_path / "alone" / "adapter_model.safetensors")
    assert mine.keys() == theirs.keys()


def test_qlora_trains_on_a_base_quantised_to_nf4(make_section, dataset, base, tmp_path):
    section = make_section(adapter={"type": "qlora", "r": 4, "lora_alpha": 8}, max_steps=8)
    outcome = run(section, dataset, base, tmp_path / "out")
    assert outcome.metrics["adapter"] == "qlora"
    assert curve(tmp_path / "out")[-1] < curve(tmp_path / "out")[0]


def test_full_training_writes_every_weight(make_section, dataset, base, tmp_path):
    section = make_section(adapter={"type": "full"}, learning_rate=1e-3, max_steps=3)
    run(section, dataset, base, tmp_path / "out")
    trained = load_file(tmp_path / "out" / "model.safetensors")
    before = load_file(base / "model.safetensors")
    assert trained.keys() == before.keys()
    changed = [name for name in before if not before[name].equal(trained[name])]
    assert len(changed) > len(before) / 2


def test_weights_that_answer_at_random_stop_the_run_at_its_first_step(
    make_section, dataset, base, tmp_path
):
    import torch
    from safetensors.torch import save_file

    tensors = load_file(base / "model.safetensors")
    tensors["lm_head.weight"] = torch.zeros_like(tensors["lm_head.weight"])
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in base.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DevtuneError, match=r"first loss is 7\.17, that of random weights"):
        run(make_section(), dataset, broken, tmp_path / "out")


def test_a_sample_longer_than_a_row_is_an_error_not_a_cut(make_section, dataset, base, tmp_path):
    with pytest.raises(DevtuneError, match=r"longest sample has \d+ tokens, more than"):
        run(make_section(max_length=20), dataset, base, tmp_path / "out")


def test_a_target_that_misses_layers_is_named(make_section, dataset, base, tmp_path):
    adapter = {"type": "lora", "target_modules": r"model\.layers\.0\.self_attn\.q_proj"}
    with pytest.raises(DevtuneError, match="1 modules in 1 of 2 layers"):
        run(make_section(adapter=adapter), dataset, base, tmp_path / "out")


def test_ranks_that_fail_together_leave_one_line(make_section, dataset, base, tmp_path):
    adapter = {"type": "lora", "target_modules": "nothing_is_called_this"}
    section = make_section(adapter=adapter, deepspeed_settings=PLAIN)
    with pytest.raises(DevtuneError, match="a rank failed: NoMatchingPeftModuleError: Target mod"):
        run(section, dataset, base, tmp_path / "out", ranks=2)


def test_a_rank_killed_under_torchrun_is_named(make_section, dataset, base, tmp_path):
    out = tmp_path / "out"
    killer = threading.Thread(target=kill_first_rank, args=(out,))
    killer.start()
    section = make_section(max_steps=200, deepspeed_settings=PLAIN)
    with pytest.raises(DevtuneError, match="a rank was killed by SIGKILL; run the same command"):
        run(section, dataset, base, out, ranks=2)
    killer.join()


def kill_first_rank(out):
    deadline = time.monotonic() + 120
    while not (out / "events.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    found = subprocess.run(
        ["pgrep", "-f", f"devtune.train.worker.*{out}"], capture_output=True, text=True, check=True
    )
    os.kill(max(map(int, found.stdout.split())), signal.SIGKILL)


def test_a_rank_that_dies_is_one_line_with_the_place_of_its_log(
    make_section, dataset, base, tmp_path
):
    adapter = {"type": "lora", "target_modules": "nothing_is_called_this"}
    with pytest.raises(DevtuneError, match=r"a rank failed: .*nothing_is_called_this.*log: "):
        run(make_section(adapter=adapter), dataset, base, tmp_path / "out")


@pytest.mark.parametrize("tracker", ["wandb", "tensorboard"])
def test_a_tracker_writes_beside_the_adapter_and_nowhere_else(
    tracker, make_section, dataset, base, tmp_path, monkeypatch
):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    run(make_section(report_to=tracker, max_steps=2), dataset, base, tmp_path / "out")
    assert any(each.is_file() for each in (tmp_path / "out" / "tracking").rglob("*"))
    assert not [each for each in home.rglob("*") if tracker in each.name]

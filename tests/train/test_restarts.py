import json
import pickle
from pathlib import Path

import pytest

from devtune.errors import DevtuneError
from devtune.fingerprint import hash_file, identity_of
from devtune.line import LINE
from devtune.progress import Progress
from devtune.recipe import ClusterSection
from devtune.stage import Outcome, run_stage
from devtune.train.checkpoints import Checkpoints
from devtune.train.training import train
from tests.train.jobs import make_section, on_engine

STAGE = next(each for each in LINE if each.name == "train")
NOWHERE = Path("/nowhere")


def commit(checkpoints, step, contents):
    staged = checkpoints.staged(step)
    for name, content in contents.items():
        (staged / name).parent.mkdir(parents=True, exist_ok=True)
        (staged / name).write_bytes(content)
    hashes = {name: hash_file(staged / name) for name in contents}
    facts = {"total_batch": 1, "num_processes": 1, "best_step": 0, "best_loss": None}
    return checkpoints.commit(step, hashes, facts)


def killed_at_work(scratch):
    commit(Checkpoints(scratch / "checkpoints", "first"), 2, {"weights": b"x"})
    raise DevtuneError("as good as killed")


def run(section, out, work):
    identity = identity_of(section, {})
    named = {"resumable": STAGE.resumable, "precious": STAGE.precious}
    return run_stage("train", identity, {}, out, work, **named)


def test_another_learning_rate_does_not_go_on_from_checkpoints_of_this_one(tmp_path):
    out = tmp_path / "adapter"
    with pytest.raises(DevtuneError, match="as good as killed"):
        run(make_section(learning_rate=0.01), out, killed_at_work)
    line = (
        "adapter.partial: holds what another run has learnt: train.learning_rate was 0.01, is now"
        " 0.02; set another run_dir, or move it away to begin anew$"
    )
    with pytest.raises(DevtuneError, match=line):
        run(make_section(learning_rate=0.02), out, killed_at_work)
    assert Checkpoints(tmp_path / "adapter.partial" / "checkpoints").newest(print).step == 2


def test_a_result_that_was_not_signed_yet_is_not_thrown_away_for_another_one(tmp_path):
    def work(scratch):
        (scratch / "metrics.json").write_text("{}")
        raise DevtuneError("as good as killed")

    with pytest.raises(DevtuneError, match="as good as killed"):
        run(make_section(seed=1), tmp_path / "adapter", work)
    with pytest.raises(DevtuneError, match="another run has learnt: train.seed was 1, is now 2"):
        run(make_section(seed=2), tmp_path / "adapter", work)


def test_what_changes_nothing_of_the_result_may_change_when_it_goes_on(tmp_path):
    def work(scratch):
        assert Checkpoints(scratch / "checkpoints").newest(print).step == 2
        return Outcome("went on")

    with pytest.raises(DevtuneError, match="as good as killed"):
        run(make_section(), tmp_path / "adapter", killed_at_work)
    changed = make_section(save_steps=7, save_total_limit=5, ddp_timeout=9, max_loss_ratio=3)
    manifest, _ = run(changed, tmp_path / "adapter", work)
    assert manifest["summary"] == "went on"


def test_killed_while_its_result_was_hashed_it_trains_nothing_again(tmp_path):
    facts = {"trained_parameters": 7, "steps": 6, "resumed_at_step": 0, "loss": 0.5}
    result = {**facts, "eval_loss": None, "best_step": None}
    commit(Checkpoints(tmp_path / "checkpoints", "first"), 2, {"weights": b"x"})
    (tmp_path / "final").mkdir()
    for name, content in {"metrics.json": json.dumps(result), "owner": "", "train.log": ""}.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "adapter_model.safetensors").write_bytes(b"trained")
    quiet = Progress("quiet")
    outcome = train(make_section(), ClusterSection(), NOWHERE, NOWHERE, tmp_path, quiet)
    assert outcome.summary == "7 parameters, 6 steps, loss 0.5000"
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "adapter_model.safetensors",
        "metrics.json",
    ]


class Trap:
    def __init__(self, canary) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.canary,))


def test_a_pickle_that_is_not_what_was_committed_is_not_read(dataset, base, tmp_path, capsys):
    out, canary = tmp_path / "out", tmp_path / "canary"
    trap = pickle.dumps(Trap(canary))
    pickle.loads(trap)
    assert canary.exists()
    canary.unlink()
    checkpoints = Checkpoints(out / "checkpoints", "first")
    shards = [f"global_step2/{each}.pt" for each in ("mp_rank_00_model_states", "zero_pp_rank_0")]
    contents = dict.fromkeys(("optimizer.pt", "rng_state.pth", *shards), b"harmless")
    state = {"global_step": 2, "max_steps": 2, "stateful_callbacks": {}}  # else nothing is loaded
    rest = {"latest": b"global_step2", "trainer_state.json": json.dumps(state).encode()}
    committed = commit(checkpoints, 2, {**contents, **rest})
    for name in contents:
        (committed.path / name).write_bytes(trap)
    section = on_engine(tmp_path, max_steps=2, save_steps=1)
    outcome = train(section, ClusterSection(), dataset, base, out, Progress("auto"))
    assert outcome.metrics["resumed_at_step"] == 0
    said = [each for each in capsys.readouterr().out.splitlines() if "skipped" in each]
    assert len(said) == 1
    assert "checkpoint-2 is skipped: " in said[0]
    assert not canary.exists()

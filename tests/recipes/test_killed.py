import signal
import subprocess
import sys
import time

import pytest

from devtune.line import LINE
from devtune.stage import read_manifest
from tests.recipes.conftest import QUICKSTART, overrides
from tests.tiny import write_tiny_model

TINY = (
    "render.max_length=1500", "train.max_length=1500", "train.max_steps=8", "train.save_steps=2",
    "train.eval_steps=4", "export.check_tokens=64",
    "evaluate={max_samples: 2, max_completions: 1, max_new_tokens: 8}",
)  # fmt: skip


# What shows that a stage has done something that it does not do again when it is resumed.
SIGNS = {
    "collect": "scratch/parts/*/??????", "build": "scratch/parts/*/??????",
    "train": "checkpoints/checkpoint-*/manifest.json",
}  # fmt: skip


@pytest.fixture
def recipe_of(repository, tekken_file, tmp_path):
    """The arguments of a whole recipe on a 2-layer model, in the run directory given."""
    published = tmp_path / "published"
    published.mkdir()
    write_tiny_model(published, tekken_file)

    def arguments(run_dir):
        weights = f"import={{type: checkpoint, path: '{published}'}}"
        return [QUICKSTART, *overrides(run_dir, repository, weights, *TINY)]

    return arguments


def hashes(run_dir):
    return {stage.name: read_manifest(run_dir / stage.output)["files"] for stage in LINE}


def kill_in(stage, run_dir, arguments, delay):
    """Start the line and SIGKILL it `delay` seconds after `stage` began to write."""
    command = [sys.executable, "-m", "devtune", "run", *map(str, arguments)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    scratch = run_dir / f"{stage.output}.partial"
    while not list(scratch.glob(SIGNS.get(stage.name, "*"))):
        assert running.poll() is None, f"ended before {stage.name}"
        assert not (run_dir / stage.output).exists(), f"{stage.name} was over before its kill"
        time.sleep(0.001)
    time.sleep(delay)
    running.send_signal(signal.SIGKILL)
    running.wait()
    return scratch.exists()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_in_every_stage_and_run_again_the_result_is_the_same(devtune, recipe_of, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    devtune("run", *recipe_of(whole))
    num_killed = 0
    for number, stage in enumerate(LINE):
        num_killed += kill_in(stage, killed, recipe_of(killed), delay=0.005 * number)
    devtune("run", *recipe_of(killed))
    assert num_killed == len(LINE)
    assert hashes(killed) == hashes(whole)
    assert not list(killed.glob("*.partial"))


@pytest.mark.slow
def test_two_runs_in_two_places_give_the_same_bytes(devtune, recipe_of, tmp_path):
    for place in ("one", "two"):
        devtune("run", *recipe_of(tmp_path / place))
    assert hashes(tmp_path / "one") == hashes(tmp_path / "two")

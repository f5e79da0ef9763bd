import json
import os
import subprocess

import pytest

from devtune.line import LINE
from tests.recipes.conftest import QUICKSTART, overrides

SMALL = (
    "train.max_steps=4", "train.eval_steps=2", "train.eval_samples=4", "train.save_steps=2",
    "render.max_length=512", "train.max_length=512", "export.check_tokens=64",
    "evaluate={max_samples: 2, max_completions: 1, max_new_tokens: 8}",
)  # fmt: skip


def without_network():
    """A prefix that runs a command in an empty network namespace."""
    prefix = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let a test make a network namespace")
    return prefix


@pytest.mark.timeout(900)
def test_the_whole_line_runs_without_network_and_a_second_run_does_nothing(
    devtune, repository, tmp_path
):
    arguments = ["run", QUICKSTART, *overrides(tmp_path / "run", repository, *SMALL)]
    first = devtune(*arguments, prefix=without_network())
    assert "serve it:               vllm serve" in first.stdout
    assert "bits/byte" in first.stdout
    families = json.loads((tmp_path / "run/report/metrics.json").read_text())["families"]
    assert set(families) == {
        "commit_edit", "docstring_to_function", "fill_in_the_middle", "function_to_docstring",
    }  # fmt: skip
    assert (tmp_path / "run/report/curves.png").read_bytes().startswith(b"\x89PNG")
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "run").rglob("*")}
    second = devtune(*arguments)
    assert second.stdout.count("already done") == len(LINE)
    assert before == {file: file.stat().st_mtime_ns for file in (tmp_path / "run").rglob("*")}
    changed = devtune(*arguments, "--set", "train.learning_rate=5e-4", check=False)
    assert changed.returncode == 1
    assert "train.learning_rate was 0.002, is now 0.0005" in changed.stderr
    assert changed.stderr.count("\n") == 1


@pytest.mark.slow
def test_every_trained_family_gets_better_on_what_was_held_out(devtune, tmp_path):
    devtune("run", QUICKSTART, "--set", f"run_dir={tmp_path / 'run'}")
    families = json.loads((tmp_path / "run/report/metrics.json").read_text())["families"]
    assert families
    for name, row in families.items():
        assert row["tuned"]["bits_per_byte"] < row["base"]["bits_per_byte"], name

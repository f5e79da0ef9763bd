# The whole circle: an agent works, what it saw and said is recorded, a model is trained on it, and
# the agent asks that model. `make agents` installs the agent and the server.
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import pytest
from mistral_common.tokens.tokenizers.tekken import SpecialTokenPolicy, Tekkenizer

from devtune.config import load
from devtune.data.sessions.recorded import answer_of
from devtune.progress import Progress
from devtune.run import run_line
from tests.environments import ROOT, SERVE, VIBE
from tests.scripted_server import scripted_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(2400),
    pytest.mark.skipif(
        not ((VIBE / "ready").exists() and (SERVE / "cpu").exists()),
        reason="needs an agent and a server: make agents",
    ),
]

TASK = "The hour of the day should wrap at midnight. Correct it and run the tests."
LAST = "Done: the hour wraps at midnight and the test passes."
ANSWERS = [
    {"content": "I look at both files.", "calls": [
        ["read_file", {"path": "clock.py"}], ["read_file", {"path": "test_clock.py"}]]},
    {"content": "", "calls": [["edit", {"file_path": "clock.py",
        "old_string": "return hour + by", "new_string": "return (hour + by) % 24"}]]},
    {"content": "", "calls": [["bash", {"command": "python3 -m unittest -q 2>&1"}]]},
    {"content": LAST},
]  # fmt: skip
CODE = 'def later(hour, by):\n    """Return the hour of the day."""\n    return hour + by\n'
TESTS = (
    "import unittest\n\nfrom clock import later\n\n\nclass ClockTest(unittest.TestCase):\n"
    "    def test_later(self):\n        self.assertEqual(later(23, 2), 1)\n"
)
CONFIG = """\
active_model = "ours"
enable_telemetry = false
enable_update_checks = false
enable_auto_update = false
enable_notifications = false
enable_otel = false
enable_subagents = false
enable_background_processes = false
include_project_context = false
include_commit_signature = false

[session_logging]
generate_titles = false

[[providers]]
name = "local"
api_base = "{url}"
api_key_env_var = ""
api_style = "openai"
backend = "generic"

[[models]]
name = "ours"
provider = "local"
alias = "ours"
temperature = 0.0
max_context_length = 12600
auto_compact_threshold = 12500
"""
RECIPE = """\
use:
  - {root}/configs/model/breeze.yaml
  - {root}/configs/adapter/lora.yaml
  - {root}/configs/cluster/cpu.yaml
  - {root}/data_prep/pipelines/sessions.yaml
run_dir: run
collect:
  held_out: 0
  sources:
    - type: sessions
      path: journals
      outcomes: outcomes.json
      consent: "agreed in a test"
      vendor_terms: permitted
render: {{max_length: 8192}}
train:
  type: sft
  learning_rate: 2e-3
  max_steps: {steps}
  per_device_train_batch_size: 1
  gradient_accumulation_steps: 1
  max_length: 8192
  gradient_checkpointing: true
  packing: false
"""
STAGES = ("import", "collect", "build", "render", "train", "merge", "export")


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def wait_for(url, process, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, "the server has ended"
        try:
            return urllib.request.urlopen(url, timeout=5).read()
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"{url} does not answer")


@contextmanager
def recording(url, journals):
    port = free_port()
    command = [sys.executable, "-m", "devtune", "record", "--to", url, "--journal", str(journals)]
    process = subprocess.Popen([*command, "--port", str(port)])
    try:
        wait_for(f"http://127.0.0.1:{port}/v1/models", process, 30)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


@contextmanager
def serving(model, log):
    port = free_port()
    command = [
        str(SERVE / "bin/vllm"), "serve", str(model), "--host", "127.0.0.1", "--port", str(port),
        "--served-model-name", "ours", "--tokenizer-mode", "mistral", "--tool-call-parser",
        "mistral", "--enable-auto-tool-choice", "--enforce-eager", "--max-model-len", "12288",
    ]  # fmt: skip
    settings = {
        "VLLM_CPU_KVCACHE_SPACE": "2", "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1",
        "VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1",
    }  # fmt: skip
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, env={**os.environ, **settings}, start_new_session=True
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/v1/models", process, 180)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def ask_agent(url, place, turns="6"):
    # A real agent in a fresh repository with a home of its own.
    work, home = place / "clock", place / "home"
    (home / ".vibe").mkdir(parents=True)
    (home / ".vibe" / "config.toml").write_text(CONFIG.format(url=url), encoding="utf-8")
    work.mkdir()
    (work / "clock.py").write_text(CODE, encoding="utf-8")
    (work / "test_clock.py").write_text(TESTS, encoding="utf-8")
    subprocess.run(["git", "init", "-q", str(work)], check=True)
    tools = [flag for name in ("read_file", "edit", "bash") for flag in ("--enabled-tools", name)]
    answer = subprocess.run(
        [str(VIBE / "bin/vibe"), "-p", TASK, "--output", "json", "--auto-approve", "--trust",
         "--max-turns", turns, "--workdir", str(work), *tools],
        cwd=work, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600,
        env={**os.environ, "HOME": str(home), "VIBE_HOME": str(home / ".vibe")},
    )  # fmt: skip
    return work, answer


def exchanges(journals):
    lines = [
        json.loads(line)
        for file in sorted(journals.glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    return [each for each in lines if each.get("event") == "response"]


def test_sessions_teach_the_model_that_the_agent_asks_next(tmp_path):
    journals = tmp_path / "journals"
    with scripted_server(ANSWERS) as (url, script), recording(url, journals) as proxy:
        work, answer = ask_agent(proxy, tmp_path / "first")
    assert answer.returncode == 0, answer.stderr
    assert LAST in answer.stdout
    assert "% 24" in (work / "clock.py").read_text(encoding="utf-8")
    assert len(exchanges(journals)) == len(ANSWERS)

    [journal] = journals.iterdir()
    (tmp_path / "outcomes.json").write_text(json.dumps({journal.stem: True}), encoding="utf-8")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.format(root=ROOT, steps=2), encoding="utf-8")
    resolved = load(recipe, ())
    run_line(resolved, Progress("quiet"), STAGES)

    # What is trained is what the model said, after what the server was really asked.
    import pyarrow.parquet as pq

    [row] = pq.read_table(tmp_path / "run/dataset/train.parquet").to_pylist()
    tokenizer = Tekkenizer.from_file(tmp_path / "run/dataset/tekken.json")
    trained = tokenizer.decode(
        [each for each in row["labels"] if each != -100], SpecialTokenPolicy.KEEP
    )
    assert trained.startswith("I look at both files.[TOOL_CALLS]read_file[ARGS]")
    assert trained.endswith(f"</s>{LAST}</s>")
    prompt = tokenizer.decode(row["input_ids"], SpecialTokenPolicy.KEEP)
    assert script.requests[0]["messages"][0]["content"][:200] in prompt
    manifest = json.loads((tmp_path / "run/adapter/manifest.json").read_text(encoding="utf-8"))
    assert manifest["metrics"]["steps"] == 2
    assert 0 < manifest["metrics"]["loss"] < 8

    again = tmp_path / "again"
    with (
        serving(tmp_path / "run/serving", tmp_path / "server.log") as url,
        recording(url, again) as proxy,
    ):
        work, answer = ask_agent(proxy, tmp_path / "second", "1")
    answered = [each for each in exchanges(again) if each["status"] == 200 and each["is_complete"]]
    # It is too small to act; that it was asked all an agent asks, and answered, is the circle.
    assert answered, answer.stderr
    spoken = answer_of(answered[0]["body"])
    assert spoken.get("content") or spoken.get("tool_calls")

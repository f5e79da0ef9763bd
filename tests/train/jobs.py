"""A training as a process of its own, which can be watched and signalled, and its ranks."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from devtune.fingerprint import hash_file
from devtune.tuning import SftSection

PROGRAM = """
import json, signal, sys
from pathlib import Path
from devtune.errors import DevtuneError
from devtune.progress import Progress
from devtune.recipe import ClusterSection
from devtune.tuning import SftSection
from devtune.train.training import train
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
section, *paths, ranks = json.loads(sys.argv[1])
cluster = ClusterSection(processes_per_node=ranks)
try:
    train(SftSection.model_validate(section), cluster, *map(Path, paths), Progress("quiet"))
except DevtuneError as error:
    print(error)
    sys.exit(error.exit_code)
except KeyboardInterrupt:
    sys.exit(130)
"""
STAGE_2 = {"zero_optimization": {"stage": 2}}


def make_section(**values):
    defaults = {
        "type": "sft",
        "adapter": {"type": "lora", "r": 4, "lora_dropout": 0.1},
        "learning_rate": 1e-2,
        "max_steps": 60,
        "max_length": 128,
        "gradient_checkpointing": False,
        "save_steps": 3,
        "bf16": False,
    }
    return SftSection.model_validate({**defaults, **values})


def on_engine(folder, **values):
    file = folder / "deepspeed.json"
    file.write_text(json.dumps(STAGE_2), encoding="utf-8")
    return make_section(deepspeed=file, **values)


def start(section, dataset, base, out, ranks=1):
    out.mkdir(exist_ok=True)
    (out / "events.jsonl").unlink(missing_ok=True)  # what is waited for is what this job does
    paths = [str(each) for each in (dataset, base, out)]
    job = json.dumps([section.model_dump(mode="json"), *paths, ranks])
    command = [sys.executable, "-c", PROGRAM, job]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(job, seconds=120):
    """Return the exit code of a job and what it said."""
    said, errors = job.communicate(timeout=seconds)
    assert not errors, errors
    return job.returncode, said


def wait_for(condition, job, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert job.poll() is None, job.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def events(out):
    file = out / "events.jsonl"
    lines = file.read_text().split("\n")[:-1] if file.exists() else []
    return [json.loads(each) for each in lines]


def step_of(out):
    return max((each["step"] for each in events(out) if "loss" in each), default=0)


def saved_step_of(out):
    return max((each["saved_step"] for each in events(out) if "saved_step" in each), default=0)


def checkpoints_of(out):
    return sorted(each.name for each in (out / "checkpoints").glob("checkpoint-*"))


def pids_of_ranks(out):
    """Return the processes of the ranks of a job, by rank."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode().split("\0")
            environment = (process / "environ").read_bytes().decode().split("\0")
        except OSError:
            continue
        is_rank = "devtune.train.worker" in command and "torch.distributed.run" not in command
        if is_rank and str(out / "resolved.json") in command:
            ranks = [each[5:] for each in environment if each.startswith("RANK=")]
            found[int(ranks[0]) if ranks else 0] = int(process.name)
    return found


def end_for_good(job, out):
    """Kill what a failed test left."""
    job.kill()
    job.wait()
    for pid in pids_of_ranks(out).values():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def result_of(out):
    names = ("adapter_model.safetensors", "curve.jsonl")
    return {name: hash_file(out / name) for name in names}

"""Fine-tunings on this machine: run to their end, or killed after a checkpoint."""

import json
import os
import signal
import subprocess
import sys
import time

from safetensors.torch import load_file

from devtune.progress import Progress
from devtune.recipe import ClusterSection
from devtune.train.training import train

CODE = """
import json, sys
from pathlib import Path
from pydantic import TypeAdapter
from devtune.progress import Progress
from devtune.recipe import ClusterSection
from devtune.train.training import train
from devtune.tuning import Train
section, ranks, *paths = json.loads(sys.argv[1])
section = TypeAdapter(Train).validate_python(section)
cluster = ClusterSection(processes_per_node=ranks)
train(section, cluster, *map(Path, paths), Progress("quiet"))
"""
SIGN = "checkpoints/checkpoint-*/manifest.json"
DEADLINE_SECONDS = 600


def run(section, dataset, base, out, ranks=1):
    out.mkdir(parents=True, exist_ok=True)
    cluster = ClusterSection(processes_per_node=ranks)
    return train(section, cluster, dataset, base, out, Progress("quiet"))


def kill_after_a_checkpoint(section, dataset, base, out, ranks=1):
    """Start a job as `run` does, and kill it and so its ranks once a checkpoint is committed."""
    out.mkdir(parents=True)
    job = [section.model_dump(mode="json"), ranks, *map(str, (dataset, base, out))]
    command = [sys.executable, "-c", CODE, json.dumps(job)]
    launcher = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not list(out.glob(SIGN)):
        assert launcher.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(launcher.pid, signal.SIGKILL)
    launcher.wait()


def rows_of(out):
    return [json.loads(line) for line in (out / "curve.jsonl").read_text().splitlines()]


def curve(out, key="loss"):
    return [row[key] for row in rows_of(out) if key in row]


def weights_of(out):
    files = sorted(out.glob("*.safetensors"))
    return {name: tensor for file in files for name, tensor in load_file(file).items()}

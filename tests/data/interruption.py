"""Runs a data stage in a process of its own and kills it at a chosen place.

Writes what the stage writes; what it was killed over stays as it was.
"""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from importlib import import_module
from pathlib import Path

from pydantic import BaseModel

from devtune.data import chunks
from devtune.data.collect import collect
from devtune.data.instruct import build
from devtune.data.sources import directory_source, git_plan
from devtune.pipeline import BuildSection, CollectSection, LocalExecutor
from devtune.progress import Progress

ROOT = Path(__file__).resolve().parents[2]


def cut_small() -> None:
    """Make units of a few rows, so that a small corpus has many."""
    git_plan.FILES_PER_UNIT = git_plan.COMMITS_PER_UNIT = directory_source.FILES_PER_UNIT = 3
    chunks.BYTES_PER_CHUNK = 4000


def run_until_killed(
    section: BaseModel, out: Path, place: str, *inputs: Path, workers: int = 1
) -> None:
    """Start the stage of `section` and see it die at `place`.

    Places are `module:name`, when that is called; `module:class:3`, when that work has done part 3
    and before it is put in its place, for one worker; `label:3`, when 3 parts are in their places.
    """
    order = {
        "section": section.model_dump(mode="json"), "out": str(out), "place": place,
        "inputs": list(map(str, inputs)), "workers": workers,
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.data.interruption"]
    out.mkdir(exist_ok=True)
    done = subprocess.run(
        command, input=json.dumps(order), capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr


def _arm(place: str, out: Path) -> None:
    first, *rest = place.split(":")
    if "." not in first:
        threading.Thread(target=_watch, args=(out / "scratch/parts" / first, int(rest[0]))).start()
        return
    module = import_module(first)
    if len(rest) == 1:
        setattr(module, rest[0], lambda *_, **__: _die())
        return
    work, index = getattr(module, rest[0]), int(rest[1])
    call = work.__call__

    def die_afterwards(self: object, unit: object, part: Path) -> None:
        call(self, unit, part)
        if part.name.startswith(f"{index:06}"):
            _die()

    work.__call__ = die_afterwards


def _watch(parts: Path, number: int) -> None:
    while len(list(parts.glob("??????"))) < number:
        time.sleep(0.001)
    _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _main() -> None:
    order = json.load(sys.stdin)
    cut_small()
    _arm(order["place"], Path(order["out"]))
    inputs = [Path(each) for each in order["inputs"]]
    executor = LocalExecutor(type="local", workers=order["workers"])
    stage, kind = (build, BuildSection) if inputs else (collect, CollectSection)
    section = kind.model_validate(order["section"])
    stage(section, executor, *inputs, Path(order["out"]), Progress("quiet", io.StringIO()))


if __name__ == "__main__":
    _main()

"""One array job of SLURM: submitted, watched, ended, all under a name of its own.

Hands a datatrove executor to `sbatch` in files of its log directory; asks `squeue`.
"""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dill

from devtune.data.signals import held_back
from devtune.errors import DevtuneError

SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_BETWEEN_QUESTIONS = 5.0
SECONDS_OF_LAST_LOOKS = 10.0
"""A shared file system shows what a finished job wrote a little later."""
SECONDS_OF_SILENCE = 600.0
"""A controller that is restarted answers nothing for minutes, while its jobs go on."""
SECONDS_TO_LEAVE = 120.0
PROGRAMS = ("sbatch", "squeue", "scancel")
OF_THE_CLUSTER = frozenset({"SLURM_CONF", "SLURM_CLUSTERS", "SLURM_JWT"})
HOPELESS = frozenset(
    {
        "AccountNotAllowed",
        "BadConstraints",
        "DependencyNeverSatisfied",
        "InvalidAccount",
        "InvalidQOS",
        "JobHeldAdmin",
        "JobHeldUser",
        "PartitionNodeLimit",
        "PartitionTimeLimit",
        "QOSNotAllowed",
        "launch failed requeued held",
    }
)
"""Reasons for waiting that do not pass by themselves."""


@dataclass(frozen=True, slots=True)
class ArrayJob:
    """The job of one step in one run directory; no other job of this user has its name."""

    name: str
    logs: Path

    @classmethod
    def of(cls, logs: Path) -> "ArrayJob":
        """The job whose logs stand in `logs`. Raises `DevtuneError` where there is no SLURM."""
        if absent := [each for each in PROGRAMS if shutil.which(each) is None]:
            raise DevtuneError(
                f"executor: type slurm needs {absent[0]} on the PATH; start this on a host that"
                " submits jobs, or take type local"
            )
        place = hashlib.sha256(os.fsencode(logs.resolve())).hexdigest()
        return cls(f"devtune-{logs.name}-{place[:12]}", logs)

    def run(self, engine: Any, is_done: Callable[[], bool]) -> None:
        """Submit `engine` and return when `is_done` says so and the job has left the queue.

        Raises what `is_done` raises, or `DevtuneError` for a job that SLURM refuses, holds for
        ever or has ended before all is done. Whatever is raised, the job is cancelled first.
        """
        self._end_former()
        try:
            with held_back():
                self._submit(engine)
            self._wait(is_done)
        except BaseException:
            _ask("scancel", "--name", self.name, "--user", str(os.getuid()))
            raise
        self._leave()

    def _submit(self, engine: Any) -> None:
        """Do what `engine.run` does, but keep what sbatch says off the terminal."""
        engine_file = self.logs / "executor.pik"
        engine_file.write_bytes(dill.dumps(engine, fmode=dill.CONTENTS_FMODE))
        ranks = json.dumps(list(range(engine.tasks)))
        (self.logs / "ranks_to_run.json").write_text(ranks, encoding="utf-8")
        options = engine.get_sbatch_args(engine.tasks)
        flags = [f"--{name}={value}" if value else f"--{name}" for name, value in options.items()]
        script = shlex.join(
            (sys.executable, "-m", "datatrove.tools.launch_pickled_pipeline", str(engine_file))
        )
        answer = _ask("sbatch", "--parsable", *flags, script=f"#!/bin/bash\nexec {script}\n")
        if answer.returncode != 0:
            raise DevtuneError(
                f"executor: sbatch: {_reason(answer)}; correct the `executor` section"
            )

    def _wait(self, is_done: Callable[[], bool]) -> None:
        last_look, last_answer = None, time.monotonic()
        for _ in _moments(is_done):
            answer = self._squeue()
            now = time.monotonic()
            if answer.returncode != 0:
                self._bear_silence(now - last_answer, answer)
                continue
            last_answer = now
            if elements := answer.stdout.splitlines():
                last_look = None
                self._refuse_hopeless(elements)
            elif last_look is None:
                last_look = now + SECONDS_OF_LAST_LOOKS
            elif now > last_look and not is_done():
                raise DevtuneError(
                    f"executor: SLURM job {self.name} ended before its work was done; see why in"
                    f" {self.logs / 'slurm_logs'} and run the same command again to go on"
                )

    def _refuse_hopeless(self, elements: list[str]) -> None:
        states = [each.split("|", 1) for each in elements]
        reasons = [reason for _, reason in states if reason in HOPELESS]
        if reasons and all(state == "PENDING" for state, _ in states):
            raise DevtuneError(
                f"executor: SLURM job {self.name} would wait for ever ({reasons[0]});"
                " correct the `executor` section"
            )

    def _bear_silence(self, seconds: float, answer: "subprocess.CompletedProcess[str]") -> None:
        if seconds > SECONDS_OF_SILENCE:
            raise DevtuneError(
                f"executor: squeue: {_reason(answer)}; run the same command again to go on"
            )

    def _end_former(self) -> None:
        """End what a launcher that was killed left in the queue."""
        answer = self._squeue()
        if answer.returncode != 0:
            raise DevtuneError(
                f"executor: squeue: {_reason(answer)}; take type local, or wait for SLURM"
            )
        if answer.stdout.strip():
            _ask("scancel", "--name", self.name, "--user", str(os.getuid()))
            self._leave()

    def _leave(self) -> None:
        """Wait until no process of the job can write any more."""
        deadline = time.monotonic() + SECONDS_TO_LEAVE
        while (answer := self._squeue()).returncode != 0 or answer.stdout.strip():
            if time.monotonic() > deadline:
                raise DevtuneError(
                    f"executor: SLURM job {self.name} does not leave the queue; scancel it and run"
                    " the same command again to go on"
                )
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def _squeue(self) -> "subprocess.CompletedProcess[str]":
        user = str(os.getuid())
        return _ask(
            "squeue", "--noheader", "--name", self.name, "--user", user, "--format", "%T|%r"
        )


def _moments(is_done: Callable[[], bool]) -> Iterator[None]:
    """Pass the time until all is done, and yield whenever it is time to ask SLURM."""
    next_question = 0.0
    while not is_done():
        if time.monotonic() > next_question:
            yield
            next_question = time.monotonic() + SECONDS_BETWEEN_QUESTIONS
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _ask(*command: str, script: str = "") -> "subprocess.CompletedProcess[str]":
    """Ask SLURM as from outside of any job, in a session that Ctrl-C does not reach."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SLURM_") or name in OF_THE_CLUSTER
    }
    return subprocess.run(
        command,
        input=script,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )


def _reason(answer: "subprocess.CompletedProcess[str]") -> str:
    """What a program of SLURM said, without its name before each line."""
    said: list[str] = []
    for line in answer.stderr.splitlines():
        for prefix in (*(f"{each}: " for each in PROGRAMS), "error: ", "fatal: "):
            line = line.removeprefix(prefix)  # noqa: PLW2901
        if line.strip() and line not in said:
            said.append(line)
    return ", ".join(said) or f"exit code {answer.returncode}"

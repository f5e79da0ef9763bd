import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devtune.data.parts import Run, run_parts
from devtune.errors import DevtuneError
from devtune.pipeline import SlurmExecutor
from devtune.progress import Progress
from tests.data.slurm import wait_for

SECRET = "Zq83" + "jdK7AbX1zz"


@dataclass(frozen=True)
class Squaring:
    forbidden: int = -1
    broken: int = -1
    gate: Path | None = None

    def __call__(self, unit: Any, out: Path) -> None:
        if unit == self.forbidden:
            raise DevtuneError(f"unit {unit}: refused; ask for another")
        if unit == self.broken:
            raise ValueError(SECRET)
        while self.gate and unit and not self.gate.exists():
            time.sleep(0.1)
        (out / "value").write_text(str(unit * unit))
        (out / "where").write_text(f"{os.getpid()} {os.environ.get('SLURMD_NODENAME')}")


def executor(**values: Any) -> SlurmExecutor:
    asked = {"type": "slurm", "workers": 2, "partition": "debug", "time": "00:05:00", **values}
    return SlurmExecutor.model_validate(asked)


def do(folder: Path, units: list[int], work: Squaring, **values: Any) -> list[str]:
    run = Run(folder, executor(**values), Progress("quiet"), "collect")
    return [(part / "value").read_text() for part in run_parts("square", units, work, run)]


def fault_of(folder: Path, work: Squaring, **values: Any) -> str:
    with pytest.raises(DevtuneError) as caught:
        do(folder, [0, 1, 2, 3], work, **values)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def texts_below(folder: Path) -> str:
    files = [each for each in folder.rglob("*") if each.is_file()]
    assert files
    return "".join(each.read_bytes().decode("utf-8", "replace") for each in files)


def start(folder: Path, gate: Path) -> subprocess.Popen[str]:
    code = (
        "import signal, sys; from pathlib import Path\n"
        "from tests.data.test_array_job import Squaring, do\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
        "do(Path(sys.argv[1]), [0, 1, 2, 3], Squaring(gate=Path(sys.argv[2])))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(gate)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def parts_of(folder: Path) -> dict[str, int]:
    out = folder / "parts" / "square"
    found = out.glob("[0-9]" * 6)
    return {each.name: each.stat().st_mtime_ns for each in found}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "a run"


def test_slurm_does_all_parts_and_leaves_nothing_in_the_queue(cluster, folder, capfd):
    assert do(folder, [5, 1, 4, 2, 3], Squaring()) == ["25", "1", "16", "4", "9"]
    assert cluster.jobs() == []
    where = [each.read_text().split() for each in folder.rglob("where")]
    assert str(os.getpid()) not in {process for process, _ in where}
    assert {node for _, node in where} <= {"one", "two"}
    assert capfd.readouterr() == ("", "")


def test_the_fault_of_a_task_is_the_one_line_that_is_raised(cluster, folder):
    assert fault_of(folder, Squaring(forbidden=2)) == "unit 2: refused; ask for another"
    assert do(folder, [0, 1, 2, 3], Squaring()) == ["0", "1", "4", "9"]


def test_an_error_of_ours_is_told_by_its_place_and_no_log_holds_its_message(cluster, folder):
    fault = fault_of(folder, Squaring(broken=1))
    assert fault.startswith("square: ValueError at test_array_job.py:")
    assert fault.endswith(f"report it with {folder}/parts/square/trace")
    assert "in __call__" in (folder / "parts" / "square" / "trace").read_text()
    assert SECRET not in texts_below(folder)


@pytest.mark.slow
def test_a_cancelled_job_is_one_line_and_its_whole_parts_stay(cluster, folder, tmp_path):
    gate = tmp_path / "gate"

    def cancel() -> None:
        wait_for(lambda: parts_of(folder), "a part is whole")
        cluster.ask("scancel", "--user", str(os.getuid()))

    thread = threading.Thread(target=cancel)
    thread.start()
    fault = fault_of(folder, Squaring(gate=gate))
    thread.join()
    assert "ended before its work was done; see why in" in fault
    assert fault.endswith("slurm_logs and run the same command again to go on")
    before = parts_of(folder)
    assert before
    gate.touch()
    assert do(folder, [0, 1, 2, 3], Squaring(gate=gate)) == ["0", "1", "4", "9"]
    assert {name: parts_of(folder)[name] for name in before} == before


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_launcher_that_is_stopped_cancels_its_job(cluster, folder, tmp_path, sign):
    launcher = start(folder, tmp_path / "gate")
    wait_for(lambda: parts_of(folder), "a part is whole")
    os.killpg(launcher.pid, sign)
    launcher.communicate(timeout=30)
    wait_for(lambda: not cluster.jobs(), "the job is gone")


@pytest.mark.slow
def test_after_a_killed_launcher_the_next_ends_its_job_and_goes_on(cluster, folder, tmp_path):
    gate = tmp_path / "gate"
    launcher = start(folder, gate)
    wait_for(lambda: parts_of(folder), "a part is whole")
    launcher.kill()
    launcher.communicate()
    left, before = cluster.jobs(), parts_of(folder)
    assert left
    second = start(folder, gate)
    wait_for(lambda: cluster.jobs() and not {*cluster.jobs()} & {*left}, "the first job is gone")
    gate.touch()
    assert second.communicate(timeout=60) == ("", "")
    after = parts_of(folder)
    assert len(after) == 4
    assert {name: after[name] for name in before} == before


def test_a_launcher_may_itself_be_a_task_of_an_array_job(cluster, folder, tmp_path):
    (tmp_path / "gate").touch()
    program = "from tests.data.test_array_job import *; "
    call = f"do(Path({str(folder)!r}), [0, 1, 2, 3], Squaring())"
    script = f'#!/bin/bash\n{sys.executable} -c "{program}{call}"\n'
    (tmp_path / "script").write_text(script)
    options = ("--array=3-3", "--mem=1G", f"--output={tmp_path}/out", str(tmp_path / "script"))
    cluster.ask("sbatch", *options)
    wait_for(lambda: len(parts_of(folder)) == 4, "all parts are whole")
    wait_for(lambda: not cluster.jobs(), "the queue is empty")
    assert (tmp_path / "out").read_text() == ""


def test_a_partition_that_is_not_there_is_told_in_the_words_of_sbatch(cluster, folder, capfd):
    assert fault_of(folder, Squaring(), partition="nowhere") == (
        "executor: sbatch: invalid partition specified: nowhere, Batch job submission failed:"
        " Invalid partition name specified; correct the `executor` section"
    )
    assert capfd.readouterr() == ("", "")


def test_a_job_that_would_wait_for_ever_is_cancelled_and_told(cluster, folder):
    fault = fault_of(folder, Squaring(), time="23:00:00")
    assert fault.startswith("executor: SLURM job devtune-square-")
    assert fault.endswith(
        "would wait for ever (PartitionTimeLimit); correct the `executor` section"
    )
    wait_for(lambda: not cluster.jobs(), "the job is gone")


def test_a_controller_that_does_not_answer_is_one_line(cluster, folder, tmp_path, monkeypatch):
    configuration = Path(os.environ["SLURM_CONF"]).read_text().splitlines()
    lines = [line for line in configuration if not line.startswith("SlurmctldPort")]
    file = tmp_path / "slurm.conf"
    file.write_text("\n".join([*lines, "SlurmctldPort=1", "MessageTimeout=2", ""]))
    monkeypatch.setenv("SLURM_CONF", str(file))
    fault = fault_of(folder, Squaring())
    assert fault.startswith("executor: squeue: ")
    assert fault.endswith("; take type local, or wait for SLURM")


def test_without_sbatch_nothing_is_started(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert fault_of(folder, Squaring()) == (
        "executor: type slurm needs sbatch on the PATH; start this on a host that submits jobs,"
        " or take type local"
    )
    assert shutil.which("sbatch") is None

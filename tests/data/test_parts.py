import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devtune.data.parts import Run, run_parts
from devtune.errors import DevtuneError
from devtune.pipeline import LocalExecutor, RayExecutor
from devtune.progress import Progress

ONE = LocalExecutor(type="local", workers=1)
TWO = LocalExecutor(type="local", workers=2)


@dataclass(frozen=True)
class Doubling:
    forbidden: int = -1

    def __call__(self, unit: Any, out: Path) -> None:
        if unit == self.forbidden:
            raise DevtuneError(f"unit {unit}: refused; ask for another")
        (out / "value").write_text(str(2 * unit))
        (out / "process").write_text(str(os.getpid()))


def run(tmp_path: Path, executor: Any) -> Run:
    return Run(tmp_path, executor, Progress("quiet"), "collect")


def values(parts: list[Path]) -> list[str]:
    return [(part / "value").read_text() for part in parts]


@pytest.mark.parametrize("executor", [ONE, TWO])
def test_every_unit_becomes_one_part_in_the_order_of_the_units(tmp_path, executor):
    parts = run_parts("double", [5, 1, 4, 2, 3], Doubling(), run(tmp_path, executor))
    assert values(parts) == ["10", "2", "8", "4", "6"]


def test_several_workers_are_several_processes(tmp_path):
    parts = run_parts("double", list(range(6)), Doubling(), run(tmp_path, TWO))
    processes = {(part / "process").read_text() for part in parts}
    assert str(os.getpid()) not in processes


def test_what_is_done_is_not_done_again(tmp_path):
    parts = run_parts("double", [1, 2], Doubling(), run(tmp_path, ONE))
    (parts[0] / "value").write_text("kept")
    assert values(run_parts("double", [1, 2], Doubling(), run(tmp_path, ONE))) == ["kept", "4"]


@pytest.mark.parametrize("executor", [ONE, TWO])
def test_a_fault_in_one_part_is_the_one_line_that_is_raised(tmp_path, executor):
    with pytest.raises(DevtuneError) as caught:
        run_parts("double", [1, 2, 3, 4], Doubling(forbidden=3), run(tmp_path, executor))
    assert str(caught.value) == "unit 3: refused; ask for another"


def test_after_a_fault_the_parts_that_are_whole_stay_and_nothing_half_written(tmp_path):
    with pytest.raises(DevtuneError, match="unit 3"):
        run_parts("double", [1, 2, 3], Doubling(forbidden=3), run(tmp_path, ONE))
    folders = sorted(each.name for each in (tmp_path / "parts" / "double").iterdir())
    assert folders == ["000000", "000001"]
    assert values(run_parts("double", [1, 2, 3], Doubling(), run(tmp_path, ONE)))[2] == "6"


def test_the_executor_prints_nothing_of_its_own(tmp_path, capfd):
    run_parts("double", list(range(6)), Doubling(), run(tmp_path, TWO))
    assert capfd.readouterr() == ("", "")


def test_ray_without_its_package_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    executor = RayExecutor(type="ray", workers=2)
    with pytest.raises(DevtuneError, match="type ray needs the package ray; install it"):
        run_parts("double", [1, 2, 3], Doubling(), run(tmp_path, executor))


SLOW = """
import sys, time
from pathlib import Path
from devtune.data.parts import Run, run_parts
from devtune.pipeline import LocalExecutor
from devtune.progress import Progress

def work(unit, out):
    time.sleep(0.2)
    (out / "value").write_text(str(unit))

run_parts("slow", list(range(20)), work,
          Run(Path(sys.argv[1]), LocalExecutor(type="local", workers=1), Progress("quiet"), "x"))
"""


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", SLOW, str(tmp_path)])
    folder = tmp_path / "parts" / "slow"
    deadline = time.monotonic() + 60
    while not (folder / "000002").is_dir():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    done = {each.name: each.stat().st_mtime_ns for each in folder.iterdir() if len(each.name) == 6}
    assert 3 <= len(done) < 20

    def work(unit: Any, out: Path) -> None:
        (out / "value").write_text(str(unit))

    parts = run_parts("slow", list(range(20)), work, run(tmp_path, ONE))
    assert values(parts) == [str(each) for each in range(20)]
    assert {name: (folder / name).stat().st_mtime_ns for name in done} == done


def test_a_plan_is_readable_json(tmp_path):
    run_parts("two words", [{"a": 1}], lambda unit, out: None, run(tmp_path, ONE))
    assert json.loads((tmp_path / "plan" / "two_words" / "000000.json").read_text()) == {"a": 1}

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from devtune.errors import DevtuneError
from devtune.launch.local import launch
from devtune.recipe import ClusterSection

ONE = ClusterSection()


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Launch a module made of the given lines, which gets the resolved file as sys.argv[1]."""
    monkeypatch.setenv("PYTHONPATH", path_with(tmp_path))
    (tmp_path / "made").mkdir()

    def start(*lines, cluster=ONE):
        (tmp_path / "made" / "job.py").write_text("\n".join(lines), encoding="utf-8")
        resolved = tmp_path / "resolved.json"
        resolved.write_text("{}", encoding="utf-8")
        events = []
        launch("made.job", resolved, cluster, events.append, distributed=False)
        return events

    return start


def path_with(folder):
    return os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])


WRITE = "out = __import__('pathlib').Path(__import__('sys').argv[1]).parent"


def test_events_arrive_in_order_and_whole(run):
    lines = [WRITE, "f = open(out / 'events.jsonl', 'a')"]
    lines += [f"f.write('{{\"step\": {n}'); f.flush(); f.write('}}\\n')" for n in range(5)]
    assert run(*lines) == [{"step": n} for n in range(5)]


def test_the_line_a_rank_leaves_is_the_error(run):
    fail = "from devtune.launch.mailbox import leave_error as leave; leave(out, 'the disk is full'"
    fail += " '; free some', 7); leave(out, 'another rank fails too'); exit(1)"
    with pytest.raises(DevtuneError, match="^the disk is full; free some$") as raised:
        run(WRITE, fail)
    assert raised.value.exit_code == 7


def test_a_crash_is_named_by_its_last_line_and_its_log(run):
    with pytest.raises(DevtuneError, match=r"a rank failed: ValueError: seven; log: .*job.log"):
        run("raise ValueError('seven')")


def test_a_killed_rank_says_by_what_and_how_to_go_on(run):
    with pytest.raises(DevtuneError, match=r"killed by SIGKILL; run the same command again"):
        run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")


def test_several_nodes_are_not_started_on_one_machine(run):
    with pytest.raises(DevtuneError, match="4 nodes and this is one machine"):
        run("pass", cluster=ClusterSection(nodes=4))


SLEEPER = """
import os, pathlib, sys, time
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
time.sleep(60)
"""
# What torchrun is to a rank: dead before the rank has asked the kernel to be killed with it.
BETWEEN = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", LATE, sys.argv[1]])
time.sleep(60)
"""
LATE = """
import os, pathlib, sys, time
from devtune.launch.local import die_with_parent
parent = os.getppid()
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
while os.getppid() == parent:
    time.sleep(0.01)
die_with_parent()
time.sleep(60)
"""


@pytest.mark.parametrize("job", [SLEEPER, f"LATE = {LATE!r}\n{BETWEEN}"])
def test_no_rank_outlives_its_launcher(job, tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "job.py").write_text(job, encoding="utf-8")
    resolved = tmp_path / "resolved.json"
    resolved.write_text(json.dumps({}), encoding="utf-8")
    program = (
        "import sys; from pathlib import Path; from devtune.launch.local import launch;"
        "from devtune.recipe import ClusterSection;"
        "launch('made.job', Path(sys.argv[1]), ClusterSection(), print, distributed=False)"
    )
    environment = {**os.environ, "PYTHONPATH": path_with(tmp_path)}
    launcher = subprocess.Popen([sys.executable, "-c", program, str(resolved)], env=environment)
    wait_for(lambda: resolved.read_text(encoding="utf-8").isdigit())
    rank = int(resolved.read_text(encoding="utf-8"))
    launcher.send_signal(signal.SIGKILL)
    launcher.wait()
    wait_for(lambda: not is_running(rank))


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:  # noqa: PTH123
            return file.read().split()[2] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)

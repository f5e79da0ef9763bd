import importlib.util
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devtune.data.parts import Run, run_parts
from devtune.data.sealed import KEY
from devtune.errors import DevtuneError
from devtune.pipeline import LocalExecutor
from devtune.progress import Progress
from tests.data.slurm import ROOT, free_ports, wait_for

SLURM = 'executor={type: slurm, workers: 2, partition: debug, time: "00:05:00"}'
LOCAL = "executor={type: local, workers: 2}"
RAY = "executor={type: ray, workers: 2}"
RECIPE = """
use: [{root}/configs/model/breeze.yaml, {root}/configs/adapter/lora.yaml,
      {root}/configs/cluster/cpu.yaml, {root}/data_prep/pipelines/quickstart.yaml]
run_dir: run
collect: {{sources: [{{type: git, path: app}}]}}
render: {{max_length: 768}}
train: {{type: sft, max_steps: 1, max_length: 768, per_device_train_batch_size: 1}}
"""


@dataclass(frozen=True)
class Waiting:
    gate: Path
    dies: bool = False
    fails: bool = False

    def __call__(self, unit: Any, out: Path) -> None:
        if unit == 1 and self.fails:
            raise DevtuneError(f"unit {unit}: refused; ask for another")
        while unit and not self.gate.exists():
            if self.dies:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(0.05)
        (out / "value").write_text(str(unit))


def skip_without_ray() -> None:
    if importlib.util.find_spec("ray") is None:
        pytest.skip("needs the package ray")


@pytest.fixture(scope="session")
def ray_of_this_session() -> Generator[dict[str, str]]:
    skip_without_ray()
    folder = Path(tempfile.mkdtemp(prefix="ray-"))
    port = free_ports(1)[0]
    known = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    options = (
        "--head",
        "--block",
        f"--port={port}",
        "--num-cpus=2",
        "--memory=8000000000",
        "--object-store-memory=100000000",
        "--include-dashboard=false",
        "--disable-usage-stats",
        f"--temp-dir={folder}",
    )
    with (folder / "out").open("wb") as out:
        head = subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", "start", *options],
            stdout=out,
            stderr=out,
            env={**os.environ, **known, "PYTHONPATH": str(ROOT)},
        )
    try:
        wait_for(lambda: "Ray runtime started" in (folder / "out").read_text(), "Ray has started")
        told = re.search(r"--address='(\S+)'", (folder / "out").read_text())
        assert told
        yield {**known, "RAY_ADDRESS": told[1]}
    finally:
        head.terminate()
        head.wait(timeout=60)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def ray_address(ray_of_this_session, monkeypatch) -> str:
    for name, value in ray_of_this_session.items():
        monkeypatch.setenv(name, value)
    return ray_of_this_session["RAY_ADDRESS"]


@pytest.fixture
def work(tmp_path, make_repository, canaries) -> Path:
    repository = make_repository()
    for number in range(12):
        module = (
            f"def measure_{number}(items):\n"
            f'    """Measure what number {number} weighs among the items."""\n'
            f"    total = {number}\n    for each in items:\n        total += each * {number}\n"
            f"    return total\n"
        )
        files = {f"m{number}.py": module, "settings.py": f"token = '{canaries['github']}'\n"}
        repository.commit(f"Let module {number} measure the items", files)
    (tmp_path / "recipe.yaml").write_text(RECIPE.format(root=ROOT))
    return tmp_path


def command(stage: str, work: Path, executor: str, name: str) -> list[str]:
    values = ["--set", executor, "--set", f"run_dir={work / name}"]
    return [sys.executable, "-m", "devtune", stage, str(work / "recipe.yaml"), *values]


def run(stage: str, work: Path, executor: str, name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(stage, work, executor, name), capture_output=True, text=True, check=False
    )


def start(stage: str, work: Path, executor: str, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(stage, work, executor, name),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def results(folder: Path) -> dict[str, Any]:
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    found: dict[str, Any] = {str(each.relative_to(folder)): each.read_bytes() for each in files}
    for name in ("corpus/manifest.json", "samples/manifest.json"):
        manifest = json.loads(found[name])
        found[name] = {key: manifest[key] for key in ("fingerprint", "files", "summary", "counts")}
    return found


def same_as_here(work: Path, executor: str) -> None:
    said = []
    for stage in ("collect", "build"):
        for name, chosen in (("here", LOCAL), ("there", executor)):
            answer = run(stage, work, chosen, name)
            assert (answer.returncode, answer.stderr) == (0, "")
            said += answer.stdout.splitlines()
    assert all(line.split()[0] in ("collect", "build") for line in said)
    here, there = results(work / "here"), results(work / "there")
    assert "ghp_" not in here["corpus/files.jsonl"].decode()
    assert here["samples/train.jsonl"]
    assert here == there


@pytest.mark.slow
def test_slurm_makes_the_same_bytes_as_processes_here(cluster, work):
    same_as_here(work, SLURM)
    assert cluster.jobs() == []


@pytest.mark.slow
def test_ray_makes_the_same_bytes_as_processes_here(ray_address, work):
    same_as_here(work, RAY)


@pytest.mark.slow
def test_a_fault_in_a_task_of_ray_is_one_line_and_the_run_goes_on(ray_address, tmp_path):
    launcher = launch(tmp_path, "ray", "fails")
    assert launcher.communicate(timeout=100) == ("", "unit 1: refused; ask for another\n")
    logs = [each for each in (tmp_path / "executor").rglob("*.log") if each.read_text()]
    assert logs == []
    (tmp_path / "gate").touch()
    assert launch(tmp_path, "ray").communicate(timeout=100) == ("", "")
    assert len(list(tmp_path.rglob("value"))) == 6


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sign", "word"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")]
)
def test_a_stopped_launcher_ends_its_tasks_of_ray(ray_address, tmp_path, sign, word):
    launcher = launch(tmp_path, "ray")
    wait_for(first_part_is_whole(tmp_path), "a part is whole")
    wait_for(lambda: drafts_of(tmp_path), "a part is begun")
    launcher.send_signal(sign)
    assert launcher.communicate(timeout=60) == ("", f"{word}\n")
    wait_for(lambda: not workers_of(tmp_path), "no worker is left")


@pytest.mark.slow
def test_a_task_no_node_of_ray_has_room_for_is_one_line(ray_address, work):
    large = "executor={type: ray, workers: 1, cpus_per_task: 64, mem_per_cpu_gb: 3}"
    assert run("collect", work, large, "run").stderr == (
        "devtune: error: executor: no node of the Ray cluster has 64 CPUs and 192 GB; lower"
        " executor.cpus_per_task or executor.mem_per_cpu_gb\n"
    )


@pytest.mark.slow
def test_a_ray_cluster_that_does_not_know_us_is_one_line(ray_address, tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "wrong")
    launcher = launch(tmp_path, "ray")
    out, err = launcher.communicate(timeout=100)
    assert (out, err.count("\n")) == ("", 1)
    assert f"executor: no Ray cluster answers ({ray_address}); " in err


def test_without_a_ray_cluster_none_is_started(tmp_path, monkeypatch):
    skip_without_ray()
    address = f"127.0.0.1:{free_ports(1)[0]}"
    monkeypatch.setenv("RAY_ADDRESS", address)
    assert launch(tmp_path, "ray").communicate(timeout=60) == (
        "",
        f"executor: no Ray cluster answers ({address}); start one with `ray start --head`, correct"
        f" RAY_ADDRESS or RAY_AUTH_TOKEN, or take type local; see {tmp_path}/executor/wait\n",
    )


@pytest.mark.parametrize(
    ("sign", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_stopped_command_cancels_its_job_and_says_one_line(cluster, work, sign, code, word):
    cluster.ask("scontrol", "update", "NodeName=one,two", "State=DRAIN", "Reason=test")
    launcher = start("collect", work, SLURM, "run")
    wait_for(cluster.jobs, "the job is in the queue")
    launcher.send_signal(sign)
    out, err = launcher.communicate(timeout=30)
    cluster.ask("scontrol", "update", "NodeName=one,two", "State=RESUME")
    assert err == f"devtune: {word}; run the same command again to go on\n"
    assert launcher.returncode == code
    assert "Traceback" not in out
    wait_for(lambda: not cluster.jobs(), "the job is gone")


def test_a_fault_in_a_task_is_one_line_and_no_log_holds_text_or_key(
    cluster, work, make_repository, canaries
):
    repository = make_repository()
    blob = repository.git("rev-parse", "HEAD:m3.py")
    repository.spoil(blob, "garbage")
    answer = run("collect", work, SLURM, "run")
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"devtune: error: {repository.path}: damaged or incomplete")
    assert answer.stderr.count("\n") == 1
    scratch = work / "run" / "corpus.partial" / "scratch"
    key = (scratch / KEY).read_bytes()
    folder = scratch / "executor" / "read"
    assert folder.stat().st_mode & 0o077 == 0
    logs = [each for each in folder.rglob("*") if each.is_file() and each.suffix != ".pik"]
    text = b"".join(each.read_bytes() for each in logs)
    assert any(each.parent.name == "slurm_logs" for each in logs)
    unwanted = (key, repr(key).encode()[2:-1], canaries["github"].encode(), b"Measure what")
    assert not [each for each in unwanted if each in text]


def launch(tmp_path: Path, kind: str = "local", how: str = "waits") -> subprocess.Popen[str]:
    code = (
        "import signal, sys; from pathlib import Path\n"
        "from devtune.errors import DevtuneError\n"
        "from devtune.pipeline import LocalExecutor, RayExecutor\n"
        "from tests.data.test_executors import do_here\n"
        "types = {'local': LocalExecutor, 'ray': RayExecutor}\n"
        "executor = types[sys.argv[2]](type=sys.argv[2], workers=2)\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit('terminated'))\n"
        "try:\n    do_here(Path(sys.argv[1]), executor, fails=sys.argv[3] == 'fails')\n"
        "except KeyboardInterrupt:\n    sys.exit('interrupted')\n"
        "except DevtuneError as error:\n    sys.exit(str(error))\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), kind, how],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def do_here(tmp_path: Path, executor: Any = None, **values: Any) -> list[str]:
    chosen = executor or LocalExecutor(type="local", workers=2)
    work = Waiting(tmp_path / "gate", **values)
    parts = run_parts(
        "wait", list(range(6)), work, Run(tmp_path, chosen, Progress("quiet"), "collect")
    )
    return [(each / "value").read_text() for each in parts]


def processes_of(session: int) -> list[int]:
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            fields = (each / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(each.name))
    return found


def drafts_of(tmp_path: Path) -> list[str]:
    return [each.name for each in (tmp_path / "parts" / "wait").glob("*.*-*-*")]


def workers_of(tmp_path: Path) -> list[str]:
    processes = [name.rpartition("-")[2] for name in drafts_of(tmp_path)]
    return [each for each in processes if Path("/proc", each).exists()]


def first_part_is_whole(tmp_path: Path) -> Callable[[], bool]:
    return (tmp_path / "parts" / "wait" / "000000").is_dir


@pytest.mark.parametrize(
    ("sign", "word"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")]
)
def test_a_signal_to_all_processes_is_answered_by_the_launcher_alone(tmp_path, sign, word):
    launcher = launch(tmp_path)
    wait_for(first_part_is_whole(tmp_path), "a part is whole")
    os.killpg(launcher.pid, sign)
    assert launcher.communicate(timeout=30) == ("", f"{word}\n")
    wait_for(lambda: not processes_of(launcher.pid), "no process is left")


def test_a_killed_launcher_leaves_no_process_that_would_hold_its_lock(tmp_path):
    launcher = launch(tmp_path)
    wait_for(first_part_is_whole(tmp_path), "a part is whole")
    launcher.kill()
    launcher.wait()
    wait_for(lambda: not processes_of(launcher.pid), "no process is left")
    (tmp_path / "gate").touch()
    assert do_here(tmp_path) == [str(each) for each in range(6)]


def test_a_script_without_a_guard_is_not_run_by_its_workers(tmp_path):
    (tmp_path / "gate").touch()
    script = tmp_path / "script.py"
    script.write_text(
        "import sys; from pathlib import Path; from tests.data.test_executors import do_here\n"
        "print(do_here(Path(sys.argv[1])))\n"
    )
    answer = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (answer.stdout, answer.stderr) == (f"{[str(each) for each in range(6)]}\n", "")


def test_a_fault_ends_the_parts_that_others_are_at(tmp_path):
    launcher = launch(tmp_path, how="fails")
    assert launcher.communicate(timeout=60) == ("", "unit 1: refused; ask for another\n")
    wait_for(lambda: not processes_of(launcher.pid), "no process is left")


def test_a_worker_that_is_killed_is_one_line(tmp_path):
    with pytest.raises(DevtuneError) as caught:
        do_here(tmp_path, dies=True)
    assert str(caught.value) == (
        "executor: a worker was killed, most likely for want of memory; lower executor.workers"
        " and run the same command again to go on"
    )
    (tmp_path / "gate").touch()
    assert do_here(tmp_path) == [str(each) for each in range(6)]

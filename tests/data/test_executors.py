import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from devtune.data.sealed import KEY
from devtune.errors import DevtuneError
from tests.data import ray_cluster
from tests.data.launcher import (
    do_here,
    drafts_of,
    first_part_is_whole,
    launch,
    processes_of,
    workers_of,
)
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
    if absent := ray_cluster.missing():
        pytest.skip(absent)
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
        "import sys; from pathlib import Path; from tests.data.launcher import do_here\n"
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

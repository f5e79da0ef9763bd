import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo")
SBIN = ("/usr/sbin", "/sbin")
NODES = ("one", "two")
SECONDS_TO_START = 60
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={socket},cred_expire=5
CredType=cred/munge
SlurmctldPort={controller_port}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
StateSaveLocation={folder}/state
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmdLogFile={folder}/slurmd.%n.log
SlurmdSpoolDir={folder}/spool.%n
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,batch_sched_delay=0
MpiDefault=none
MailProg=/bin/true
KillWait=2
MinJobAge=10
ReturnToService=2
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
PartitionName=debug Nodes=ALL Default=YES MaxTime=30 State=UP
"""
NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=2 RealMemory=16000"


@dataclass(frozen=True)
class Cluster:
    environment: dict[str, str]

    def ask(self, *command: str) -> str:
        answer = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        return (answer.stdout + answer.stderr).strip()

    def jobs(self) -> list[str]:
        return self.ask("squeue", "--noheader", "--format", "%j %i %T").splitlines()

    def empty(self) -> None:
        self.ask("scancel", "--user", str(os.getuid()))
        wait_for(lambda: not self.jobs(), "the queue is empty")


def path_with_daemons() -> str:
    return os.pathsep.join((os.environ["PATH"], *SBIN))


def missing() -> str:
    path = path_with_daemons()
    absent = [each for each in PROGRAMS if shutil.which(each, path=path) is None]
    return f"needs slurm-wlm and munge ({', '.join(absent)} not found)" if absent else ""


@contextlib.contextmanager
def cluster() -> Generator[Cluster]:
    # Not under pytest's directory: the path of a socket is at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    environment = {
        **os.environ,
        "PATH": path_with_daemons(),
        "SLURM_CONF": str(folder / "slurm.conf"),
        "PYTHONPATH": str(ROOT),
    }
    _configure(folder)
    running: list[subprocess.Popen[bytes]] = []

    def start(*command: str) -> None:
        with (folder / f"{Path(command[0]).name}.{len(running)}.out").open("wb") as out:
            running.append(
                subprocess.Popen(command, env=environment, stdout=out, stderr=out, cwd=folder)
            )

    try:
        start(*_munged(folder))
        wait_for((folder / "munge.socket").exists, "munged answers")
        start("slurmctld", "-D", "-f", environment["SLURM_CONF"])
        for node in NODES:
            start("slurmd", "-D", "-f", environment["SLURM_CONF"], "-N", node)
        made = Cluster(environment)
        idle = ("sinfo", "--noheader", "--states=idle", "--format=%D")
        wait_for(lambda: made.ask(*idle) == str(len(NODES)), f"both nodes are idle in {folder}")
        yield made
    finally:
        for each in reversed(running):
            _stop(each)
    shutil.rmtree(folder, ignore_errors=True)


def _configure(folder: Path) -> None:
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(128))
    (folder / "state").mkdir()
    for node in NODES:
        (folder / f"spool.{node}").mkdir()
    controller_port, *ports = free_ports(1 + len(NODES))
    host = socket.gethostname().split(".")[0]
    text = CONFIGURATION.format(
        host=host,
        user=pwd.getpwuid(os.getuid()).pw_name,
        socket=folder / "munge.socket",
        controller_port=controller_port,
        folder=folder,
    )
    nodes = [
        NODE.format(name=name, host=host, port=port)
        for name, port in zip(NODES, ports, strict=True)
    ]
    (folder / "slurm.conf").write_text("\n".join((text, *nodes, "")))


def _munged(folder: Path) -> tuple[str, ...]:
    return (
        "munged",
        "--foreground",
        "--force",
        f"--key-file={folder / 'munge.key'}",
        f"--socket={folder / 'munge.socket'}",
        f"--pid-file={folder / 'munged.pid'}",
        f"--seed-file={folder / 'munged.seed'}",
        f"--log-file={folder / 'munged.log'}",
    )


def free_ports(number: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def wait_for(is_so: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.1)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

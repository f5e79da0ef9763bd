"""Starts the ranks of one job on this machine and ends with them.

The ranks read one resolved file; what they and the launcher tell each other is in the mailbox.
Their own output goes to `<stage>.log` there.
"""

import ctypes
import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from devtune.errors import DevtuneError
from devtune.launch.extensions import extensions
from devtune.launch.mailbox import (
    DUE,
    ERROR,
    EVENTS,
    STACKS,
    STOPPED,
    ask_to_stop,
    forget_to_stop,
    read,
)
from devtune.recipe import ClusterSection

POLL_SECONDS = 0.2
STOP_SECONDS = 20
STACK_SECONDS = 5
"""What other ranks get to write their stacks after the first one has."""
PR_SET_PDEATHSIG = 1
LAUNCHER = "DEVTUNE_LAUNCHER_PID"
FULL_BYTES = 1 << 16
FATAL = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS)
TORCHRUN_SIGNAL = re.compile(r"exitcode\s*:\s*-(\d+)")

Tell = Callable[[dict[str, Any]], None]


class _Hanging(DevtuneError):
    """A rank makes no progress."""


class _Failed(DevtuneError):
    """A rank's own line, with the exit code it asks for."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def launch(
    module: str, resolved: Path, cluster: ClusterSection, tell: Tell, *, distributed: bool
) -> None:
    """Run `python -m module resolved.json` once, or on every rank through torchrun.

    Returns when all ranks ended well, also after they were asked to stop: the first SIGINT or
    SIGTERM asks, the second ends them. Raises `DevtuneError` with a rank's own line, or the last
    line of the log when it had no time to say one. The ranks never outlive this process.
    """
    if cluster.nodes > 1:
        raise DevtuneError(
            f"the recipe's cluster has {cluster.nodes} nodes and this is one machine;"
            " starting several is not built yet: set cluster.nodes=1"
        )
    out = resolved.parent
    log = out / f"{module.split('.')[1]}.log"
    command = _command(module, resolved, cluster, distributed)
    with log.open("a", encoding="utf-8") as sink, extensions() as environment:
        ranks = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=os.environ | environment | {LAUNCHER: str(os.getpid())},
            preexec_fn=die_with_parent,
            start_new_session=True,
        )
        try:
            with _politely(out):
                for event in _events(out, ranks, cluster.processes_per_node):
                    tell(event)
        except (KeyboardInterrupt, SystemExit, _Hanging):
            _stop(ranks, (signal.SIGKILL,))  # they were asked once, or would not answer
            raise
        except BaseException:
            _stop(ranks)
            raise
    forget_to_stop(out)
    # A signal to all processes of a job ends torchrun too, after its ranks have saved.
    if ranks.returncode != 0 and not read(out, STOPPED):
        code = int((read(out, ERROR) or {}).get("exit_code", 1))
        raise _Failed(_why(out, log, ranks.returncode), code)


@contextmanager
def _politely(out: Path) -> Generator[None]:
    """Let the first signal ask the ranks to save and end; the next one is as it was before."""
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for each, handler in before.items():
            signal.signal(each, handler)

    def ask(*_: object) -> None:
        ask_to_stop(out)
        restore()

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is told of signals
        return
    for each in before:
        signal.signal(each, ask)
    try:
        yield
    finally:
        restore()


def _command(module: str, resolved: Path, cluster: ClusterSection, distributed: bool) -> list[str]:
    num_processes = cluster.processes_per_node
    if num_processes == 1 and not distributed:
        return [sys.executable, "-m", module, str(resolved)]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    return [*torchrun, f"--nproc-per-node={num_processes}", "-m", module, str(resolved)]


def _events(out: Path, ranks: subprocess.Popen[bytes], num_ranks: int) -> Iterator[dict[str, Any]]:
    """Follow the events until the ranks end; a half-written last line waits for its rest."""
    source: TextIO | None = None
    pending, file = "", out / EVENTS
    while True:
        ended = ranks.poll() is not None
        if source is None and file.exists():
            source = file.open(encoding="utf-8")
        pending += source.read() if source else ""
        *lines, pending = pending.split("\n")
        yield from (json.loads(line) for line in lines)
        if ended:
            break
        if _stacks(out) or _is_overdue(out):
            time.sleep(STACK_SECONDS)
            raise _Hanging(_who_hangs(out, num_ranks))
        time.sleep(POLL_SECONDS)
    if source:
        source.close()


def _stacks(out: Path) -> dict[int, str]:
    """Return the stacks that ranks without progress have written, by rank."""
    files = (out / STACKS).glob("rank-*.txt")
    found = {int(each.stem.partition("-")[2]): each.read_text("utf-8", "replace") for each in files}
    return {rank: text for rank, text in found.items() if text}


def _is_overdue(out: Path) -> bool:
    """Whether a rank gave no sign in time nor wrote its stack since: its process is stopped."""
    for each in (out / STACKS).glob(DUE.format("*")):
        text = each.read_text(encoding="utf-8")
        if text and time.monotonic() > float(text) + STACK_SECONDS:
            return True
    return False


def _who_hangs(out: Path, num_ranks: int) -> str:
    """Name the rank the others wait for: one that wrote nothing, or waits for nobody."""
    stacks = _stacks(out)
    silent = [rank for rank in range(num_ranks) if rank not in stacks]
    busy = [rank for rank, text in stacks.items() if "torch/distributed" not in text]
    places = {rank: _deepest(text) for rank, text in stacks.items()}
    if silent:
        who = f"rank {silent[0]} does not answer, not even with its stack"
    elif busy:
        who = f"rank {busy[0]} hangs in {places[busy[0]]}"
    else:
        who = f"all ranks wait for each other in {places[min(places)]}"
    return (
        f"no progress for too long: {who}; the job was ended, stacks of all ranks: {out / STACKS};"
        " run the same command again to go on from the last checkpoint"
    )


def _deepest(stack: str) -> str:
    """Return the innermost frame of the main thread, which faulthandler writes last."""
    frames = [line.strip() for line in stack.split("Thread ")[-1].splitlines() if "File" in line]
    match = re.search(r'([^/"]+)", line (\d+) in (\S+)', frames[0]) if frames else None
    return f"{match[3]} ({match[1]}:{match[2]})" if match else "an unknown place"


def _stop(
    ranks: subprocess.Popen[bytes], signals: Sequence[int] = (signal.SIGTERM, signal.SIGKILL)
) -> None:
    """End the whole session of the ranks: politely, then for good."""
    for sig in signals:
        try:
            os.killpg(ranks.pid, sig)
            ranks.wait(timeout=STOP_SECONDS)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def _why(out: Path, log: Path, code: int) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), f"exit code {code}")
    error = read(out, ERROR)
    said = error["error"] if error else last
    if shutil.disk_usage(out).free < FULL_BYTES or os.strerror(errno.ENOSPC) in said:
        return f"{out}: no space left on the device; free space there and run the command again"
    # The ranks beside a killed one fail too, with errors of its broken connection.
    killed = [int(number) for line in lines for number in TORCHRUN_SIGNAL.findall(line)]
    fatal = [number for number in (*killed, max(-code, 0)) if number in FATAL]
    if fatal:
        name = signal.Signals(fatal[0]).name
        return f"a rank was killed by {name}; run the same command again to go on; log: {log}"
    if error:
        return str(said)
    return f"a rank failed: {last}; log: {log}"


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies, so that no rank is orphaned.

    Ends it now where what started it died before it could ask, as torchrun may while ranks load.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    launcher = int(os.environ.get(LAUNCHER, os.getppid()))
    if launcher not in _ancestors(os.getpid()):
        os._exit(1)


def _ancestors(pid: int) -> Iterator[int]:
    while pid > 1:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        pid = int(status.partition("PPid:")[2].split()[0])
        yield pid

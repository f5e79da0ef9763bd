"""Starts the ranks of one job on this machine and ends with them.

The ranks read one resolved file; they tell what happens by appending to `events.jsonl` and, when
they fail, by writing `error.json` beside it. Their own output goes to `<stage>.log` there.
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
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, TextIO

from devtune.errors import DevtuneError
from devtune.launch.extensions import extensions
from devtune.recipe import ClusterSection

POLL_SECONDS = 0.2
STOP_SECONDS = 20
PR_SET_PDEATHSIG = 1
EXIT_FAILED = 1
FULL_BYTES = 1 << 16
FATAL = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS)
TORCHRUN_SIGNAL = re.compile(r"exitcode\s*:\s*-(\d+)")

Tell = Callable[[dict[str, Any]], None]


def launch(
    module: str, resolved: Path, cluster: ClusterSection, tell: Tell, *, distributed: bool
) -> None:
    """Run `python -m module resolved.json` once, or on every rank through torchrun.

    Returns when all ranks ended well. Raises `DevtuneError` with a rank's own line, or the last
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
            env=os.environ | environment,
            preexec_fn=die_with_parent,
            start_new_session=True,
        )
        try:
            for event in _events(out / "events.jsonl", ranks):
                tell(event)
        except BaseException:
            _stop(ranks)
            raise
    if ranks.returncode != 0:
        raise DevtuneError(_why(out, log, ranks.returncode))


def _command(module: str, resolved: Path, cluster: ClusterSection, distributed: bool) -> list[str]:
    num_processes = cluster.processes_per_node
    if num_processes == 1 and not distributed:
        return [sys.executable, "-m", module, str(resolved)]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    return [*torchrun, f"--nproc-per-node={num_processes}", "-m", module, str(resolved)]


def _events(file: Path, ranks: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    """Follow the events until the ranks end; a half-written last line waits for its rest."""
    source: TextIO | None = None
    pending = ""
    while True:
        ended = ranks.poll() is not None
        if source is None and file.exists():
            source = file.open(encoding="utf-8")
        pending += source.read() if source else ""
        *lines, pending = pending.split("\n")
        yield from (json.loads(line) for line in lines)
        if ended:
            break
        time.sleep(POLL_SECONDS)
    if source:
        source.close()


def _stop(ranks: subprocess.Popen[bytes]) -> None:
    """End the whole session of the ranks: politely, then for good."""
    for sig in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(ranks.pid, sig)
            ranks.wait(timeout=STOP_SECONDS)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def _why(out: Path, log: Path, code: int) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), f"exit code {code}")
    error = out / "error.json"
    said = json.loads(error.read_text(encoding="utf-8"))["error"] if error.exists() else last
    if shutil.disk_usage(out).free < FULL_BYTES or os.strerror(errno.ENOSPC) in said:
        return f"{out}: no space left on the device; free space there and run the command again"
    # The ranks beside a killed one fail too, with errors of its broken connection.
    killed = [int(number) for line in lines for number in TORCHRUN_SIGNAL.findall(line)]
    fatal = [number for number in (*killed, max(-code, 0)) if number in FATAL]
    if fatal:
        name = signal.Signals(fatal[0]).name
        return f"a rank was killed by {name}; run the same command again to go on; log: {log}"
    if error.exists():
        return str(said)
    return f"a rank failed: {last}; log: {log}"


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies, so that no rank is orphaned."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def fail(out: Path, message: str) -> NoReturn:
    """Leave one line for the launcher and end this rank; the first rank to fail has the word."""
    own = out / f"error.json.{os.getpid()}"
    own.write_text(json.dumps({"error": message}), encoding="utf-8")
    with suppress(FileExistsError):
        os.link(own, out / "error.json")
    own.unlink()
    sys.exit(EXIT_FAILED)

"""A command in a sandbox: no network, nothing of this machine to read or write but system programs.

Reads the directory it is given and `/usr`; writes nothing: the command works on a copy in memory
that is gone with it. The kernel's namespaces do this, through bubblewrap.
"""

import os
import selectors
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from devtune.errors import DevtuneError

WORKSPACE = "/workspace"
"""Where the command finds the tree, whatever it is called outside."""
MAX_OUTPUT_BYTES = 8_000
"""Of what it prints, the first and last halves of this are kept."""
MAX_WRITTEN_BYTES = 1 << 30
"""Memory that copies and what the command writes may take, in each of two places."""
_ORIGINAL = "/original"
_REMEDY = "or leave out `collect.replay.test_command`"
# Both streams in the order they come; no process of it outlives the shell.
_START = f'cp -R {_ORIGINAL}/. . && ulimit -c 0 && exec /bin/sh -c "$1" 2>&1'


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that came to its end."""

    output: str
    exit_code: int


def run(
    tree: Path, command: str, timeout_seconds: float, readable: Sequence[Path] = ()
) -> Ended | None:
    """Run a shell command in a copy of `tree`, or return None when it takes too long.

    `readable` are further directories it may read; the `bin` in each comes first on its PATH.
    Raises `DevtuneError` where there is no bubblewrap, or the kernel allows it no namespaces.
    """
    prove()
    binds = [part for each in readable for part in ("--ro-bind", str(each), str(each))]
    path = ":".join([*(str(each / "bin") for each in readable), "/usr/local/bin:/usr/bin:/bin"])
    arguments = (
        *_isolated(path), *binds, "--ro-bind", str(tree), _ORIGINAL, "--chdir", WORKSPACE,
        "--", "/bin/sh", "-c", _START, "sh", command,
    )  # fmt: skip
    with subprocess.Popen(
        arguments,
        env={},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as child:
        assert child.stdout is not None
        try:
            output = _read(child.stdout, time.monotonic() + timeout_seconds)
        finally:
            # The first process of its own namespace: with it, all that it started ends.
            if child.poll() is None:
                child.kill()
        child.wait()
    return None if output is None else Ended(output, child.returncode)


@cache
def prove() -> None:
    """Raise `DevtuneError` where a sandbox cannot be had; asked once a process."""
    command = (*_isolated("/usr/bin:/bin"), "--", "/bin/sh", "-c", "exit 0")
    answer = subprocess.run(command, env={}, stdin=subprocess.DEVNULL, capture_output=True)
    if answer.returncode != 0:
        complaint = answer.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason"]
        reason = complaint[0].removeprefix("bwrap: ")
        raise DevtuneError(
            f"bwrap: {reason}; allow user namespaces here (bubblewrap 0.8 or newer), {_REMEDY}"
        )


def _isolated(path: str) -> Iterator[str]:
    program = shutil.which("bwrap")
    if program is None:
        raise DevtuneError(f"bwrap: not found on PATH; install bubblewrap, {_REMEDY}")
    yield from (
        program,
        "--unshare-all",
        "--unshare-user",
        "--die-with-parent",
        "--new-session",
        "--cap-drop",
        "ALL",
    )
    yield from ("--disable-userns", "--clearenv", "--hostname", "sandbox", "--ro-bind", "/usr")
    yield "/usr"
    for each in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
        if os.path.islink(each):  # noqa: PTH114 - the link itself
            yield from ("--symlink", os.readlink(each), each)  # noqa: PTH115
        elif Path(each).is_dir():
            yield from ("--ro-bind", each, each)
    for each in ("/etc/ld.so.cache", "/etc/alternatives"):
        yield from ("--ro-bind-try", each, each)
    yield from ("--proc", "/proc", "--dev", "/dev")
    for each in ("/tmp", WORKSPACE):
        yield from ("--size", str(MAX_WRITTEN_BYTES), "--tmpfs", each)
    settings = {
        "PATH": path, "HOME": "/tmp", "USER": "agent", "LANG": "C.UTF-8", "TZ": "UTC",
        "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    for name, value in settings.items():
        yield from ("--setenv", name, value)


def _read(output: IO[bytes], deadline: float) -> str | None:
    """Return the first and last of what comes, or None when it has not ended by the deadline."""
    half = MAX_OUTPUT_BYTES // 2
    head, tail, total = b"", b"", 0
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while True:
            if not selector.select(max(deadline - time.monotonic(), 0)):
                return None
            chunk = os.read(output.fileno(), 1 << 16)
            if not chunk:
                break
            total += len(chunk)
            room = half - len(head)
            head += chunk[:room]
            tail = (tail + chunk[room:])[-half:] if room < len(chunk) else tail
            if time.monotonic() > deadline:
                return None
    left_out = total - len(head) - len(tail)
    if not left_out:
        return (head + tail).decode("utf-8", "replace")
    marker = f"\n\n[... {left_out:,} of {total:,} bytes left out ...]\n\n"
    return head.decode("utf-8", "ignore") + marker + tail.decode("utf-8", "ignore")

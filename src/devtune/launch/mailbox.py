"""What a launcher and its ranks tell each other: small files in the directory of the job.

A stop file works in a container, through any launcher and on a shared disk, where a signal to a
job's processes would kill their helpers too.
"""

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

STOP, OWNER, STOPPED, ERROR, RESULT = "stop", "owner", "stopped.json", "error.json", "result.json"
EVENTS, STACKS, ASTRAY = "events.jsonl", "stacks", "astray"
DUE = "rank-{}.due"
"""In `stacks`: until when a rank promises a sign of progress, in seconds of the monotonic clock."""
EXIT_FAILED, EXIT_STOPPED, EXIT_FENCED = 1, 75, 93
"""75 is EX_TEMPFAIL: run it again. 93 says that another job owns the run: do not."""


def clear(out: Path) -> None:
    """Forget what an earlier job said."""
    for name in (STOP, STOPPED, ERROR, RESULT, EVENTS, f"{OWNER}.new"):
        (out / name).unlink(missing_ok=True)
    for file in out.glob(f"{ERROR}.*"):
        file.unlink(missing_ok=True)
    for name in (STACKS, ASTRAY):
        shutil.rmtree(out / name, ignore_errors=True)


def own(out: Path, token: str) -> None:
    """Make a job the owner of the directory; whoever owned it finds out at its next save."""
    new = out / f"{OWNER}.new"
    new.write_text(token, encoding="utf-8")
    new.replace(out / OWNER)


def owner_of(out: Path) -> str:
    """Return the token of the job that owns the directory, empty where there is none."""
    with suppress(OSError):
        return (out / OWNER).read_text(encoding="utf-8")
    return ""


def ask_to_stop(out: Path) -> None:
    """Ask all ranks to save after the step they are at, and end."""
    with suppress(OSError):
        (out / STOP).touch()


def forget_to_stop(out: Path) -> None:
    """Take the question back: it was answered, and is no part of a result."""
    (out / STOP).unlink(missing_ok=True)


def is_asked_to_stop(out: Path) -> bool:
    """Whether somebody did."""
    return (out / STOP).exists()


def tell(out: Path, event: dict[str, Any]) -> None:
    """Append what happened; one rank alone may."""
    with (out / EVENTS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(event, default=str) + "\n")


def leave_error(out: Path, message: str, exit_code: int = EXIT_FAILED) -> None:
    """Leave one line for the launcher; the first rank to fail has the word."""
    mine = out / f"{ERROR}.{os.getpid()}"
    leave(out, mine.name, {"error": message, "exit_code": exit_code})
    with suppress(FileExistsError):
        os.link(mine, out / ERROR)
    mine.unlink()


def leave(out: Path, name: str, content: dict[str, Any]) -> None:
    """Leave something for the launcher under a name."""
    (out / name).write_text(json.dumps(content), encoding="utf-8")


def read(out: Path, name: str) -> dict[str, Any] | None:
    """Return what a rank left under a name, None where it left nothing."""
    with suppress(OSError, ValueError):
        return json.loads((out / name).read_text(encoding="utf-8"))
    return None

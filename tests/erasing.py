"""Erases in a process of its own and kills it at a chosen place.

Writes what `devtune erase` writes; what it was killed over stays as it was.
"""

import os
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from devtune.cli import main

ROOT = Path(__file__).resolve().parents[1]


def erase_until_killed(place: str, *arguments: object) -> str:
    """Start `devtune erase` and see it die at `module:name:3`, when that is called a third time.

    Returns what it printed until then.
    """
    command = [sys.executable, "-m", "tests.erasing", place, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    return done.stdout + done.stderr


def _arm(place: str) -> None:
    module_name, name, number = place.split(":")
    module = import_module(module_name)
    call, left = getattr(module, name), [int(number)]

    def count(*given: Any, **named: Any) -> Any:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*given, **named)

    setattr(module, name, count)


if __name__ == "__main__":
    _arm(sys.argv[1])
    main(["erase", *sys.argv[2:]])

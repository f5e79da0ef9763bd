"""A rank's own watchdog: without progress it writes the stack of every thread.

Writes `stacks/rank-<k>.txt` in the directory of the job; the launcher finds it and ends the job.
"""

import faulthandler
from pathlib import Path
from typing import TextIO

from devtune.launch.mailbox import STACKS


class Watchdog:
    """Armed anew by each sign of progress; waits in a thread of C that no lock of Python holds."""

    def __init__(self, out: Path, rank: int, seconds: int) -> None:
        (out / STACKS).mkdir(exist_ok=True)
        self._file: TextIO = (out / STACKS / f"rank-{rank}.txt").open("w", encoding="utf-8")
        self._seconds = seconds

    def progress(self) -> None:
        """Something moved."""
        faulthandler.dump_traceback_later(self._seconds, file=self._file)

    def close(self) -> None:
        """Nothing more is to come."""
        faulthandler.cancel_dump_traceback_later()
        self._file.close()

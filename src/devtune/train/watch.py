"""A rank's own watchdog: without progress it writes the stack of every thread.

Writes `stacks/rank-<k>.txt` in the directory of the job, and beside it by when the next sign of
progress is due, for a process that is stopped writes nothing; the launcher ends the job.
"""

import faulthandler
import math
import os
import time
from pathlib import Path
from typing import TextIO

from devtune.launch.mailbox import DUE, STACKS


class Watchdog:
    """Armed anew by each sign of progress; waits in a thread of C that no lock of Python holds."""

    def __init__(self, out: Path, rank: int, seconds: int) -> None:
        (out / STACKS).mkdir(exist_ok=True)
        self._file: TextIO = (out / STACKS / f"rank-{rank}.txt").open("w", encoding="utf-8")
        self._due = (out / STACKS / DUE.format(rank)).open("wb")
        self._seconds = seconds

    def progress(self) -> None:
        """Something moved."""
        os.pwrite(self._due.fileno(), b"%20.3f" % (time.monotonic() + self._seconds), 0)
        faulthandler.dump_traceback_later(self._seconds, file=self._file)

    def close(self) -> None:
        """Nothing more is to come."""
        faulthandler.cancel_dump_traceback_later()
        os.pwrite(self._due.fileno(), b"%20.3f" % math.inf, 0)
        for each in (self._file, self._due):
            each.close()

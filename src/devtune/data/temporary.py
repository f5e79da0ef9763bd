"""Where files lie that are needed for a moment: beside what is written, never where all users look.

Sets where this process, its libraries and the programs it starts put temporary files.
"""

import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

VARIABLE = "TMPDIR"


@contextmanager
def temporary_files_in(folder: Path) -> Generator[None]:
    """Put temporary files into `folder`, which is made, closed to others, and removed at the end.

    Not for the start of workers: the path of a socket, which lies there too, has a hundred bytes.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    directory, variable = tempfile.tempdir, os.environ.get(VARIABLE)
    tempfile.tempdir = os.environ[VARIABLE] = str(folder.resolve())
    try:
        yield
    finally:
        tempfile.tempdir = directory
        os.environ.pop(VARIABLE)
        if variable is not None:
            os.environ[VARIABLE] = variable
        shutil.rmtree(folder, ignore_errors=True)


def spill_here(base: sqlite3.Connection) -> None:
    """Let a database put what does not fit into memory where temporary files lie now.

    SQLite looks at the environment only when the process starts; then it takes `/var/tmp`.
    """
    folder = tempfile.gettempdir().replace("'", "''")
    base.execute(f"PRAGMA temp_store_directory = '{folder}'")


def unnamed_file() -> IO[bytes]:
    """A file no name leads to, which programs can be given; in memory where the system can."""
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("devtune"), "w+b")
    return tempfile.TemporaryFile()

"""The folder in which torch builds C++ extensions for the ranks, kept free of dead locks.

torch marks a build by a file named `lock` and waits for its removal without end, so a job killed
while it builds would make every later one hang. Writes in the user's cache, a folder for each
Python and torch.
"""

import fcntl
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from importlib.metadata import version

from devtune.cache import cache_dir

VARIABLE = "TORCH_EXTENSIONS_DIR"


@contextmanager
def extensions() -> Generator[dict[str, str]]:
    """Hold the folder for a job; yields the environment its ranks need.

    The first job to hold it removes the locks of jobs that were killed. A folder the user names in
    `TORCH_EXTENSIONS_DIR` is used as it is.
    """
    made_for = f"{sys.implementation.cache_tag}-torch-{version('torch')}"
    folder = None if VARIABLE in os.environ else cache_dir(f"extensions/{made_for}")
    if folder is None:
        yield {}
        return
    with (folder / ".held").open("a") as held:
        with suppress(BlockingIOError):
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for lock in folder.glob("*/lock"):
                lock.unlink(missing_ok=True)
        fcntl.flock(held, fcntl.LOCK_SH)
        yield {VARIABLE: str(folder)}

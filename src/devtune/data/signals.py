"""Signals between the process that was started and those that work for it.

Reads and writes nothing.
"""

import signal
import sys
from collections.abc import Generator, Set
from contextlib import contextmanager

from devtune.launch.local import die_with_parent

STOPPING = frozenset({signal.SIGINT, signal.SIGTERM})


@contextmanager
def held_back(signals: Set[signal.Signals] = STOPPING) -> Generator[None]:
    """Let `signals` wait for the end of the block; what is started in it never gets them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_to_main_thread() -> None:
    """Let no signal reach this thread: one that ends here would not wake the main thread."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def follow_parent() -> None:
    """Make this process of an executor end with its parent, and not be talked to by a terminal.

    Ctrl-C reaches every process of a terminal; only the one that was started shall answer.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        die_with_parent()

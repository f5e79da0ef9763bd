"""Signals between the process that was started and those that work for it.

Reads and writes nothing.
"""

import os
import signal
import threading
from collections.abc import Callable, Generator, Set
from contextlib import contextmanager
from functools import cache
from typing import Any

STOPPING = frozenset({signal.SIGINT, signal.SIGTERM})


@contextmanager
def held_back(signals: Set[signal.Signals] = STOPPING) -> Generator[None]:
    """Let `signals` wait for the end of the block; what is started in it never gets them."""
    came: list[int] = []
    # Other threads, as libraries have them, block nothing and take the signal for the process.
    handlers = _handled(signals, lambda number, _: came.append(number))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for each, handler in handlers.items():
            signal.signal(each, handler)
        for number in dict.fromkeys(came):
            signal.raise_signal(number)


def _handled(
    signals: Set[signal.Signals], handler: Callable[[int, Any], None]
) -> dict[signal.Signals, Any]:
    """Handle `signals` otherwise and return how they were; only the main thread may."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {each: signal.signal(each, handler) or signal.SIG_DFL for each in signals}


def leave_to_main_thread() -> None:
    """Let no signal reach this thread: one that ends here would not wake the main thread."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


@cache
def follow_parent() -> None:
    """Make this worker end with the process that started it, and not answer to a terminal.

    Ctrl-C reaches every process of a terminal; only the one that was started shall answer.
    """
    from multiprocess import parent_process  # pyright: ignore

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent: Any = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Any) -> None:
    leave_to_main_thread()
    parent.join()
    os.kill(os.getpid(), signal.SIGKILL)

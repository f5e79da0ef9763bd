"""Work cut into parts, done by datatrove's executors wherever they run, each part exactly once.

Reads a plan, one JSON file a part; writes one directory a part, renamed into place when it is
whole. So a killed run goes on where it was, and the result is the same whatever did the work.
"""

import contextlib
import json
import os
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loguru import logger

from devtune.data.executors import make_executor, wait_for
from devtune.errors import DevtuneError, one_line
from devtune.pipeline import Executor, LocalExecutor
from devtune.progress import Progress

logger.disable("datatrove")  # devtune says itself how far the work is; tasks import this module too

Work = Callable[[Any, Path], None]
"""Gets what the plan says of one part, and an empty directory to fill. It must be picklable."""
TASKS_PER_WORKER = 8
SECONDS_BETWEEN_LOOKS = 0.2
FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Parts:
    """A step of a datatrove pipeline: every task does each `world_size`-th part."""

    plan: Path
    out: Path
    num_parts: int
    work: Work

    def __call__(self, data: Any, rank: int = 0, world_size: int = 1) -> None:
        """Do the parts of one task that are not done yet."""
        for index in range(rank, self.num_parts, world_size):
            if not self.place(index).is_dir():
                self._do(index)

    def place(self, index: int) -> Path:
        """Where the finished part stands."""
        return self.out / f"{index:06}"

    def _do(self, index: int) -> None:
        unit = json.loads((self.plan / f"{index:06}.json").read_text(encoding="utf-8"))
        draft = self.out / f"{index:06}.{socket.gethostname()}-{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        try:
            self.work(unit, draft)
            with contextlib.suppress(FileExistsError, OSError):
                draft.rename(self.place(index))
        except (DevtuneError, OSError) as error:
            text = str(error) if isinstance(error, DevtuneError) else one_line(error, draft)
            with contextlib.suppress(OSError):
                (self.out / FAULT).write_text(text, encoding="utf-8")
            raise DevtuneError(text) from None
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        if not self.place(index).is_dir():
            raise DevtuneError(f"{self.place(index)}: could not be put in place; check the disk")


@dataclass(frozen=True, slots=True)
class Run:
    """Where the parts of one stage are kept, who does them, and who hears of it."""

    scratch: Path
    executor: Executor
    progress: Progress
    stage: str


def run_parts(label: str, units: Sequence[Any], work: Work, run: Run) -> list[Path]:
    """Do every unit and return the directories they filled, in the order of `units`.

    Units are JSON values and the same in every run. What a killed run finished is not done again.
    Raises `DevtuneError` with the fault of the first part that failed.
    """
    name = label.replace(" ", "_")
    plan, out = run.scratch / "plan" / name, run.scratch / "parts" / name
    for folder in (plan, out):
        folder.mkdir(parents=True, exist_ok=True)
    for index, unit in enumerate(units):
        (plan / f"{index:06}.json").write_text(json.dumps(unit), encoding="utf-8")
    parts = Parts(plan, out, len(units), work)
    (out / FAULT).unlink(missing_ok=True)
    missing = sum(not parts.place(index).is_dir() for index in range(len(units)))
    if missing:
        with _watched(parts, run, label):
            _execute(parts, missing, run.executor, run.scratch / "executor" / name)
    return [parts.place(index) for index in range(len(units))]


def _execute(parts: Parts, missing: int, executor: Executor, logs: Path) -> None:
    """Hand the parts to an executor; a single one, or a single worker, needs none."""
    workers = num_workers(executor)
    if isinstance(executor, LocalExecutor) and min(workers, missing) == 1:
        parts(None)
        return
    shutil.rmtree(logs, ignore_errors=True)
    num_tasks = min(parts.num_parts, workers * TASKS_PER_WORKER)
    engine = make_executor(executor, parts, num_tasks, min(workers, num_tasks), logs)
    try:
        engine.run()
        wait_for(engine, lambda: _num_done(parts), parts.num_parts)
    except DevtuneError:
        raise
    except Exception as error:
        raise DevtuneError(_fault(parts) or f"{logs}: {type(error).__name__}: {error}") from error


def num_workers(executor: Executor) -> int:
    """How many parts are worked on at once."""
    if executor.workers is not None:
        return executor.workers
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _num_done(parts: Parts) -> int:
    if fault := _fault(parts):
        raise DevtuneError(fault)
    return sum(parts.place(index).is_dir() for index in range(parts.num_parts))


def _fault(parts: Parts) -> str:
    file = parts.out / FAULT
    return file.read_text(encoding="utf-8") if file.is_file() else ""


@contextlib.contextmanager
def _watched(parts: Parts, run: Run, label: str) -> Generator[None]:
    """Show how many parts are done, from a thread beside whoever does them."""
    finished = threading.Event()

    def look() -> None:
        while not finished.wait(SECONDS_BETWEEN_LOOKS):
            done = sum(parts.place(index).is_dir() for index in range(parts.num_parts))
            run.progress.step(run.stage, done, parts.num_parts + 1, label)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        finished.set()
        watcher.join()
        run.progress.close()

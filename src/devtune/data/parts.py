"""Work cut into parts, done by datatrove's executors wherever they run, each part exactly once.

Reads a plan, one JSON file a part; writes one directory a part, renamed into place when it is
whole. So a killed run goes on where it was, and the result is the same whatever did the work.
"""

import contextlib
import json
import os
import secrets
import shutil
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loguru import logger

from devtune.data.executors import Step, execute
from devtune.data.signals import follow_parent, leave_to_main_thread
from devtune.data.temporary import temporary_files_in
from devtune.errors import DevtuneError, one_line
from devtune.pipeline import Executor, LocalExecutor
from devtune.progress import Progress

# devtune says itself how far the work is, and datatrove would log the values of a step, texts and
# keys among them. Tasks import this module too.
logger.disable("datatrove")

Work = Callable[[Any, Path], None]
"""Gets what the plan says of one part, and an empty directory to fill. It must be picklable."""
SECONDS_BETWEEN_LOOKS = 0.5
FAULT, TRACE, TEMPORARY = "fault", "trace", "temporary"
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one piece of work, done or not."""

    plan: Path
    out: Path
    num_parts: int
    work: Work
    mark: str
    """Of this run, in the names of what its tasks leave behind when they fail or are killed."""

    def place(self, index: int) -> Path:
        """Where the finished part stands."""
        return self.out / f"{index:0{DIGITS}}"

    def missing(self) -> list[int]:
        """Parts that are not done. Their folder is listed: on NFS a listing is never stale."""
        names = set(os.listdir(self.out))  # noqa: PTH208 - names are all that is asked for
        return [each for each in range(self.num_parts) if self.place(each).name not in names]

    def fault(self) -> str:
        """What went wrong in a part, in one line."""
        file = self.out / f"{FAULT}.{self.mark}"
        if file.name not in os.listdir(self.out):  # noqa: PTH208
            return ""
        return file.read_text(encoding="utf-8")

    def is_done(self) -> bool:
        """Say whether all parts are whole. Raises `DevtuneError` with the fault of one."""
        if fault := self.fault():
            raise DevtuneError(fault)
        return not self.missing()

    def has_lost_worker(self) -> bool:
        """Say whether a process of this host ended within a part, as one does that is killed."""
        host = f".{self.mark}-{socket.gethostname()}-"
        drafts = [name for name in os.listdir(self.out) if host in name]  # noqa: PTH208
        return any(not _is_alive(int(name.rpartition("-")[2])) for name in drafts)

    def do(self, index: int) -> None:
        """Do one part, unless it is whole already."""
        if self.place(index).is_dir():
            return
        unit = json.loads((self.plan / f"{index:0{DIGITS}}.json").read_text(encoding="utf-8"))
        draft = self.out / f"{index:0{DIGITS}}.{self.mark}-{socket.gethostname()}-{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        try:
            with temporary_files_in(draft / TEMPORARY):
                self.work(unit, draft)
            # Another task may have done the same part when SLURM started one anew.
            with contextlib.suppress(OSError):
                draft.rename(self.place(index))
        except OSError as error:
            raise DevtuneError(one_line(error, draft)) from None
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        if not self.place(index).is_dir():
            raise DevtuneError(f"{self.place(index)}: could not be put in place; check the disk")

    def blame(self, error: Exception) -> None:
        """Leave the fault of a part for the launcher; another host may have met it."""
        text = str(error) if isinstance(error, DevtuneError) else self._where(error)
        draft = self.out / f"new_{FAULT}.{socket.gethostname()}-{os.getpid()}"
        with contextlib.suppress(OSError):
            draft.write_text(text, encoding="utf-8")
            draft.rename(self.out / f"{FAULT}.{self.mark}")

    def _where(self, error: Exception) -> str:
        """Say where an error of devtune itself arose. Its message may quote a text: it is lost."""
        frames = traceback.extract_tb(error.__traceback__)
        with contextlib.suppress(OSError):
            lines = "".join(traceback.format_list(frames))
            (self.out / TRACE).write_text(lines, encoding="utf-8")
        place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"
        return (
            f"{self.out.name}: {type(error).__name__} at {place}; this is a fault of devtune:"
            f" report it with {self.out / TRACE}"
        )


class Task:
    """A step of a datatrove pipeline: every task does each `world_size`-th of the parts.

    Not a dataclass: datatrove writes the fields of those into its logs.
    """

    def __init__(self, parts: Parts, indices: Sequence[int]) -> None:
        self.parts = parts
        self.indices = tuple(indices)

    def __repr__(self) -> str:
        return self.parts.out.name

    def __call__(self, data: Any, rank: int = 0, world_size: int = 1) -> None:
        """Do the parts of one task, as long as no task has met a fault."""
        follow_parent()
        for index in self.indices[rank::world_size]:
            if self.parts.fault():
                return
            try:
                self.parts.do(index)
            except Exception as error:
                self.parts.blame(error)
                return


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
        (plan / f"{index:0{DIGITS}}.json").write_text(json.dumps(unit), encoding="utf-8")
    parts = Parts(plan, out, len(units), work, secrets.token_hex(4))
    if missing := parts.missing():
        with _watched(parts, run, label):
            _do(parts, missing, run.executor, run.scratch / "executor" / name)
    return [parts.place(index) for index in range(len(units))]


def finished_parts(label: str, run: Run) -> list[Path]:
    """Return the directories that `run_parts` filled before, in the order of its units."""
    return sorted((run.scratch / "parts" / label.replace(" ", "_")).iterdir())


def _do(parts: Parts, missing: Sequence[int], executor: Executor, logs: Path) -> None:
    """Hand the parts to an executor; a single one, or a single worker here, needs none."""
    workers = num_workers(executor)
    if isinstance(executor, LocalExecutor) and min(workers, len(missing)) == 1:
        for index in missing:
            parts.do(index)
        return
    shutil.rmtree(logs, ignore_errors=True)
    logs.parent.mkdir(exist_ok=True)
    logs.mkdir(mode=0o700)
    try:
        step = Step(
            Task(parts, missing),
            len(missing),
            parts.is_done,
            parts.fault,
            parts.has_lost_worker,
            logs,
        )
        execute(executor, step, workers)
    except DevtuneError:
        raise
    except Exception as error:
        # A signal to all processes: what else breaks when workers end must not take its place.
        if isinstance(error.__context__, KeyboardInterrupt | SystemExit):
            raise error.__context__ from None
        raise DevtuneError(
            parts.fault() or f"executor: {type(error).__name__}: {error}; see {logs}"
        ) from error


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def num_workers(executor: Executor) -> int:
    """How many parts are worked on at once."""
    if executor.workers is not None:
        return executor.workers
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


@contextlib.contextmanager
def _watched(parts: Parts, run: Run, label: str) -> Generator[None]:
    """Show how many parts are done, from a thread beside whoever does them."""
    finished = threading.Event()

    def look() -> None:
        leave_to_main_thread()
        while not finished.wait(SECONDS_BETWEEN_LOOKS):
            done = parts.num_parts - len(parts.missing())
            run.progress.step(run.stage, done, parts.num_parts + 1, label)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        finished.set()
        watcher.join()
        run.progress.close()

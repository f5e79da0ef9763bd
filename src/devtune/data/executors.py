"""datatrove's executors, as a recipe's `executor` section asks for them.

Starts processes, an array job of SLURM or tasks of Ray; writes only datatrove's own logs.
"""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from devtune.data.array_job import ArrayJob
from devtune.data.signals import follow_parent, held_back, leave_to_main_thread
from devtune.errors import DevtuneError
from devtune.offline import OFFLINE
from devtune.pipeline import Executor, LocalExecutor, RayExecutor, SlurmExecutor

TASKS_PER_WORKER, TASKS_PER_REMOTE_WORKER = 8, 2
"""More tasks than workers even out their lengths; SLURM and Ray take seconds to start one."""
PRELOADED = (
    "datatrove.executor.local",
    "devtune.data.parts",
    "devtune.data.collect",
    "devtune.data.instruct",
)
"""What workers would each import anew, in every step, were it not there when they are forked."""
SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_TO_CONNECT = 5.0
MAX_TASKS = 1000
"""SLURM takes array jobs of 1001 elements unless its `MaxArraySize` says otherwise."""
LOST_WORKER = (
    "executor: a worker was killed, most likely for want of memory; lower executor.workers and run"
    " the same command again to go on"
)


@dataclass(frozen=True, slots=True)
class Step:
    """What an executor is given to do."""

    task: Callable[..., Any]
    """Called with (data, rank, world size) in the process of each task."""
    num_parts: int
    is_done: Callable[[], bool]
    """Raises `DevtuneError` with the fault of a task."""
    fault: Callable[[], str]
    has_lost_worker: Callable[[], bool]
    logs: Path
    """Empty, and closed to others: what is handed to a task stands here."""


def execute(section: Executor, step: Step, workers: int) -> None:
    """Return when the step is done; stop whoever works on it when this process is stopped.

    Raises `DevtuneError` for the fault of a task, and for an executor that cannot be had.
    """
    match section:
        case LocalExecutor():
            _run_here(step, workers)
        case SlurmExecutor():
            _run_on_slurm(section, step, workers)
        case RayExecutor():
            _run_on_ray(section, step, workers)


def _num_remote_tasks(step: Step, workers: int) -> int:
    return min(step.num_parts, workers * TASKS_PER_REMOTE_WORKER, MAX_TASKS)


def _run_here(step: Step, workers: int) -> None:
    from datatrove.executor.local import LocalPipelineExecutor
    from multiprocess import util  # pyright: ignore

    # datatrove forks a server of queues from this process; it would outlive a killed launcher
    # and hold the lock of its directory.
    util.register_after_fork(step.task, lambda _: follow_parent())
    engine = LocalPipelineExecutor(
        [step.task],
        tasks=min(step.num_parts, workers * TASKS_PER_WORKER),
        workers=min(workers, step.num_parts),
        logging_dir=str(step.logs),
    )
    with _stderr_into(step.logs), _trouble_told(step), _main_module_hidden():
        _start_server_of_workers()
        engine.run()
    _require_done(step)


def _start_server_of_workers() -> None:
    """Start it deaf to Ctrl-C: workers inherit that, and are not interrupted while they start."""
    from multiprocess import forkserver, resource_tracker  # pyright: ignore

    forkserver.set_forkserver_preload(list(PRELOADED))
    resource_tracker.ensure_running()  # it would lift the block
    with held_back({signal.SIGINT}):
        forkserver.ensure_running()


@contextmanager
def _main_module_hidden() -> Generator[None]:
    """Let no worker run the script of this process again, which would start workers in turn."""
    names = ("__file__", "__spec__")
    module = vars(sys.modules["__main__"])
    hidden = {name: module.pop(name) for name in names if name in module}
    module["__spec__"] = None
    try:
        yield
    finally:
        module.update(hidden)


def _run_on_slurm(section: SlurmExecutor, step: Step, workers: int) -> None:
    job = ArrayJob.of(step.logs)
    from datatrove.executor.slurm import SlurmPipelineExecutor

    engine = SlurmPipelineExecutor(
        [step.task],
        tasks=_num_remote_tasks(step, workers),
        workers=workers,
        time=section.time,
        partition=section.partition,
        cpus_per_task=section.cpus_per_task,
        mem_per_cpu_gb=section.mem_per_cpu_gb,
        sbatch_args=dict(section.sbatch_args),
        qos=section.sbatch_args.get("qos", ""),
        job_name=job.name,
        requeue_signals=None,
        logging_dir=str(step.logs.resolve()),
    )
    job.run(engine, step.is_done)


def _run_on_ray(section: RayExecutor, step: Step, workers: int) -> None:
    try:
        import ray  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError:
        raise DevtuneError(
            "executor: type ray needs the package ray; install it, or take type local"
        ) from None
    from datatrove.executor.ray import RayPipelineExecutor

    with _stderr_into(step.logs), _cluster_of(ray, step.logs):
        _require_room(ray, section)
        # datatrove writes logs beside TMPDIR first, into a folder that all users would share.
        variables = {**OFFLINE, "TMPDIR": str(step.logs.resolve())}
        engine = RayPipelineExecutor(
            [step.task],
            tasks=_num_remote_tasks(step, workers),
            workers=workers,
            cpus_per_task=section.cpus_per_task,
            mem_per_cpu_gb=section.mem_per_cpu_gb,
            ray_remote_kwargs={"runtime_env": {"env_vars": variables}},
            logging_dir=str(step.logs.resolve()),
        )
        with _trouble_told(step):
            engine.run()
        _require_done(step)


@contextmanager
def _trouble_told(step: Step) -> Generator[None]:
    """Raise in the main thread as soon as a task has met a fault, or a worker was killed.

    datatrove would do all other tasks first, and wait for a killed worker for ever.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    finished, told = threading.Event(), list[str]()

    def tell(*_: Any) -> None:
        # While one of these is on its way, it is the launcher that ends its workers.
        if not isinstance(sys.exc_info()[1], DevtuneError | KeyboardInterrupt | SystemExit):
            told.append(step.fault() or LOST_WORKER)
            raise KeyboardInterrupt  # Ray lets no other exception of a handler pass

    def look() -> None:
        leave_to_main_thread()
        while not finished.wait(SECONDS_BETWEEN_LOOKS):
            if step.fault() or step.has_lost_worker():
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, tell)
    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    except KeyboardInterrupt:
        if told:
            raise DevtuneError(told[0]) from None
        raise
    finally:
        finished.set()
        watcher.join()
        signal.signal(signal.SIGUSR1, before)


@contextmanager
def _cluster_of(ray: Any, logs: Path) -> Generator[None]:
    """Be a driver of the Ray cluster that is running; none is started."""
    if ray.is_initialized():
        yield
        return
    address = os.environ.get("RAY_ADDRESS", "")
    handler, exits = signal.getsignal(signal.SIGTERM), list[SystemExit]()

    def stop(number: int, frame: FrameType | None) -> None:
        try:
            assert callable(handler)
            handler(number, frame)
        except SystemExit as error:
            exits.append(error)
            raise

    try:
        _require_listener(address)
        with held_back({signal.SIGTERM}):
            ray.init(address="auto", log_to_driver=False, logging_level="ERROR")
            # Ray put its own there.
            signal.signal(signal.SIGTERM, stop if callable(handler) else handler)
    except (OSError, RuntimeError, ValueError) as error:
        place = address or "RAY_ADDRESS is not set"
        raise DevtuneError(
            f"executor: no Ray cluster answers ({place}); start one with `ray start --head`,"
            f" correct RAY_ADDRESS or RAY_AUTH_TOKEN, or take type local; see {logs}"
        ) from error
    try:
        yield
    except SystemExit:
        if exits:
            raise exits[0] from None  # Ray raises another one, whose exit code is 1
        raise
    finally:
        ray.shutdown()
        signal.signal(signal.SIGTERM, handler)


def _require_listener(address: str) -> None:
    """Fail at once where nothing listens; Ray would try for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdecimal() and "//" not in host:
        socket.create_connection((host, int(port)), timeout=SECONDS_TO_CONNECT).close()


@contextmanager
def _stderr_into(logs: Path) -> Generator[None]:
    """Keep off the terminal what Ray writes there, and what workers do that lose their parent."""
    sys.stderr.flush()
    kept = os.dup(2)
    with (logs / "stderr.log").open("ab") as out:
        os.dup2(out.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _require_room(ray: Any, section: RayExecutor) -> None:
    """Raise when no node is large enough: Ray would wait for one for ever."""
    memory = section.cpus_per_task * section.mem_per_cpu_gb << 30
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if not any(
        node.get("CPU", 0) >= section.cpus_per_task and node.get("memory", 0) >= memory
        for node in nodes
    ):
        raise DevtuneError(
            f"executor: no node of the Ray cluster has {section.cpus_per_task} CPUs and"
            f" {memory >> 30} GB; lower executor.cpus_per_task or executor.mem_per_cpu_gb"
        )


def _require_done(step: Step) -> None:
    if not step.is_done():
        raise DevtuneError(
            f"executor: nothing is at work any more, and not all is done; see {step.logs} and run"
            " the same command again to go on"
        )

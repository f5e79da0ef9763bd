"""datatrove's executors, as a recipe's `executor` section asks for them.

Submits array jobs for SLURM and waits for them; writes only datatrove's own logs.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from devtune.errors import DevtuneError
from devtune.pipeline import Executor, LocalExecutor, RayExecutor, SlurmExecutor

SECONDS_BETWEEN_QUESTIONS = 2.0
NUM_LAST_LOOKS = 15
"""A shared file system shows what a finished job wrote a little later."""


def make_executor(
    section: Executor, step: Callable[..., Any], num_tasks: int, workers: int, logs: Path
) -> Any:
    """Return datatrove's executor for one step. Raises `DevtuneError` where Ray is missing."""
    match section:
        case LocalExecutor():
            from datatrove.executor.local import LocalPipelineExecutor

            return LocalPipelineExecutor(
                [step], tasks=num_tasks, workers=workers, logging_dir=str(logs)
            )
        case SlurmExecutor():
            return _slurm(section, step, num_tasks, workers, logs)
        case RayExecutor():
            return _ray(section, step, num_tasks, workers, logs)


def _slurm(
    section: SlurmExecutor, step: Callable[..., Any], num_tasks: int, workers: int, logs: Path
) -> Any:
    from datatrove.executor.slurm import SlurmPipelineExecutor

    return SlurmPipelineExecutor(
        [step],
        tasks=num_tasks,
        workers=workers,
        time=section.time,
        partition=section.partition,
        cpus_per_task=section.cpus_per_task,
        mem_per_cpu_gb=section.mem_per_cpu_gb,
        sbatch_args=dict(section.sbatch_args),
        qos=section.sbatch_args.get("qos", ""),
        job_name=f"devtune-{logs.name}",
        env_command=f'export PATH="{Path(sys.executable).parent}:$PATH"',
        logging_dir=str(logs.resolve()),
    )


def _ray(
    section: RayExecutor, step: Callable[..., Any], num_tasks: int, workers: int, logs: Path
) -> Any:
    try:
        import ray  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError:
        raise DevtuneError(
            "executor: type ray needs the package ray; install it, or take type local"
        ) from None
    from datatrove.executor.ray import RayPipelineExecutor

    if not ray.is_initialized():
        ray.init(log_to_driver=False, logging_level="ERROR", include_dashboard=False)
    return RayPipelineExecutor(
        [step],
        tasks=num_tasks,
        workers=workers,
        cpus_per_task=section.cpus_per_task,
        mem_per_cpu_gb=section.mem_per_cpu_gb,
        logging_dir=str(logs.resolve()),
    )


def wait_for(engine: Any, num_done: Callable[[], int], num_parts: int) -> None:
    """Return when all parts are there; SLURM only took the job when its `run` returned.

    Raises `DevtuneError` when the job has left the queue and parts are missing.
    """
    job = getattr(engine, "job_id", None)
    last_looks = NUM_LAST_LOOKS
    while (done := num_done()) < num_parts:
        if job is None or last_looks == 0:
            where = engine.logging_dir.resolve_paths("")
            raise DevtuneError(
                f"executor: {num_parts - done} of {num_parts} parts are not done and nothing is at"
                f" work any more; read the logs in {where} and run the same command again"
            )
        if not _is_queued(str(job)):
            last_looks -= 1
        time.sleep(SECONDS_BETWEEN_QUESTIONS)


def _is_queued(job: str) -> bool:
    answer = subprocess.run(
        ("squeue", "--noheader", "--jobs", job, "--format", "%i"),
        capture_output=True,
        text=True,
        check=False,
    )
    return bool(answer.stdout.strip())

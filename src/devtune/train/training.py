"""dataset/ + base/ → adapter/: writes the resolved job, starts the ranks, keeps their result.

Writes `adapter_model.safetensors` and `adapter_config.json` (LoRA, QLoRA) or `model*.safetensors`
(full), `curve.jsonl` and `resolved.json`. Loads no torch: that is for the ranks.
"""

import json
import shutil
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from devtune.durable import sync
from devtune.errors import DevtuneError
from devtune.launch.local import Tell, launch
from devtune.launch.mailbox import (
    EVENTS,
    EXIT_STOPPED,
    OWNER,
    RESULT,
    STACKS,
    STOPPED,
    clear,
    own,
    read,
)
from devtune.progress import Progress
from devtune.recipe import ClusterSection
from devtune.stage import Outcome
from devtune.train.checkpoints import Checkpoint, Checkpoints
from devtune.train.engine import (
    check_shared_rows,
    engine_settings,
    for_other_ranks,
    loads_converted,
    zero_stage,
)
from devtune.tuning import TrainSection

TRACKING, METRICS = "tracking", "metrics.json"
"""What a tracker writes, and what was measured, holds times: it is kept but not signed."""
FINAL, CHECKPOINTS, CONVERTED, LOG = "final", "checkpoints", "converted", "train.log"
WEIGHTS = ("adapter_model.safetensors", "model*.safetensors", "*.index.json")
KEPT = (*WEIGHTS, "adapter_config.json")


class Stopped(DevtuneError):
    """Training was asked to stop and saved where it was."""

    exit_code = EXIT_STOPPED


def train(
    section: TrainSection,
    cluster: ClusterSection,
    dataset: Path,
    base: Path,
    out: Path,
    progress: Progress,
) -> Outcome:
    """Train on this machine with as many ranks as the cluster part says, from the last checkpoint
    that is whole if a killed run left one in `out`."""
    clear(out)
    if result := read(out, METRICS):  # killed while its result was hashed
        return _end(out, result)
    shutil.rmtree(out / FINAL, ignore_errors=True)
    token = uuid.uuid4().hex[:12]
    checkpoints = Checkpoints(out / CHECKPOINTS, token)
    checkpoints.sweep()
    found = checkpoints.newest(lambda text: progress.say("train", text))
    job = _job(section, cluster, found, out=out, dataset=dataset, base=base)
    own(out, token)
    resolved = out / "resolved.json"
    content = {**job, "owner": token}
    resolved.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    distributed = section.deepspeed is not None
    launch("devtune.train.worker", resolved, cluster, _teller(progress), distributed=distributed)
    if stopped := read(out, STOPPED):
        raise Stopped(
            f"train: stopped as asked and saved at step {stopped['step']}; run the same command"
            " again to go on"
        )
    _tidy(out, section)
    for file in (*(each for each in out.iterdir() if each.is_file()), out):
        sync(file)  # before the mark that says that all is there
    (out / RESULT).rename(out / METRICS)
    return _end(out, json.loads((out / METRICS).read_text(encoding="utf-8")))


def _end(out: Path, result: dict[str, Any]) -> Outcome:
    """Only now that the result is in its place may its checkpoints go."""
    for name in (FINAL, CHECKPOINTS, CONVERTED, STACKS):
        shutil.rmtree(out / name, ignore_errors=True)
    for name in (EVENTS, OWNER, LOG):
        (out / name).unlink(missing_ok=True)
    return Outcome(summary=_summary(result), metrics=result, unsigned=(TRACKING, METRICS))


def _job(
    section: TrainSection, cluster: ClusterSection, found: Checkpoint | None, **paths: Path
) -> dict[str, Any]:
    """What every rank reads."""
    ranks = cluster.nodes * cluster.processes_per_node
    check_shared_rows(section, ranks)
    facts = found.facts if found else {}
    engine, checkpoint = engine_settings(section), found.path if found else None
    if checkpoint and zero_stage(section) and facts["num_processes"] != ranks:
        # Shards are of use to as many ranks only.
        out = paths["out"]
        checkpoint = for_other_ranks(checkpoint, out / CONVERTED, out / LOG)
        engine = loads_converted(engine or {})
    return {
        "section": section.model_dump(mode="json"),
        "engine": engine,
        "accelerator": cluster.accelerator,
        "checkpoint": str(checkpoint) if checkpoint else None,
        "resumed_at_step": found.step if found else 0,
        "best_step": facts.get("best_step"),
        "best_loss": facts.get("best_loss"),
        **{name: str(path) for name, path in paths.items()},
    }


def parts_of(folder: Path, patterns: Sequence[str]) -> Iterator[Path]:
    """Yield the files of a folder that match."""
    return (file for pattern in patterns for file in sorted(folder.glob(pattern)))


def _tidy(out: Path, section: TrainSection) -> None:
    """Put the weights, the curve and the job in their places, without paths of this machine."""
    for file in list(parts_of(out / FINAL, KEPT)):
        file.rename(out / file.name)
    config = out / "adapter_config.json"
    if config.exists():
        values: dict[str, Any] = json.loads(config.read_text(encoding="utf-8"))
        values["base_model_name_or_path"] = "base"
        config.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    job: dict[str, Any] = {"section": section.model_dump(mode="json", exclude={"deepspeed"})}
    job["engine"] = engine_settings(section)
    (out / "resolved.json").write_text(json.dumps(job, indent=2, sort_keys=True), encoding="utf-8")


def _teller(progress: Progress) -> Tell:
    def tell(event: dict[str, Any]) -> None:
        progress.event(stage="train", **event)
        if "loss" in event:
            progress.step("train", event["step"], event["steps"], f"loss {event['loss']:.3f}")
        elif "eval_loss" in event:
            progress.say("train", f"step {event['step']}  held-out loss {event['eval_loss']:.4f}")

    return tell


def _summary(result: dict[str, Any]) -> str:
    resumed = f", resumed at {result['resumed_at_step']}" if result["resumed_at_step"] else ""
    held_out = f", held-out loss {result['eval_loss']:.4f}" if result["eval_loss"] else ""
    best = f", best at step {result['best_step']}" if result.get("best_step") else ""
    return (
        f"{result['trained_parameters']:,} parameters, {result['steps']} steps{resumed}, "
        f"loss {result['loss']:.4f}{held_out}{best}"
    )

"""dataset/ + base/ → adapter/: writes the resolved job, starts the ranks, keeps their result.

Writes `adapter_model.safetensors` and `adapter_config.json` (LoRA, QLoRA) or `model*.safetensors`
(full), `curve.jsonl` and `resolved.json`. Loads no torch: that is for the ranks.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from devtune.launch.local import Tell, launch
from devtune.progress import Progress
from devtune.recipe import ClusterSection, SftSection
from devtune.stage import Outcome
from devtune.train.engine import engine_settings

TRACKING = "tracking"
"""What a tracker writes holds times and hosts, so it is kept but not signed."""
KEPT = ("adapter_model.safetensors", "adapter_config.json")


def train(
    section: SftSection,
    cluster: ClusterSection,
    dataset: Path,
    base: Path,
    out: Path,
    progress: Progress,
) -> Outcome:
    """Train on this machine with as many ranks as the cluster part says, from the last checkpoint
    if a killed run left one in `out`."""
    _sweep(out)
    job = {
        "section": section.model_dump(mode="json"),
        "engine": engine_settings(section),
        "accelerator": cluster.accelerator,
        "dataset": str(dataset),
        "base": str(base),
        "out": str(out),
    }
    resolved = out / "resolved.json"
    resolved.write_text(json.dumps(job, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    distributed = section.deepspeed is not None
    launch("devtune.train.worker", resolved, cluster, _teller(progress), distributed=distributed)
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    _tidy(out, section)
    return Outcome(summary=_summary(result), metrics=result, unsigned=(TRACKING,))


def _sweep(out: Path) -> None:
    """Remove checkpoints whose saving was cut short, and what a killed rank left of its result."""
    for checkpoint in out.glob("checkpoints/checkpoint-*"):
        if not (checkpoint / ".complete").exists():
            shutil.rmtree(checkpoint)
    for name in ("result.json", "error.json", "events.jsonl"):
        (out / name).unlink(missing_ok=True)
    shutil.rmtree(out / "final", ignore_errors=True)


def _tidy(out: Path, section: SftSection) -> None:
    """Keep the weights, the curve and the job; the rest is scaffolding of this machine."""
    final = out / "final"
    patterns = KEPT if section.adapter.type != "full" else ("*.safetensors", "*.index.json")
    for pattern in patterns:
        for file in final.glob(pattern):
            file.rename(out / file.name)
    config = out / "adapter_config.json"
    if config.exists():
        values: dict[str, Any] = json.loads(config.read_text(encoding="utf-8"))
        values["base_model_name_or_path"] = "base"
        config.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    job: dict[str, Any] = {"section": section.model_dump(mode="json", exclude={"deepspeed"})}
    job["engine"] = engine_settings(section)
    (out / "resolved.json").write_text(json.dumps(job, indent=2, sort_keys=True), encoding="utf-8")
    for name in ("final", "checkpoints"):
        shutil.rmtree(out / name, ignore_errors=True)
    for name in ("result.json", "events.jsonl", "train.log"):
        (out / name).unlink(missing_ok=True)


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
    return (
        f"{result['trained_parameters']:,} parameters, {result['steps']} steps{resumed}, "
        f"loss {result['loss']:.4f}{held_out}"
    )

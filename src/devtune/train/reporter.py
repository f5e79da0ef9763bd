"""What a training says while it runs, and what it leaves: events, the curve, the result.

The first rank alone writes: `events.jsonl` for the launcher, `curve.jsonl`, `result.json`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from devtune.launch.mailbox import RESULT, leave, tell
from devtune.train.adapter import num_trained

CURVE = "curve.jsonl"
CURVE_KEYS = (
    "loss", "eval_loss", "learning_rate", "grad_norm", "rewards/margins", "rewards/accuracies",
    "eval_rewards/accuracies",
)  # fmt: skip


@dataclass
class Reporter(TrainerCallback):
    """Passes each log on to the launcher."""

    out: Path

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """A step was taken, or the held-out loss measured."""
        if state.is_world_process_zero:
            tell(self.out, {"step": state.global_step, "steps": state.max_steps, **(logs or {})})

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """A checkpoint was committed."""
        if state.is_world_process_zero:
            tell(self.out, {"saved_step": state.global_step})


def rows_of(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the points of the curve among what transformers logged."""
    return [
        {"step": row["step"], **{key: row[key] for key in CURVE_KEYS if key in row}}
        for row in history
        if any(key in row for key in CURVE_KEYS)
    ]


def write_result(out: Path, trainer: Any, facts: dict[str, Any]) -> None:
    """Write the curve, and what the stage says of itself."""
    rows = rows_of(trainer.state.log_history)
    lines = [json.dumps(row, sort_keys=True) for row in rows]
    (out / CURVE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = {
        "steps": trainer.state.global_step,
        "num_processes": trainer.accelerator.num_processes,
        "trained_parameters": num_trained(trainer.model),
        "loss": next((row["loss"] for row in reversed(rows) if "loss" in row), None),
        "eval_loss": next((row["eval_loss"] for row in reversed(rows) if "eval_loss" in row), None),
        **facts,
    }
    leave(out, RESULT, result)

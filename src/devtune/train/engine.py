"""A DeepSpeed JSON and a recipe → the settings the engine gets; the only file that knows DeepSpeed.

Loads no torch, so that `devtune check` can refuse a JSON that contradicts the recipe.
"""

import json
import os
from pathlib import Path
from typing import Any, cast

from devtune.errors import RecipeError, one_line
from devtune.tuning import TrainSection

OWNED = {
    "train_batch_size": "per_device_train_batch_size × gradient_accumulation_steps × ranks",
    "train_micro_batch_size_per_gpu": "train.per_device_train_batch_size",
    "gradient_accumulation_steps": "train.gradient_accumulation_steps",
    "gradient_clipping": "train.max_grad_norm",
    "bf16": "train.bf16",
    "fp16": "train.bf16",
    "optimizer": "train.trainer_args.optim",
    "scheduler": "train.lr_scheduler_type",
}


def engine_settings(section: TrainSection) -> dict[str, Any] | None:
    """Return the engine's configuration, or None when the recipe asks for no engine.

    What the recipe owns becomes "auto", which transformers fills from its training arguments.
    Raises `RecipeError` for a JSON that is damaged or says what the recipe says.
    """
    if section.deepspeed is None:
        return None
    settings = _read(section.deepspeed)
    for key, owner in OWNED.items():
        if key in settings:
            raise RecipeError(
                f"{section.deepspeed}: `{key}` belongs to the recipe; remove it, set {owner}"
            )
    return {
        **settings,
        "train_batch_size": "auto",
        "train_micro_batch_size_per_gpu": "auto",
        "gradient_accumulation_steps": "auto",
        "gradient_clipping": "auto",
        "bf16": {"enabled": "auto"},
    }


def zero_stage(section: TrainSection) -> int:
    """Return how much is sharded over ranks: 0 nothing … 3 weights too."""
    settings = engine_settings(section) or {}
    return int(settings.get("zero_optimization", {}).get("stage", 0))


def has_engine(trainer: Any) -> bool:
    """Whether a transformers trainer trains through the engine."""
    return bool(trainer.is_deepspeed_enabled)


def save_engine(trainer: Any, folder: str) -> None:
    """Write the shards of every rank; frozen weights are in the base and are left out."""
    is_adapter = hasattr(trainer.model, "peft_config")
    trainer.model_wrapped.save_checkpoint(folder, exclude_frozen_parameters=is_adapter)


def prepare_process(accelerator: str) -> None:
    """Tell the engine which device it has; must come before it is imported."""
    if accelerator == "cpu":
        os.environ["DS_ACCELERATOR"] = "cpu"


def _read(path: Path) -> dict[str, Any]:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(one_line(error, path)) from None
    except ValueError as error:
        raise RecipeError(f"{path}: not valid JSON: {error}; correct it") from None
    if not isinstance(settings, dict):
        raise RecipeError(f"{path}: a DeepSpeed configuration is a JSON object")
    return cast(dict[str, Any], settings)

"""A DeepSpeed JSON and a recipe → the settings the engine gets; `ranks` is what uses it.

Loads no torch, so that `devtune check` can refuse a JSON that contradicts the recipe.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

from devtune.errors import DevtuneError, RecipeError, one_line
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


UNIVERSAL = "_universal"
"""How the engine ends the names of converted checkpoints."""


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


def loads_converted(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of an engine that begins from a converted checkpoint."""
    return {**settings, "checkpoint": {**settings.get("checkpoint", {}), "load_universal": True}}


def zero_stage(section: TrainSection) -> int:
    """Return how much is sharded over ranks: 0 nothing … 3 weights too."""
    settings = engine_settings(section) or {}
    return int(settings.get("zero_optimization", {}).get("stage", 0))


def for_other_ranks(checkpoint: Path, target: Path, log: Path) -> Path:
    """Convert a checkpoint so that any number of ranks can load it; return where it is.

    The shards of a rank are of use to as many ranks only; the engine's own tool puts them together
    again parameter by parameter. `target` is filled anew. Raises `DevtuneError` when it cannot.
    """
    shards = next(checkpoint.glob("global_step*"))
    converted = target / f"{shards.name}{UNIVERSAL}"
    shutil.rmtree(target, ignore_errors=True)
    converted.mkdir(parents=True)
    for file in checkpoint.iterdir():
        if file.is_file():
            os.link(file, target / file.name)
    tool = [sys.executable, "-m", "deepspeed.checkpoint.ds_to_universal", "--inject_missing_state"]
    command = [*tool, "--input_folder", str(shards), "--output_folder", str(converted)]
    with log.open("a", encoding="utf-8") as sink:
        done = subprocess.run(command, stdout=sink, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise DevtuneError(
            f"{checkpoint}: cannot be converted to another number of ranks (log: {log}); go on with"
            " as many ranks as before"
        )
    (target / f"latest{UNIVERSAL}").write_text(converted.name, encoding="utf-8")
    return target


def check_shared_rows(section: TrainSection, ranks: int) -> None:
    """Raise `RecipeError` where ranks cannot share rows as the section asks."""
    size = section.sequence_parallel_size
    flash = section.attn_implementation.startswith("flash")
    faults = {
        f"{ranks} ranks cannot be divided by it; change cluster.processes_per_node": ranks % size,
        f"train.max_length {section.max_length} cannot be divided by it; change one of them": (
            section.max_length % size
        ),
        "rows are shared by the engine; name a file in train.deepspeed": not section.deepspeed,
        "pairs are not shared; set it to 1": section.type != "sft",
        # Masks are left out where rows are shared; only flash attention needs none to keep samples
        # of one row apart.
        "packed rows are shared with flash attention only; set attn_implementation:"
        " flash_attention_2, or packing: false": getattr(section, "packing", False) and not flash,
    }
    for what, is_wrong in faults.items() if size > 1 else ():
        if is_wrong:
            raise RecipeError(f"train.sequence_parallel_size: {size}: {what}")


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

"""What a rank does with the engine: meet the others, share rows, write and read its shards.

With `engine`, the only file that knows DeepSpeed; that one is for the launcher and loads no torch.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import deepspeed
from accelerate.parallelism_config import ParallelismConfig
from accelerate.utils import DeepSpeedSequenceParallelConfig

from devtune.train.engine import UNIVERSAL
from devtune.tuning import TrainSection


def join_ranks(timeout_seconds: int) -> None:
    """Let the ranks of a CPU meet; on GPUs accelerate does so, on CPUs without the engine's word.

    Weights that are sharded as they are loaded (ZeRO-3) need the engine to know how many ranks
    there are before anything else does.
    """
    timeout = timedelta(seconds=timeout_seconds)
    deepspeed.init_distributed(dist_backend="gloo", auto_mpi_discovery=False, timeout=timeout)


def has_engine(trainer: Any) -> bool:
    """Whether a transformers trainer trains through the engine."""
    return bool(trainer.is_deepspeed_enabled)


def save_engine(trainer: Any, folder: str) -> None:
    """Write the shards of every rank; frozen weights are in the base and are left out."""
    is_adapter = hasattr(trainer.model, "peft_config")
    trainer.model_wrapped.save_checkpoint(folder, exclude_frozen_parameters=is_adapter)


def is_converted(checkpoint: Path) -> bool:
    """Whether a checkpoint is one that `for_other_ranks` made."""
    return (checkpoint / f"latest{UNIVERSAL}").is_file()


def mend_converted(trainer: Any) -> None:
    """Undo what DeepSpeed 0.19 does to a converted checkpoint of ZeRO-3 when it loads it.

    It gives all groups of parameters one counter of steps, which each of them then advances, and
    the weight decay of the first group; transformers has a second one, which has none.
    """
    optimizer = trainer.model_wrapped.optimizer.optimizer
    for state in optimizer.state.values():
        if hasattr(state.get("step"), "clone"):
            state["step"] = state["step"].clone()
    for group in optimizer.param_groups[1:]:
        group["weight_decay"] = 0.0


def shared_rows(section: TrainSection) -> dict[str, Any]:
    """Return the training arguments by which several ranks share each row; none for one."""
    if section.sequence_parallel_size == 1:
        return {}
    handler = DeepSpeedSequenceParallelConfig(
        sp_seq_length_is_variable=True, sp_attn_implementation=section.attn_implementation
    )
    config = ParallelismConfig(
        sp_backend="deepspeed", sp_size=section.sequence_parallel_size, sp_handler=handler
    )
    # Ranks pass rows on to each other as they are: all must be of one length, which is shared out.
    return {"parallelism_config": config, "pad_to_multiple_of": section.max_length}

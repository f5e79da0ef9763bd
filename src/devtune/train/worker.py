"""One rank: reads `resolved.json` and nothing else, trains, writes into the scratch directory."""

import json
import math
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from devtune.errors import DevtuneError
from devtune.launch.local import die_with_parent, fail
from devtune.recipe import SftSection
from devtune.train.engine import prepare_process
from devtune.train.training import TRACKING

COMPLETE = ".complete"
CURVE_KEYS = ("loss", "eval_loss", "learning_rate", "grad_norm")


def main(resolved: Path) -> None:
    """Train as `resolved` says; a fault the user can mend is written for the launcher."""
    die_with_parent()
    job = json.loads(resolved.read_text(encoding="utf-8"))
    out = Path(job["out"])
    try:
        prepare_process(job["accelerator"])
        _place_tracking(out)
        train_rank(SftSection.model_validate(job["section"]), job, out)
    except DevtuneError as error:
        fail(out, str(error))
    except Exception as error:  # a rank's own line reaches the user, its traceback the log
        traceback.print_exc()
        fail(out, f"a rank failed: {type(error).__name__}: {error}; log: {out / 'train.log'}")


def train_rank(section: SftSection, job: dict[str, Any], out: Path) -> None:
    """Load, wrap, train or resume, save; every rank runs the same lines."""
    from trl import SFTTrainer

    from devtune.model import computes_in_bf16
    from devtune.train.adapter import check_wrapped, load_for_training, peft_config
    from devtune.train.rows import load_rows

    if section.bf16 and not computes_in_bf16(job["accelerator"]):
        section = section.model_copy(update={"bf16": False})
    checkpoint = last_complete_checkpoint(out / "checkpoints")
    arguments = training_arguments(section, job, out)  # before the model: ZeRO-3
    base, dataset = Path(job["base"]), Path(job["dataset"])
    trained = load_rows(dataset / "train.parquet", section.max_length)
    held_out = load_rows(dataset / "held_out.parquet", section.max_length, section.eval_samples)
    trainer = SFTTrainer(
        model=load_for_training(section, base),
        args=arguments,
        train_dataset=trained,
        eval_dataset=held_out if len(held_out) else None,
        processing_class=_tokenizer(base),
        peft_config=peft_config(section),
    )
    model: Any = trainer.model
    if section.adapter.type != "full":
        names = [name for name, each in model.named_modules() if hasattr(each, "lora_A")]
        check_wrapped(names, base)
    trainer.add_callback(_reporter(out, trainer))
    arguments.eval_on_start = bool(section.eval_steps and len(held_out) and not checkpoint)
    started, first_step = time.monotonic(), _step_of(checkpoint)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    seconds = time.monotonic() - started
    if len(held_out) and not _measured_at_end(trainer.state.log_history):
        trainer.evaluate()
    trainer.save_model(str(out / "final"))
    if trainer.is_world_process_zero():
        _write_result(out, section, trainer, seconds, first_step)


def _place_tracking(out: Path) -> None:
    """Trackers write beside the adapter, not into the user's home or working directory."""
    os.environ["WANDB_PROJECT"] = "devtune"
    for variable in ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR"):
        os.environ[variable] = str(out / TRACKING)
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(out / TRACKING)


def training_arguments(section: SftSection, job: dict[str, Any], out: Path) -> Any:
    """Return TRL's `SFTConfig`: the section's fields by their names, and what devtune owns."""
    from trl import SFTConfig

    own = {"type", "adapter", "deepspeed", "attn_implementation", "eval_samples", "trainer_args"}
    fields = {name: value for name, value in section if name not in own}
    fields["eval_strategy"] = "steps" if section.eval_steps else "no"
    # A resumed run averages only what it logs itself, so every step is logged: one curve, however
    # often the run was killed.
    fields["logging_steps"] = 1
    return SFTConfig(
        output_dir=str(out / "checkpoints"),
        deepspeed=job["engine"],
        use_cpu=job["accelerator"] == "cpu",
        dataloader_pin_memory=job["accelerator"] != "cpu",
        packing_strategy="bfd",
        # Rows are packed a thousand at a time: long ones want short ones among them.
        shuffle_dataset=section.packing,
        save_strategy="steps",
        save_total_limit=2,
        disable_tqdm=True,
        remove_unused_columns=True,
        **fields,
        **section.trainer_args,
    )


def last_complete_checkpoint(directory: Path) -> Path | None:
    """Return the newest checkpoint whose saving ended; transformers would take a torn one."""
    found = [each.parent for each in directory.glob(f"checkpoint-*/{COMPLETE}")]
    return max(found, key=_step_of, default=None)


def _step_of(checkpoint: Path | None) -> int:
    return int(checkpoint.name.rsplit("-", 1)[1]) if checkpoint else 0


def _tokenizer(base: Path) -> Any:
    """Only its padding id is used: the dataset is rendered already."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(base, local_files_only=True, mode="finetuning")


def _reporter(out: Path, trainer: Any) -> Any:
    """A callback that sends each log to the launcher, marks checkpoints and stops a sick start."""
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if state.is_world_process_zero:
                event = {"step": state.global_step, "steps": state.max_steps, **(logs or {})}
                with (out / "events.jsonl").open("a", encoding="utf-8") as file:
                    file.write(json.dumps(event, default=str) + "\n")
            _check_first_loss(state, logs or {}, trainer.model.config)

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            trainer.accelerator.wait_for_everyone()
            # Resumed from its last step, transformers would take one step more: a run killed after
            # it goes on from the checkpoint before instead.
            if state.is_world_process_zero and state.global_step < state.max_steps:
                name = f"checkpoint-{state.global_step}"
                (out / "checkpoints" / name / COMPLETE).touch()

    return Reporter()


def _check_first_loss(state: Any, logs: dict[str, Any], config: Any) -> None:
    """A first loss near ln V is that of random weights: FP8 read without its scales, mostly."""
    random_loss = math.log(config.get_text_config().vocab_size)
    if state.global_step == 1 and float(logs.get("loss", 0)) > 0.9 * random_loss:
        raise DevtuneError(
            f"the first loss is {logs['loss']:.2f}, that of random weights "
            f"(ln V = {random_loss:.2f}); the base is not what it should be: import it again"
        )


def _measured_at_end(history: list[dict[str, Any]]) -> bool:
    last = max((row["step"] for row in history), default=0)
    return any("eval_loss" in row and row["step"] == last for row in history)


def _write_result(
    out: Path,
    section: SftSection,
    trainer: Any,
    seconds: float,
    first_step: int,
) -> None:
    rows = [
        {"step": row["step"], **{key: row[key] for key in CURVE_KEYS if key in row}}
        for row in trainer.state.log_history
        if any(key in row for key in CURVE_KEYS)
    ]
    lines = [json.dumps(row, sort_keys=True) for row in rows]
    (out / "curve.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    parameters = trainer.model.parameters()
    result = {
        "steps": trainer.state.global_step,
        "resumed_at_step": first_step,
        "seconds": round(seconds, 1),
        "num_processes": trainer.accelerator.num_processes,
        "trained_parameters": sum(_size(each) for each in parameters if each.requires_grad),
        "loss": next((row["loss"] for row in reversed(rows) if "loss" in row), None),
        "eval_loss": next((row["eval_loss"] for row in reversed(rows) if "eval_loss" in row), None),
        "adapter": section.adapter.type,
        "bf16": section.bf16,
    }
    (out / "result.json").write_text(json.dumps(result), encoding="utf-8")


def _size(parameter: Any) -> int:
    return int(getattr(parameter, "ds_numel", 0) or parameter.numel())


if __name__ == "__main__":
    main(Path(sys.argv[1]))

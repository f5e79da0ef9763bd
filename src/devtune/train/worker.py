"""One rank: reads `resolved.json` and nothing else, trains, writes into the scratch directory."""

import json
import math
import os
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from devtune.errors import DevtuneError
from devtune.launch.local import die_with_parent
from devtune.launch.mailbox import EXIT_FAILED, STOPPED, ask_to_stop, leave, leave_error
from devtune.records import PREFERENCES
from devtune.train.checkpoints import Checkpoints
from devtune.train.engine import prepare_process
from devtune.train.training import CHECKPOINTS, FINAL, LOG, TRACKING, WEIGHTS, parts_of
from devtune.tuning import SftSection, Train


def main(resolved: Path) -> None:
    """Train as `resolved` says; a fault the user can mend is written for the launcher."""
    die_with_parent()
    job = json.loads(resolved.read_text(encoding="utf-8"))
    out = Path(job["out"])
    signal.signal(signal.SIGTERM, lambda *_: ask_to_stop(out))
    try:
        prepare_process(job["accelerator"])
        _place_tracking(out)
        train_rank(TypeAdapter(Train).validate_python(job["section"]), job, out)
    except DevtuneError as error:
        _fail(out, str(error), error.exit_code)
    except Exception as error:  # a rank's own line reaches the user, its traceback the log
        traceback.print_exc()
        _fail(out, f"a rank failed: {type(error).__name__}: {error}; log: {out / LOG}")


def _fail(out: Path, message: str, exit_code: int = EXIT_FAILED) -> None:
    leave_error(out, message, exit_code)
    sys.exit(exit_code)


def train_rank(section: Train, job: dict[str, Any], out: Path) -> None:
    """Load, wrap, train or resume, save; every rank runs the same lines."""
    from devtune.model import computes_in_bf16
    from devtune.train.watch import Watchdog

    if section.bf16 and not computes_in_bf16(job["accelerator"]):
        section = section.model_copy(update={"bf16": False})
    watchdog = Watchdog(out, int(os.environ.get("RANK", 0)), section.ddp_timeout)
    watchdog.progress()
    trainer, guard = _prepare(section, job, out, watchdog)
    started, checkpoint = time.monotonic(), job["checkpoint"]
    trainer.train(resume_from_checkpoint=checkpoint)
    seconds = time.monotonic() - started
    if guard.is_stopped:
        if trainer.is_world_process_zero():
            leave(out, STOPPED, {"step": trainer.state.global_step})
        return
    if trainer.eval_dataset is not None and not _measured_at_end(trainer.state.log_history):
        trainer.evaluate()
    watchdog.progress()
    trainer.save_model(str(out / FINAL))
    if trainer.is_world_process_zero():
        from devtune.train.reporter import write_result

        facts = {
            "resumed_at_step": job["resumed_at_step"],
            "seconds": round(seconds, 1),
            "adapter": section.adapter.type,
            "type": section.type,
            "bf16": section.bf16,
            "best_step": _take_best(guard, trainer, out),
        }
        write_result(out, trainer, facts)
    watchdog.close()


def _prepare(section: Train, job: dict[str, Any], out: Path, watchdog: Any) -> tuple[Any, Any]:
    """Return the trainer and what guards it."""
    from devtune.train.adapter import check_wrapped, load_for_training, peft_config
    from devtune.train.guard import Best, Guard
    from devtune.train.reporter import Reporter
    from devtune.train.trainers import arguments_of, make_trainer

    base, dataset = Path(job["base"]), Path(job["dataset"])
    checkpoints = Checkpoints(out / CHECKPOINTS, job["owner"])
    trained, held_out = _rows(section, dataset)
    section = _measurable(section, len(held_out))
    if job["engine"] and job["accelerator"] == "cpu":
        from devtune.train.ranks import join_ranks

        join_ranks(section.ddp_timeout)
    arguments = arguments_of(section, job, checkpoints.staging)  # before the model: ZeRO-3
    arguments.eval_on_start = bool(section.eval_steps and not job["checkpoint"])
    model = load_for_training(section, base)
    watchdog.progress()
    trainer = make_trainer(
        section,
        model=model,
        args=arguments,
        train_dataset=trained,
        eval_dataset=held_out if len(held_out) else None,
        processing_class=_tokenizer(base),
        peft_config=peft_config(section),
    )
    trainer.section, trainer.out, trainer.dataset = section, out, dataset
    if section.adapter.type != "full":
        names = [name for name, each in trainer.model.named_modules() if hasattr(each, "lora_A")]
        check_wrapped(names, base)
    guard = Guard(out, section, checkpoints, watchdog, trainer)
    if job["best_step"]:
        guard.best = Best(job["best_step"], job["best_loss"])
        if trainer.is_world_process_zero():  # now, not after days
            checkpoints.of_step(job["best_step"])
    trainer.add_callback(guard)
    trainer.add_callback(Reporter(out))
    return trainer, guard


def _rows(section: Train, dataset: Path) -> tuple[Any, Any]:
    """Return what is trained on and what is held out."""
    from devtune.train.rows import load_pairs, load_rows

    if not isinstance(section, SftSection):
        return load_pairs(
            dataset / f"{PREFERENCES}.parquet", section.max_length, section.eval_samples
        )
    files = [dataset / f"{split}.parquet" for split in ("train", "held_out")]
    trained = load_rows(files[0], section.max_length, weights=section.loss_weights)
    return trained, load_rows(files[1], section.max_length, section.eval_samples)


def _measurable(section: Train, num_held_out: int) -> Train:
    """Return the section without what needs rows that are held out where there are none."""
    if num_held_out:
        return section
    if section.load_best_model_at_end:
        raise DevtuneError(
            "train.load_best_model_at_end: the dataset holds nothing out, so no state is known to"
            " be the best; set it to false, or hold commits out in the pipeline"
        )
    return section.model_copy(update={"eval_steps": None})


def _place_tracking(out: Path) -> None:
    """Trackers write beside the adapter, not into the user's home or working directory."""
    os.environ["WANDB_PROJECT"] = "devtune"
    for variable in ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR"):
        os.environ[variable] = str(out / TRACKING)
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(out / TRACKING)


def _tokenizer(base: Path) -> Any:
    """Only its padding id is used: the dataset is rendered already."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(base, local_files_only=True, mode="finetuning")


def _take_best(guard: Any, trainer: Any, out: Path) -> int | None:
    """Put the weights of the best checkpoint in the place of the last ones; return its step."""
    if not guard.section.load_best_model_at_end:
        return None
    last = [row["eval_loss"] for row in trainer.state.log_history if "eval_loss" in row][-1]
    if not guard.best.loss < last or not math.isfinite(guard.best.loss):
        return trainer.state.global_step
    found = guard.checkpoints.of_step(guard.best.step)
    for old in parts_of(out / FINAL, WEIGHTS):
        old.unlink()
    for file in parts_of(found.path, WEIGHTS):
        shutil.copyfile(file, out / FINAL / file.name)
    return found.step


def _measured_at_end(history: list[dict[str, Any]]) -> bool:
    last = max((row["step"] for row in history), default=0)
    return any("eval_loss" in row and row["step"] == last for row in history)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

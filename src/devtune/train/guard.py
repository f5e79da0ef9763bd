"""A callback that commits checkpoints, stops when asked, and ends a job that goes astray.

Every rank runs it, and all decide alike: what one rank sees is agreed on at the end of a step.
Reads the stop file and the owner's token; writes checkpoints.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from accelerate.utils import broadcast_object_list, gather_object
from transformers import TrainerCallback

from devtune.errors import DevtuneError
from devtune.fingerprint import hash_file
from devtune.launch.mailbox import EXIT_FENCED, is_asked_to_stop, owner_of
from devtune.train.adapter import num_trained
from devtune.train.checkpoints import Checkpoints, files_of, has_space, no_space
from devtune.train.watch import Watchdog
from devtune.tuning import SftSection, TrainSection

GO, STOP, FENCED, FULL = range(4)
SPIKE_STEPS = 20
BYTES_A_TRAINED_PARAMETER = 16
"""Weight, master copy and two moments in float32: a first checkpoint is not larger."""


class Fenced(DevtuneError):
    """Another job owns the run now."""

    exit_code = EXIT_FENCED


@dataclass
class Best:
    """The lowest held-out loss so far."""

    step: int = 0
    loss: float = math.inf


@dataclass
class Guard(TrainerCallback):
    """One for each rank."""

    out: Path
    section: TrainSection
    checkpoints: Checkpoints
    watchdog: Watchdog
    trainer: Any
    best: Best = field(default_factory=Best)
    is_stopped: bool = False
    _losses: deque[float] = field(default_factory=lambda: deque(maxlen=SPIKE_STEPS))
    _needed_bytes: int = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Learn how much room a checkpoint takes."""
        committed = self.checkpoints.committed()
        estimate = num_trained(self.trainer.model) * BYTES_A_TRAINED_PARAMETER
        self._needed_bytes = committed[0].num_bytes if committed else estimate
        self.watchdog.progress()

    def on_substep_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """A micro-batch is progress."""
        self.watchdog.progress()

    def on_prediction_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """So is one of the held-out rows."""
        self.watchdog.progress()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Agree with all ranks whether to go on."""
        self.watchdog.progress()
        is_last = state.global_step >= state.max_steps
        # Resumed from its last step, transformers would take one step more: a run killed after it
        # goes on from the checkpoint before instead.
        control.should_save = control.should_save and not is_last
        word = self._agree(self._look(control.should_save, state.is_world_process_zero))
        if word == STOP and not is_last:
            self.is_stopped = control.should_save = control.should_training_stop = True
        if word == FENCED:
            raise _fenced(self.out)
        if word == FULL:
            raise no_space(self.out, self._needed_bytes)

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any
    ) -> None:
        """Keep the state of a lower held-out loss than any before."""
        self.watchdog.progress()
        loss = float((metrics or {}).get("eval_loss", math.inf))
        if self.section.load_best_model_at_end and loss < self.best.loss and state.global_step:
            self.best = Best(state.global_step, loss)
            control.should_save = state.global_step < state.max_steps

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Publish what transformers has just written, hashed by all ranks together."""
        accelerator = self.trainer.accelerator
        accelerator.wait_for_everyone()
        staged = self.checkpoints.staged(state.global_step)
        names: list[Any] = [files_of(staged) if state.is_world_process_zero else None]
        broadcast_object_list(names)
        mine = names[0][accelerator.process_index :: accelerator.num_processes]
        hashes = dict(gather_object([(name, hash_file(staged / name)) for name in mine]))
        if state.is_world_process_zero:
            self._commit(state.global_step, hashes)
        accelerator.wait_for_everyone()
        self.watchdog.progress()

    def _commit(self, step: int, hashes: dict[str, str]) -> None:
        if owner_of(self.out) != self.checkpoints.owner:
            raise _fenced(self.out)
        facts = {
            "num_processes": self.trainer.accelerator.num_processes,
            "best_step": self.best.step,
            "best_loss": self.best.loss if self.best.step else None,
        }
        self._needed_bytes = self.checkpoints.commit(step, hashes, facts).num_bytes
        also = self.best.step if self.section.load_best_model_at_end else None
        self.checkpoints.prune(self.section.save_total_limit, also)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """End a job whose loss says that it goes wrong."""
        loss = (logs or {}).get("loss")
        if loss is None:
            return
        norm = logs.get("grad_norm")
        if norm is not None and not math.isfinite(norm):  # before weights made of it are saved
            self.trainer.end_astray(f"the gradient of step {state.global_step} is {norm}")
        _check_first_loss(state.global_step, float(loss), self.section, self.trainer.model)
        usual = sum(self._losses) / len(self._losses) if self._losses else math.inf
        if len(self._losses) == SPIKE_STEPS and loss > self.section.max_loss_ratio * usual:
            self.trainer.end_astray(
                f"the loss of step {state.global_step} is {loss:.3g}, more than"
                f" {self.section.max_loss_ratio:g} times that of the"
                f" {SPIKE_STEPS} before"
            )
        self._losses.append(float(loss))

    def _look(self, is_saving: bool, is_first: bool) -> int:
        """What the first rank sees on the disk."""
        if not is_first:
            return GO
        is_stopping = is_asked_to_stop(self.out)
        if is_saving or is_stopping:
            if owner_of(self.out) != self.checkpoints.owner:
                return FENCED
            if not has_space(self.out, self._needed_bytes):
                return FULL
        return STOP if is_stopping else GO

    def _agree(self, word: int) -> int:
        if not dist.is_initialized():
            return word
        agreed = torch.tensor(word, device=self.trainer.accelerator.device)
        dist.all_reduce(agreed, op=dist.ReduceOp.MAX)
        return int(agreed)


def _fenced(out: Path) -> Fenced:
    return Fenced(
        f"{out}: another job owns this run now; this one saves nothing more and ends; if that is"
        " not so, run the command again"
    )


def _check_first_loss(step: int, loss: float, section: TrainSection, model: Any) -> None:
    """A first loss near ln V is that of random weights: FP8 read without its scales, mostly."""
    if not isinstance(section, SftSection) or step != 1:
        return
    random_loss = math.log(model.config.get_text_config().vocab_size)
    heaviest = max([1.0, *section.loss_weights.values()])
    if loss > 0.9 * random_loss * heaviest:
        raise DevtuneError(
            f"the first loss is {loss:.2f}, that of random weights "
            f"(ln V = {random_loss:.2f}); the base is not what it should be: import it again"
        )

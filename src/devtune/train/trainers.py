"""TRL's trainers on rendered tokens, with states that are no pickles and losses that are watched.

transformers calls the methods overridden here by their names: subclassing is its way to be
extended.
"""

import json
from pathlib import Path
from typing import Any, NoReturn

import torch
from datasets import Dataset
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from devtune.errors import DevtuneError
from devtune.launch.mailbox import ASTRAY
from devtune.train.adapter import keep_precision
from devtune.train.batches import pair_collator, tokens_in, with_weights
from devtune.train.ranks import has_engine, is_converted, mend_converted, save_engine, shared_rows
from devtune.train.rows import PAIR_COLUMNS, WEIGHTS, samples_of
from devtune.train.states import (
    load_optimizer,
    load_random,
    load_scheduler,
    save_optimizer,
    save_random,
    save_scheduler,
)
from devtune.tuning import SftSection, Train, TrainSection

OWN = {
    "type", "adapter", "deepspeed", "attn_implementation", "eval_samples", "trainer_args",
    "load_best_model_at_end", "save_total_limit", "max_loss_ratio", "loss_weights", "loss_type",
    "sequence_parallel_size",
}  # fmt: skip
"""Fields of a section that are not passed on as they are."""


class _Watched:
    """What both trainers do; `section`, `out` and `dataset` are set after they are made."""

    section: TrainSection
    out: Path
    dataset: Path
    _step: int = -1
    _seen: list[dict[str, Any]]

    def training_step(self: Any, model: Any, inputs: Any, *rest: Any, **named: Any) -> Any:
        """Remember what a step learns from, and end where its loss is no number."""
        if self._step != self.state.global_step:
            self._step, self._seen = self.state.global_step, []
        self._seen.append(inputs)
        loss = super().training_step(model, inputs, *rest, **named)  # pyright: ignore
        if not torch.isfinite(loss):
            self.end_astray(f"the loss of step {self._step + 1} is {float(loss)}")
        return loss

    def end_astray(self: Any, why: str) -> NoReturn:
        """Write which samples this rank learnt from in this step, and end the job."""
        found = samples_of(self.dataset, [ids for each in self._seen for ids in tokens_in(each)])
        rank = self.accelerator.process_index
        folder = self.out / ASTRAY
        folder.mkdir(exist_ok=True)
        content = {"step": self._step + 1, "rank": rank, "why": why, "samples": found}
        file = folder / f"rank-{rank}.json"
        file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        raise DevtuneError(
            f"{why}; {len(found)} samples were in it: {', '.join(found[:3])} … ({file}); look at"
            " them with `devtune trace`, or lower train.learning_rate"
        )

    def _save_optimizer_and_scheduler(self: Any, output_dir: str) -> None:
        if has_engine(self):
            save_engine(self, output_dir)
        elif self.args.should_save:
            save_optimizer(self.optimizer, Path(output_dir))
        if self.args.should_save:
            save_scheduler(self.lr_scheduler, Path(output_dir))

    def _load_optimizer_and_scheduler(self: Any, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        if not has_engine(self):
            load_optimizer(self.optimizer, Path(checkpoint))
        elif is_converted(Path(checkpoint)):
            mend_converted(self)
        load_scheduler(self.lr_scheduler, Path(checkpoint))

    def _save_rng_state(self: Any, output_dir: str) -> None:
        Path(output_dir).mkdir(parents=True, exist_ok=True)
        save_random(Path(output_dir), self.args.process_index)

    def _load_rng_state(self: Any, checkpoint: str | None) -> None:
        if checkpoint is not None:
            load_random(Path(checkpoint), self.args.process_index)


class Sft(_Watched, SFTTrainer):  # pyright: ignore
    """Rows of tokens, each with the weight of its family."""

    def _set_signature_columns_if_needed(self: Any) -> None:
        super()._set_signature_columns_if_needed()
        if WEIGHTS not in self._signature_columns:
            self._signature_columns.append(WEIGHTS)

    def compute_loss(  # pyright: ignore[reportIncompatibleMethodOverride]
        self: Any, model: Any, inputs: Any, return_outputs: bool = False, **named: Any
    ) -> Any:
        """As TRL's, each token's loss times its weight where rows have weights."""
        weights = inputs.pop(WEIGHTS, None)
        if weights is None:
            return super().compute_loss(model, inputs, return_outputs, **named)
        outputs = model(**inputs, use_cache=False, fused_lm_head=True)
        count = named.get("num_items_in_batch")
        count = outputs.label_mask.sum() if count is None else count
        loss = -(outputs.log_probs * weights[:, 1:]).sum() / torch.as_tensor(count).clamp(min=1)
        if self.args.average_tokens_across_devices and named.get("num_items_in_batch") is not None:
            loss = loss * self.accelerator.num_processes
        return (loss, outputs) if return_outputs else loss


class Dpo(_Watched, DPOTrainer):  # pyright: ignore
    """Pairs of tokens, rendered already."""

    def _prepare_dataset(self, dataset: Dataset, *_: Any, **__: Any) -> Dataset:  # pyright: ignore
        return dataset

    def _set_signature_columns_if_needed(self: Any) -> None:
        self._signature_columns = [*PAIR_COLUMNS, "ref_chosen_logps", "ref_rejected_logps"]


def arguments_of(section: Train, job: dict[str, Any], staging: Path) -> Any:
    """Return TRL's configuration: the section's fields by their names, and what devtune owns.

    `staging` is where transformers writes checkpoints before they are committed.
    """
    fields = {name: value for name, value in section if name not in OWN}
    if isinstance(section, SftSection):
        kind = SFTConfig
        # Rows are packed a thousand at a time: long ones want short ones among them.
        fields |= {"packing_strategy": "bfd", "shuffle_dataset": section.packing}
    else:
        kind = DPOConfig
        fields["loss_type"] = list(section.loss_type)
        fields["max_length"] = None  # longer pairs were refused; nothing is cut
    return kind(
        output_dir=str(staging),
        deepspeed=job["engine"],
        use_cpu=job["accelerator"] == "cpu",
        dataloader_pin_memory=job["accelerator"] != "cpu",
        eval_strategy="steps" if section.eval_steps else "no",
        # A resumed run averages only what it logs itself, so every step is logged: one curve,
        # however often the run was killed.
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        disable_tqdm=True,
        remove_unused_columns=True,
        **fields,
        **shared_rows(section),
        **section.trainer_args,
    )


def make_trainer(section: TrainSection, **parts: Any) -> Any:
    """Return the trainer of a section; `parts` are the arguments TRL's takes."""
    if isinstance(section, SftSection):
        trainer = Sft(**parts)
        if WEIGHTS in parts["train_dataset"].column_names:
            trainer.data_collator = with_weights(trainer.data_collator)
    else:
        pad = parts["processing_class"].pad_token_id
        trainer = Dpo(**parts, data_collator=pair_collator(pad))
    keep_precision(section, trainer.model)
    return trainer

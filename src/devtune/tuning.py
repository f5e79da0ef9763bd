"""The grammar of training: dataset/ → adapter/, by examples or by preferences.

Field names are those of TRL, PEFT and transformers; the sentence under a field documents it.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from devtune.section import Count, FilePath, Fraction, Section

LINEAR_LAYERS = (
    r"model\.(language_model\.)?layers\.\d+\.(self_attn\.(q|k|v|o)_proj|mlp\.(gate|up|down)_proj)"
)


class LoraAdapter(Section):
    """Low-rank matrices on a frozen BF16 base (PEFT `LoraConfig`)."""

    type: Literal["lora"]
    """Which parameters are trained."""
    r: Count = 16
    """Rank."""
    lora_alpha: Count = 32
    """Scale; the update is multiplied by lora_alpha / r, or by lora_alpha / sqrt(r) with rslora."""
    lora_dropout: Fraction = 0.0
    """Dropout before the low-rank matrices."""
    target_modules: str = LINEAR_LAYERS
    """Regular expression over full module names; by default all linear layers of the text model."""
    use_rslora: bool = False
    """Rank-stabilised scale."""
    use_dora: bool = False
    """Weight-decomposed adaptation."""


class QLoraAdapter(LoraAdapter):
    """LoRA on a base quantised to NF4 (bitsandbytes)."""

    type: Literal["qlora"]  # pyright: ignore[reportIncompatibleVariableOverride]
    """Which parameters are trained."""
    bnb_4bit_quant_type: Literal["nf4", "fp4"] = "nf4"
    """Data type of the quantised weights."""
    bnb_4bit_use_double_quant: bool = True
    """Quantise the quantisation constants too."""


class FullAdapter(Section):
    """No adapter: every weight of the text model is trained."""

    type: Literal["full"]
    """Which parameters are trained."""


Adapter = Annotated[LoraAdapter | QLoraAdapter | FullAdapter, Field(discriminator="type")]


Schedule = Literal[
    "linear", "cosine", "cosine_with_restarts", "cosine_with_min_lr", "polynomial", "constant",
    "constant_with_warmup", "inverse_sqrt", "reduce_lr_on_plateau", "warmup_stable_decay",
]  # fmt: skip
Attention = Literal["sdpa", "eager", "flash_attention_2", "flash_attention_3"]


class TrainSection(Section):
    """What every training has; names are those of transformers' `TrainingArguments`."""

    UNSIGNED: ClassVar[frozenset[str]] = frozenset(
        ("per_device_train_batch_size", "gradient_accumulation_steps", "save_steps")
        + ("save_total_limit", "ddp_timeout", "max_loss_ratio", "report_to")
    )

    type: str
    """Which training."""
    adapter: Adapter
    """LoRA, QLoRA or full."""
    deepspeed: FilePath | None = None
    """DeepSpeed JSON; batch sizes, clipping and dtype are filled in from this section."""
    learning_rate: float = Field(gt=0)
    """Peak learning rate."""
    lr_scheduler_type: Schedule = "cosine"
    """Name of a transformers schedule."""
    warmup_steps: float = Field(default=0.03, ge=0)
    """Steps, or a share of all steps when below 1."""
    weight_decay: float = Field(default=0.0, ge=0)
    """Decoupled weight decay."""
    max_grad_norm: float = Field(default=1.0, ge=0)
    """Gradients are clipped to this norm; 0 clips nothing."""
    num_train_epochs: float = Field(default=1.0, gt=0)
    """Passes over the dataset, unless max_steps is set."""
    max_steps: int = -1
    """Optimiser steps; -1 for whole epochs."""
    per_device_train_batch_size: Count = 1
    """Samples, packed rows or pairs a rank takes at once."""
    gradient_accumulation_steps: Count = 1
    """Micro-batches to one optimiser step."""
    max_length: Count
    """Length of a row in tokens; a longer sample is an error, never cut."""
    gradient_checkpointing: bool = True
    """Recompute activations in the backward pass."""
    bf16: bool = True
    """Compute in bfloat16; a CPU without instructions for it computes in float32."""
    attn_implementation: Attention = "sdpa"
    """Attention kernel, e.g. flash_attention_2 on GPUs that have it."""
    sequence_parallel_size: Count = 1
    """Ranks that share each row (DeepSpeed Ulysses), for rows too long for one; divides them."""
    eval_steps: Count | None = None
    """Measure the held-out loss every so many steps; by default at the end only."""
    eval_samples: Count = 64
    """Held-out samples used during training, chosen by hash."""
    load_best_model_at_end: bool = False
    """The result is the state with the lowest held-out loss, not the last one; needs eval_steps."""
    save_steps: Count = 50
    """Checkpoint every so many steps: what a kill can cost."""
    save_total_limit: Count = 2
    """Checkpoints kept; the best one is kept besides where it is to be the result."""
    ddp_timeout: Count = 1800
    """Seconds without progress after which a job hangs: every rank's stack is written, it ends."""
    max_loss_ratio: float = Field(default=10.0, gt=1)
    """A loss so many times the mean of the last 20 steps, or none that is finite, ends the job."""
    seed: int = 42
    """Seed of initialisation and order."""
    report_to: Literal["none", "wandb", "tensorboard"] = "none"
    """Tracker; wandb stays offline."""

    def total_train_batch_size(self, ranks: int) -> int:
        """Return the samples of one optimiser step: the same on any number of ranks or refused."""
        batch = self.per_device_train_batch_size * self.gradient_accumulation_steps
        return batch * ranks // self.sequence_parallel_size


class SftSection(TrainSection):
    """Supervised fine-tuning through TRL's SFTTrainer; names are those of `SFTConfig`."""

    type: Literal["sft"]  # pyright: ignore[reportIncompatibleVariableOverride]
    """Which training."""
    packing: bool = True
    """Fill rows with several samples; positions restart at each, and none attends to another."""
    loss_weights: dict[str, Annotated[float, Field(ge=0)]] = {}
    """Family to weight of its tokens in the loss; 1 where none is named."""
    trainer_args: dict[str, Any] = {}
    """Any other `SFTConfig` field, passed as it is after its name was checked."""


class DpoSection(TrainSection):
    """Preference training through TRL's DPOTrainer; names are those of `DPOConfig`."""

    type: Literal["dpo"]  # pyright: ignore[reportIncompatibleVariableOverride]
    """Which training."""
    beta: float = Field(default=0.1, gt=0)
    """How near the result stays to the base; higher is nearer."""
    loss_type: tuple[str, ...] = ("sigmoid",)
    """Losses of TRL, summed; e.g. `sigmoid` (DPO), `ipo`, and `sft` for the chosen side."""
    trainer_args: dict[str, Any] = {}
    """Any other `DPOConfig` field, passed as it is after its name was checked."""


Train = Annotated[SftSection | DpoSection, Field(discriminator="type")]

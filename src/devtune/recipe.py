"""The grammar of a recipe: one frozen, strict section for each stage.

Field names are the upstream names (TRL `SFTConfig`, PEFT `LoraConfig`, DeepSpeed JSON). The
sentence under a field is its documentation: `--help`, the JSON Schema and editors show it.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from devtune.pipeline import (
    BuildSection,
    CollectSection,
    Executor,
    LocalExecutor,
    RenderSection,
)
from devtune.section import Count, FilePath, Fraction, PlainPath, Section

# --- import: published weights -> base/ ---------------------------------------------------------


class Shape(Section):
    """The published architecture, under the names of its `config.json`."""

    architecture: str
    """Class name, the first of `architectures`."""
    hidden_size: Count
    """Width of the residual stream."""
    num_hidden_layers: Count
    """Number of decoder layers."""
    num_attention_heads: Count
    """Query heads."""
    num_key_value_heads: Count
    """Key/value heads."""
    head_dim: Count
    """Width of one head; not always hidden_size / num_attention_heads."""
    intermediate_size: Count
    """Width of the MLP."""
    vocab_size: Count
    """Rows of the embedding."""
    tie_word_embeddings: bool
    """Whether lm_head is the embedding."""
    vision_parameters: int = 0
    """Parameters of the vision tower and projector, carried along untouched."""


class BreezeImport(Section):
    """The embedded default: SmolLM2-135M-Instruct in Devstral 2's architecture and tokenizer."""

    type: Literal["breeze"]
    """Which kind of weights."""
    format: Literal["bf16", "fp8"] = "bf16"
    """bf16, or fp8 in exactly the layout Mistral publishes Devstral 2 in."""
    shape: Shape | None = None
    """Checked against the weights when given."""
    out: PlainPath | None = None
    """Where base/ goes when several recipes share it; by default `<run_dir>/base`."""


class CheckpointImport(Section):
    """A published checkpoint on this machine's disk; FP8 weights become BF16."""

    type: Literal["checkpoint"]
    """Which kind of weights."""
    path: PlainPath
    """Directory with config.json, model*.safetensors and tekken.json as downloaded, or with
    params.json and consolidated*.safetensors of Mistral's own layout. Files that a SHA256SUMS in
    it names are hashed first."""
    shape: Shape | None = None
    """Checked against the weights when given."""
    out: PlainPath | None = None
    """Where base/ goes when several recipes share it; by default `<run_dir>/base`."""


ImportSection = Annotated[BreezeImport | CheckpointImport, Field(discriminator="type")]


# --- train: dataset/ -> adapter/ ----------------------------------------------------------------

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


class SftSection(Section):
    """Supervised fine-tuning through TRL's SFTTrainer; names are those of `SFTConfig`."""

    type: Literal["sft"]
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
    """Samples, or packed rows, a rank takes at once."""
    gradient_accumulation_steps: Count = 1
    """Micro-batches to one optimiser step."""
    packing: bool = True
    """Fill rows with several samples; positions restart at each, and none attends to another."""
    max_length: Count
    """Length of a packed row in tokens; a longer sample is an error, never cut."""
    gradient_checkpointing: bool = True
    """Recompute activations in the backward pass."""
    bf16: bool = True
    """Compute in bfloat16; a CPU without instructions for it computes in float32."""
    attn_implementation: Attention = "sdpa"
    """Attention kernel, e.g. flash_attention_2 on GPUs that have it."""
    eval_steps: Count | None = None
    """Measure the held-out loss every so many steps; by default at the end only."""
    eval_samples: Count = 64
    """Held-out samples used during training, chosen by hash."""
    save_steps: Count = 50
    """Checkpoint every so many steps: what a kill can cost."""
    seed: int = 42
    """Seed of initialisation and order."""
    report_to: Literal["none", "wandb", "tensorboard"] = "none"
    """Tracker; wandb stays offline."""
    trainer_args: dict[str, Any] = {}
    """Any other `SFTConfig` field, passed as it is after its name was checked."""


# --- the rest of the line -----------------------------------------------------------------------


class MergeSection(Section):
    """Adapter into base, tensor by tensor in float32."""

    max_shard_gb: float = Field(default=5.0, gt=0)
    """Size of a safetensors shard in GB."""


class ExportSection(Section):
    """What is served."""

    type: Literal["bf16"] = "bf16"
    """Hugging Face layout in BF16."""
    served_model_name: str = "devtune"
    """Name clients ask the server for."""
    check_tokens: Count = 256
    """Tokens of the load check: logits of base + adapter against those of the export."""


class EvaluateSection(Section):
    """What is measured, base against tuned, by family."""

    max_samples: Count = 64
    """Held-out samples a family for loss and bits per byte."""
    max_completions: Count = 8
    """Held-out samples a family answered greedily."""
    max_new_tokens: Count = 128
    """Tokens an answer may have."""
    batch_size: Count = 8
    """Samples at once."""
    canaries: FilePath | None = None
    """Values planted in the sources, which the tuned model must not know: a file for its owner
    alone (mode 0600), one JSON object a line with `name`, `value`, `prefix` (the text before it)
    and, optionally, `fixed` (how many first characters all values of its kind share)."""
    canary_controls: int = Field(default=127, ge=100)
    """Random values of its shape, never planted, that each canary is ranked among."""


class ClusterSection(Section):
    """Where it runs; a part of its own so that a number stands in one place."""

    accelerator: Literal["cpu", "cuda"] = "cpu"
    """Kind of device."""
    nodes: Count = 1
    """Machines."""
    processes_per_node: Count = 1
    """Ranks on a machine: one for each GPU."""
    memory_gib: float = Field(default=16.0, gt=0)
    """Memory of one device."""


class Recipe(Section):
    """One run from repository to report."""

    run_dir: PlainPath
    """Where every stage writes its directory."""
    import_: ImportSection = Field(alias="import")
    """Published weights -> base/."""
    collect: CollectSection
    """Repositories -> corpus/."""
    build: BuildSection
    """corpus/ -> samples/."""
    render: RenderSection
    """samples/ -> dataset/."""
    train: SftSection
    """dataset/ -> adapter/."""
    merge: MergeSection = MergeSection()
    """adapter/ -> model/."""
    export: ExportSection = ExportSection()
    """model/ -> serving/."""
    evaluate: EvaluateSection = EvaluateSection()
    """base/ and serving/ -> report/."""
    cluster: ClusterSection = ClusterSection()
    """Machines and ranks of training."""
    executor: Executor = LocalExecutor(type="local")
    """Where collect and build run; the result is the same wherever that is."""
    readable_by: Literal["owner", "group", "everyone"] = "owner"
    """Who on this machine may read corpus/, samples/, dataset/ and report/, whatever the umask."""

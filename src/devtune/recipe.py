"""The grammar of a recipe: one frozen, strict section for each stage.

Field names are the upstream names (TRL `SFTConfig`, PEFT `LoraConfig`, DeepSpeed JSON). The
sentence under a field is its documentation: `--help`, the JSON Schema and editors show it.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic.fields import FieldInfo

from devtune.paths import located

HASHED = "hashed"
FilePath = Annotated[Path, BeforeValidator(located), PlainSerializer(str), HASHED]
"""A file the section refers to; its content, not its name, goes into the fingerprint."""
PlainPath = Annotated[Path, BeforeValidator(located), PlainSerializer(str)]
"""A directory; the stage itself says what its content is (see `line.Stage.identify`)."""
Fraction = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]


def is_file_reference(field: FieldInfo) -> bool:
    """Whether a field holds a `FilePath`, whose content belongs to the fingerprint."""
    parts = get_args(field.annotation)
    metadata = [each for part in parts for each in getattr(part, "__metadata__", ())]
    return HASHED in (*field.metadata, *metadata)


class Section(BaseModel):
    """What all sections share: unknown keys are errors, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


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
    """Directory with config.json, *.safetensors and tekken.json."""
    shape: Shape | None = None
    """Checked against the weights when given."""
    out: PlainPath | None = None
    """Where base/ goes when several recipes share it; by default `<run_dir>/base`."""


ImportSection = Annotated[BreezeImport | CheckpointImport, Field(discriminator="type")]


# --- collect: repository -> corpus/ -------------------------------------------------------------


class GitSource(Section):
    """A git repository, bare or not; read through its objects, never checked out."""

    type: Literal["git"]
    """Which kind of source."""
    path: PlainPath
    """The repository."""
    ref: str | None = None
    """Branch, tag or commit; by default the checked-out branch; `HEAD` takes a detached one too."""
    name: str | None = None
    """Name in provenance; by default the directory's name."""


class DirectorySource(Section):
    """A plain directory without history; split by file."""

    type: Literal["directory"]
    """Which kind of source."""
    path: PlainPath
    """The directory."""
    name: str | None = None
    """Name in provenance; by default the directory's name."""


class PackageSource(Section):
    """The source tree of a Python package installed beside devtune; split by file."""

    type: Literal["package"]
    """Which kind of source."""
    name: str
    """Import name, e.g. `mistral_common`; it is located, not imported."""


Source = Annotated[GitSource | DirectorySource | PackageSource, Field(discriminator="type")]


class CollectSection(Section):
    """Which code is read, and what of it is left out."""

    sources: tuple[Source, ...] = Field(min_length=1)
    """The repositories and directories."""
    exclude: FilePath
    """Policy file: path and header patterns of vendored, generated and lock files."""
    held_out: Fraction = 0.15
    """Share kept for measuring: the latest commits of a history, files of a directory by hash."""
    max_bytes: Count = 1_000_000
    """Larger files are rejected."""
    max_line_length: Count = 1_000
    """Files with a longer line are rejected."""


# --- build: corpus/ -> samples/ -----------------------------------------------------------------


class CommitEdit(Section):
    """Commit message and old text -> search/replace blocks."""

    type: Literal["commit_edit"]
    """Name of the step."""
    prompt: FilePath
    """Jinja template of the request."""
    max_files: Count = 5
    """Commits touching more files are left out."""
    max_changed_lines: Count = 60
    """Edits changing more lines of a file are left out."""
    context_lines: Count = 12
    """Lines shown on each side of a change when the file is long."""
    min_subject_words: Count = 3
    """Commits with a shorter subject say too little."""
    skip_subjects: tuple[str, ...] = ()
    """Regular expressions; a matching subject is left out (merges, reverts, version bumps)."""


class DocstringToFunction(Section):
    """Signature and docstring -> the function."""

    type: Literal["docstring_to_function"]
    """Name of the step."""
    prompt: FilePath
    """Jinja template of the request."""
    min_lines: Count = 3
    """Shorter bodies are left out."""
    max_lines: Count = 40
    """Longer functions are left out."""
    min_docstring_words: Count = 4
    """Shorter docstrings do not say what to write."""


class FunctionToDocstring(Section):
    """The function without its docstring -> the docstring."""

    type: Literal["function_to_docstring"]
    """Name of the step."""
    prompt: FilePath
    """Jinja template of the request."""
    min_lines: Count = 3
    """Shorter bodies are left out."""
    max_lines: Count = 40
    """Longer functions are left out."""
    min_docstring_words: Count = 4
    """Shorter docstrings teach nothing."""


class FillInTheMiddle(Section):
    """A file with one block cut out -> the block."""

    type: Literal["fill_in_the_middle"]
    """Name of the step."""
    prompt: FilePath
    """Jinja template of the request."""
    min_lines: Count = 2
    """Smaller blocks are left out."""
    max_lines: Count = 12
    """Larger blocks are left out."""
    context_lines: Count = 25
    """Lines shown before and after the gap."""
    per_file: Count = 3
    """Blocks taken from one file, chosen by hash."""


class ExactDedup(Section):
    """Samples with equal messages become one, with all their provenance."""

    type: Literal["exact_dedup"]
    """Name of the step."""


class MaxPerFamily(Section):
    """At most so many samples of a family, chosen by hash."""

    type: Literal["max_per_family"]
    """Name of the step."""
    train: Count
    """Ceiling for training."""
    held_out: Count
    """Ceiling for measuring."""


Step = Annotated[
    CommitEdit
    | DocstringToFunction
    | FunctionToDocstring
    | FillInTheMiddle
    | ExactDedup
    | MaxPerFamily,
    Field(discriminator="type"),
]


class BuildSection(Section):
    """How the corpus becomes conversations."""

    steps: tuple[Step, ...] = Field(min_length=1)
    """Families first, then filters; run from top to bottom."""


class RenderSection(Section):
    """How conversations become tokens."""

    max_length: Count
    """Samples of more tokens are rejected, never cut."""


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
    lr_scheduler_type: str = "cosine"
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
    """Compute in bfloat16."""
    attn_implementation: str = "sdpa"
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

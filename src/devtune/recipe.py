"""The grammar of a recipe: one frozen, strict section for each stage.

Field names are the upstream names (TRL `SFTConfig`, PEFT `LoraConfig`, DeepSpeed JSON). The
sentence under a field is its documentation: `--help`, the JSON Schema and editors show it.
"""

from typing import Annotated, Literal

from pydantic import Field

from devtune.pipeline import (
    BuildSection,
    CollectSection,
    Executor,
    LocalExecutor,
    RenderSection,
)
from devtune.section import Count, FilePath, PlainPath, Section
from devtune.tuning import Train

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
    train: Train
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

"""What a recipe asks of its machines, by arithmetic alone: parameters, memory, tokens a step.

Reads the recipe and its DeepSpeed JSON; writes nothing and loads no torch. Every figure is a
formula, none was measured on a GPU, and the output says so.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from devtune.errors import RecipeError
from devtune.recipe import ClusterSection, Recipe, Shape
from devtune.train.engine import engine_settings, zero_stage
from devtune.tuning import DpoSection, FullAdapter, QLoraAdapter, SftSection, TrainSection

GIB = 2**30
BF16, FP32 = 2, 4
HEADROOM = 0.10  # for the CUDA context, fragmentation and communication
BASIS = "formulas, not measured on a GPU"
QUANT_BLOCK, NESTED_BLOCK = 64, 256
"""bitsandbytes: weights to one scale, and scales to one scale of scales."""


@dataclass(frozen=True)
class Memory:
    """GiB on one device, by what holds it."""

    weights_gib: float
    gradients_gib: float
    optimizer_gib: float
    activations_gib: float
    buffers_gib: float
    """What ZeRO gathers and reduces through."""


@dataclass(frozen=True)
class Plan:
    """The answer of `plan`."""

    basis: str
    method: str
    text_parameters: int
    """Of the text model, embeddings counted once when tied."""
    trained_parameters: int
    ranks: int
    zero_stage: int
    tokens_per_step: int
    """Tokens of one optimiser step, when every packed row is full."""
    memory: Memory
    loading_gib: float
    """The weights as they stand on a device before ZeRO shards them."""
    total_gib: float
    """On one device: the larger of training and loading."""
    limit_gib: float
    """The device's memory less the headroom."""
    fits: bool
    host_gib: float
    """What is offloaded to the memory of one machine."""
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Sharding:
    stage: int
    ranks: int
    engine: bool
    zero: dict[str, Any]

    def divisor(self, from_stage: int) -> int:
        return self.ranks if self.stage >= from_stage else 1

    def offloads(self, what: str) -> bool:
        device = (self.zero.get(f"offload_{what}") or {}).get("device", "none")
        return self.engine and device in ("cpu", "nvme")


def plan(recipe: Recipe) -> Plan:
    """Return what the recipe's training needs on each device of its cluster part.

    Raises `RecipeError` when `import.shape` is missing.
    """
    shape, train, cluster = recipe.import_.shape, recipe.train, recipe.cluster
    if shape is None:
        raise RecipeError(
            "import.shape is missing and the plan counts from it; use a part of configs/model or"
            " write the values of the model's config.json there"
        )
    settings = engine_settings(train)
    sharding = _Sharding(
        stage=zero_stage(train),
        ranks=cluster.nodes * cluster.processes_per_node,
        engine=settings is not None,
        zero=(settings or {}).get("zero_optimization", {}),
    )
    trained = trained_parameters(shape, train)
    memory, loading, host = _memory(shape, train, trained, sharding)
    total = max(sum(asdict(memory).values()), loading)
    limit = cluster.memory_gib * (1 - HEADROOM)
    tokens = _tokens(train)
    return Plan(
        basis=BASIS,
        method=train.adapter.type,
        text_parameters=text_parameters(shape),
        trained_parameters=trained,
        ranks=sharding.ranks,
        zero_stage=sharding.stage,
        tokens_per_step=tokens * train.gradient_accumulation_steps * sharding.ranks,
        memory=memory,
        loading_gib=loading,
        total_gib=total,
        limit_gib=limit,
        fits=total <= limit,
        host_gib=host * cluster.processes_per_node,
        notes=tuple(_notes(shape, train, cluster, sharding)),
    )


def linear_layers(shape: Shape) -> dict[str, tuple[int, int]]:
    """Return (in, out) of the seven linear modules of one decoder layer, by name."""
    hidden, inner = shape.hidden_size, shape.intermediate_size
    queries = shape.num_attention_heads * shape.head_dim
    keys = shape.num_key_value_heads * shape.head_dim
    return {
        "self_attn.q_proj": (hidden, queries),
        "self_attn.k_proj": (hidden, keys),
        "self_attn.v_proj": (hidden, keys),
        "self_attn.o_proj": (queries, hidden),
        "mlp.gate_proj": (hidden, inner),
        "mlp.up_proj": (hidden, inner),
        "mlp.down_proj": (inner, hidden),
    }


def text_parameters(shape: Shape) -> int:
    """Return the exact parameter count of the text model: linears, norms, embedding, head."""
    embeddings = shape.vocab_size * shape.hidden_size * (1 if shape.tie_word_embeddings else 2)
    norms = (2 * shape.num_hidden_layers + 1) * shape.hidden_size
    return _linear_parameters(shape) + norms + embeddings


def trained_parameters(shape: Shape, train: TrainSection) -> int:
    """Return how many parameters are updated; for LoRA, in the modules its pattern matches."""
    adapter = train.adapter
    if isinstance(adapter, FullAdapter):
        return text_parameters(shape)
    wrapper = "language_model." if shape.architecture.startswith("Mistral3") else ""
    trained = 0
    for layer in range(shape.num_hidden_layers):
        for name, (inputs, outputs) in linear_layers(shape).items():
            if re.fullmatch(adapter.target_modules, f"model.{wrapper}layers.{layer}.{name}"):
                trained += adapter.r * (inputs + outputs) + (outputs if adapter.use_dora else 0)
    return trained


def _linear_parameters(shape: Shape) -> int:
    return shape.num_hidden_layers * sum(
        rows * cols for rows, cols in linear_layers(shape).values()
    )


def _memory(
    shape: Shape, train: TrainSection, trained: int, sharding: _Sharding
) -> tuple[Memory, float, float]:
    """Return GiB on one device, while loading, and offloaded by one rank."""
    base = _weight_bytes(shape, train)
    weight, gradient, states = _bytes_a_trained_parameter(train, sharding)
    held = _width(train) if isinstance(train.adapter, FullAdapter) else 0
    extra = (weight - held) * trained
    weights = (base + extra) / sharding.divisor(3)
    gradients = gradient * trained / sharding.divisor(2)
    optimizer = states * trained / sharding.divisor(1)
    host = 0.0
    if sharding.offloads("optimizer"):
        host += optimizer + FP32 * trained / sharding.divisor(1)  # the step reads fp32 gradients
        gradients, optimizer = 0.0, 0.0
    if sharding.offloads("param"):
        host += weights
        weights = 0.0
    memory = Memory(
        weights_gib=weights / GIB,
        gradients_gib=gradients / GIB,
        optimizer_gib=optimizer / GIB,
        activations_gib=_activation_bytes(shape, train) / GIB,
        buffers_gib=_buffer_bytes(shape, trained, sharding) / GIB,
    )
    loading = base if isinstance(train.adapter, QLoraAdapter) else 0
    return memory, loading / GIB, host / GIB


def _weight_bytes(shape: Shape, train: TrainSection) -> float:
    """The base model's weights; NF4 covers the linears, the rest stays as it is."""
    width = _width(train)
    everything = text_parameters(shape) + shape.vision_parameters
    if not isinstance(train.adapter, QLoraAdapter):
        return float(width * everything)
    linear = _linear_parameters(shape)
    scales = FP32 / QUANT_BLOCK
    if train.adapter.bnb_4bit_use_double_quant:
        scales = 1 / QUANT_BLOCK + FP32 / (QUANT_BLOCK * NESTED_BLOCK)
    return (0.5 + scales) * linear + width * (everything - linear)


def _bytes_a_trained_parameter(train: TrainSection, sharding: _Sharding) -> tuple[int, int, int]:
    """Weight, gradient, optimiser states.

    DeepSpeed keeps an fp32 master copy beside AdamW's two moments. Without it all four are fp32.
    """
    if sharding.engine:
        return _width(train), _width(train), 3 * FP32
    return FP32, FP32, 2 * FP32


def _width(train: TrainSection) -> int:
    return BF16 if train.bf16 else FP32


def _tokens(train: TrainSection) -> int:
    """Tokens a device takes at once; both sides of a pair pass through it together."""
    sides = 2 if isinstance(train, DpoSection) else 1
    return train.max_length * train.per_device_train_batch_size * sides


def _activation_bytes(shape: Shape, train: TrainSection) -> float:
    """BF16 activations of one micro-batch, with a kernel that stores no attention scores.

    One layer keeps 4 × hidden + 2 × queries + 2 × keys + 4 × intermediate values a token. With
    gradient checkpointing: a layer's input for each layer, and one layer with its gradients. The
    loss is computed in chunks (TRL's fused head), so that logits do not count.
    """
    tokens = _tokens(train)
    width = _width(train)
    heads = shape.num_attention_heads + shape.num_key_value_heads
    values = 4 * shape.hidden_size + 2 * heads * shape.head_dim + 4 * shape.intermediate_size
    layer = width * tokens * values
    if not train.gradient_checkpointing:
        return float(shape.num_hidden_layers * layer)
    return float(shape.num_hidden_layers * width * tokens * shape.hidden_size + 2 * layer)


def _buffer_bytes(shape: Shape, trained: int, sharding: _Sharding) -> float:
    """Buckets of ZeRO, in the engine's own sizes where the JSON names none."""
    if sharding.stage == 0:
        return 0.0
    gathered = min(_size(sharding.zero, "allgather_bucket_size", 500_000_000), trained)
    if sharding.stage == 3:
        live = _size(sharding.zero, "stage3_max_live_parameters", 1_000_000_000)
        gathered = min(live, text_parameters(shape))
    return BF16 * (gathered + min(_size(sharding.zero, "reduce_bucket_size", 500_000_000), trained))


def _size(zero: dict[str, Any], key: str, default: int) -> float:
    value = zero.get(key)
    return float(value) if isinstance(value, int | float) else default  # "auto" is a string


def _notes(
    shape: Shape, train: TrainSection, cluster: ClusterSection, sharding: _Sharding
) -> Iterator[str]:
    quantised, whole = train.adapter.type == "qlora", _weight_bytes(shape, train) / GIB
    if sharding.stage < 3 and sharding.ranks > 1:
        yield f"ZeRO-{sharding.stage}: every rank holds all weights"
    if sharding.stage == 3 and not isinstance(train.adapter, FullAdapter):
        yield "ZeRO-3 shards the frozen weights too"
    if quantised and sharding.stage == 3:
        yield "4-bit weights are loaded whole on every device, then sharded"
    if not quantised and sharding.stage == 3:
        yield f"while loading, the first rank holds {whole:,.0f} GiB in host memory"
    if not quantised and sharding.stage < 3 and cluster.accelerator == "cuda":
        whole *= cluster.processes_per_node
        yield f"while loading, a machine holds {whole:,.0f} GiB in host memory"
    is_packed = isinstance(train, SftSection) and train.packing
    if is_packed and train.attn_implementation == "sdpa" and cluster.accelerator == "cuda":
        yield "sdpa may store a mask of a packed row; flash_attention_2 does not"

"""full | lora | qlora: how the model is loaded and wrapped, the only branch on the method."""

import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from transformers import BitsAndBytesConfig, PreTrainedModel

from devtune.errors import DevtuneError
from devtune.model import load_model, read_config, text_config
from devtune.tuning import FullAdapter, LoraAdapter, QLoraAdapter, TrainSection

LAYER = re.compile(r"\.layers\.(\d+)\.(.+)$")


def load_for_training(section: TrainSection, base: Path) -> PreTrainedModel:
    """Load the base as the method wants it: in the dtype of training, or NF4 for QLoRA."""
    dtype = torch.bfloat16 if section.bf16 else torch.float32
    kwargs: dict[str, Any] = {"attn_implementation": section.attn_implementation}
    adapter = section.adapter
    if isinstance(adapter, QLoraAdapter):
        kwargs["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type=adapter.bnb_4bit_quant_type,
            bnb_4bit_use_double_quant=adapter.bnb_4bit_use_double_quant,
            bnb_4bit_compute_dtype=dtype,
        )
    model = load_model(base, dtype, **kwargs)
    model.config.use_cache = False
    if isinstance(adapter, FullAdapter):
        # Under the names of its files a wrapper's weights are not found again by a resumed run, and
        # ZeRO-3 makes up names of its own.
        save = partial(model.save_pretrained, save_original_format=False)
        setattr(model, "save_pretrained", save)  # noqa: B010
        for name, parameter in model.named_parameters():
            parameter.requires_grad = "vision_tower" not in name and "projector" not in name
    return model


def peft_config(section: TrainSection) -> LoraConfig | None:
    """Return PEFT's configuration, None for full training."""
    adapter = section.adapter
    if not isinstance(adapter, LoraAdapter | QLoraAdapter):
        return None
    return LoraConfig(
        r=adapter.r,
        lora_alpha=adapter.lora_alpha,
        lora_dropout=adapter.lora_dropout,
        target_modules=adapter.target_modules,
        use_rslora=adapter.use_rslora,
        use_dora=adapter.use_dora,
        task_type="CAUSAL_LM",
    )


def num_trained(model: Any) -> int:
    """How many parameters are trained, on all ranks together where they are sharded."""
    trained = (each for each in model.parameters() if each.requires_grad)
    return sum(int(getattr(each, "ds_numel", 0) or each.numel()) for each in trained)


def keep_precision(section: TrainSection, model: Any) -> None:
    """Hold what is trained in float32, unless an engine keeps a copy of its own in it.

    Most steps of AdamW at a usual rate are smaller than what BF16 can add to a weight. TRL gives
    the adapter of QLoRA in BF16, and PEFT would give it back in float32 when a run is resumed.
    """
    if section.deepspeed is not None and section.bf16:
        return
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def check_wrapped(names: Iterable[str], base: Path) -> int:
    """Return how many modules LoRA wrapped; raise unless every text layer is wrapped alike.

    The default target gives 7 × layers: 280 for Devstral Small 2, 616 for Devstral 2. A vision
    tower must never be among them.
    """
    num_layers = int(text_config(read_config(base))["num_hidden_layers"])
    wrapped = [name for name in names if "vision" not in name]
    strays = [name for name in names if "vision" in name]
    if strays:
        raise DevtuneError(f"train.adapter.target_modules: also matches {strays[0]}; tighten it")
    layers: dict[int, set[str]] = {}
    for name in wrapped:
        match = LAYER.search(name)
        if match is None:
            raise DevtuneError(f"train.adapter.target_modules: matches {name}, not in a layer")
        layers.setdefault(int(match[1]), set()).add(match[2])
    if len(layers) != num_layers or len({frozenset(each) for each in layers.values()}) != 1:
        raise DevtuneError(
            f"train.adapter.target_modules: wraps {len(wrapped)} modules in {len(layers)} of "
            f"{num_layers} layers; every layer must be wrapped alike"
        )
    return len(wrapped)

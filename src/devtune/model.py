"""The transformers class a config names: its tensors, and its weights loaded from disk."""

import json
import logging
import warnings
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    PreTrainedModel,
)
from transformers.utils import logging as transformers_logging

from devtune.errors import DevtuneError

ARCHITECTURES = {
    "mistral": "MistralForCausalLM",
    "ministral3": "Ministral3ForCausalLM",
    "mistral3": "Mistral3ForConditionalGeneration",
}
"""Class of each `model_type` devtune imports."""


def read_config(directory: Path) -> dict[str, Any]:
    """Return `config.json` of a model directory."""
    file = directory / "config.json"
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DevtuneError(f"{file}: cannot be read ({error}); import the weights again") from None


def text_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a config.json that describes the text model: nested, or all of it."""
    return cast(dict[str, Any], config.get("text_config") or config)


def _hush() -> None:
    """Keep what libraries say about themselves off the user's terminal; errors still rise."""
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    logging.getLogger("bitsandbytes").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")


def computes_in_bf16(accelerator: str) -> bool:
    """Whether BF16 is what to compute in: on GPUs, and on CPUs with instructions for it.

    Elsewhere torch multiplies BF16 many times slower than float32.
    """
    return accelerator != "cpu" or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def load_model(
    directory: Path,
    dtype: torch.dtype = torch.bfloat16,
    **kwargs: Any,
) -> PreTrainedModel:
    """Load a model directory on the CPU, or where `kwargs` place it; never remote code.

    A `mistral3` config is the vision wrapper of Devstral Small 2, which AutoModelForCausalLM does
    not give.
    """
    _hush()
    return _auto_class(read_config(directory)).from_pretrained(
        directory, dtype=dtype, local_files_only=True, trust_remote_code=False, **kwargs
    )


def tensor_shapes(config: Mapping[str, Any], file: Path) -> dict[str, tuple[int, ...]]:
    """Return shapes by in-memory name of what the class `config` names holds, tied ones included.

    Takes no memory. Raises `DevtuneError`, naming `file`, when transformers refuses the config.
    """
    _hush()
    try:
        resolved = AutoConfig.for_model(**deepcopy(dict(config)))
        with torch.device("meta"):
            model = _auto_class(config).from_config(resolved)
    except Exception as error:  # transformers raises what its classes happen to trip over
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise DevtuneError(
            f"{file}: transformers refuses it ({reason[:200]}); copy it from the model's repository"
        ) from None
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def _auto_class(config: Mapping[str, Any]) -> Any:
    wrapper = config["model_type"] == "mistral3"
    return AutoModelForImageTextToText if wrapper else AutoModelForCausalLM

"""Do two models say the same? Mean KL divergence of their next-token distributions on real text."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mistral_common.protocol.instruct.validator import ValidationMode
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

from devtune.errors import DevtuneError
from devtune.model import load_model
from devtune.weights.merge import ADAPTER

LARGEST_IN_FLOAT32_BYTES = 20_000_000_000
LARGEST_LOSS_NATS = 1e-2
LARGEST_LOST_SHARE = 0.1


@dataclass(frozen=True)
class Agreement:
    """What the load check found, in nats a token."""

    effect: float
    """KL(trained ‖ base): what training changed."""
    rounding: float | None
    """KL(trained ‖ export): what writing BF16 lost. None where the weights themselves were trained
    and merge carried them over unchanged."""
    largest_logit_difference: float | None
    """Largest |logit| difference between trained and export."""


def check_agreement(base: Path, adapter: Path, serving: Path, num_tokens: int) -> Agreement:
    """Compare base, base + adapter and export on `num_tokens` of this package's own source.

    Raises `DevtuneError` when the export is the base (a silent no-op), or differs from what was
    trained by more than BF16 rounding can explain. Holds one model in memory at a time.
    """
    tokens = _tokens(serving, num_tokens)
    base_logits, trained_logits = _base_and_trained(base, adapter, tokens)
    export_logits = _logits(load_model(serving, _dtype(serving)), tokens)
    if trained_logits is None:
        found = Agreement(divergence(export_logits, base_logits), None, None)
    else:
        found = Agreement(
            effect=divergence(trained_logits, base_logits),
            rounding=divergence(trained_logits, export_logits),
            largest_logit_difference=float((trained_logits - export_logits).abs().max()),
        )
    judge(found, serving)
    return found


def judge(found: Agreement, serving: Path) -> None:
    """Raise when the export does nothing, or is not what was trained."""
    if found.effect <= 0:
        raise DevtuneError(
            f"{serving}: answers exactly like the base, so the adapter does nothing; "
            "train longer or with a larger learning rate"
        )
    allowed = min(LARGEST_LOSS_NATS, LARGEST_LOST_SHARE * found.effect)
    if found.rounding is not None and found.rounding > allowed:
        raise DevtuneError(
            f"{serving}: differs from base + adapter by {found.rounding:.1e} nats a token, where "
            f"training changed {found.effect:.1e}; at most {allowed:.1e} is rounding: "
            "train longer, or report this with the manifest"
        )


def divergence(p_logits: torch.Tensor, q_logits: torch.Tensor) -> float:
    """Mean KL(p ‖ q) in nats over positions; both [tokens, vocabulary]."""
    p, q = p_logits.log_softmax(-1), q_logits.log_softmax(-1)
    return max(0.0, float((p.exp() * (p - q)).sum(-1).mean()))


def _dtype(directory: Path) -> torch.dtype:
    """float32 shows rounding alone; a model too large for it is compared in BF16."""
    num_bytes = sum(file.stat().st_size for file in directory.glob("*.safetensors"))
    return torch.float32 if num_bytes < LARGEST_IN_FLOAT32_BYTES else torch.bfloat16


def _base_and_trained(
    base: Path, adapter: Path, tokens: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor | None]:
    model = load_model(base, _dtype(base))
    base_logits = _logits(model, tokens)
    if not (adapter / ADAPTER).is_file():
        return base_logits, None
    from peft import PeftModel

    return base_logits, _logits(PeftModel.from_pretrained(model, str(adapter)), tokens)


@torch.no_grad()
def _logits(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    return model.eval()(input_ids=tokens).logits[0].float()


def _tokens(directory: Path, num_tokens: int) -> torch.Tensor:
    """The first tokens of this module's own text, `[1, num_tokens]`: real code, always there."""
    tokenizer = MistralTokenizer.from_file(
        str(directory / "tekken.json"), mode=ValidationMode.finetuning
    ).instruct_tokenizer.tokenizer
    text = Path(__file__).read_text(encoding="utf-8")
    return torch.tensor([tokenizer.encode(text, bos=True, eos=False)[:num_tokens]])

"""What a model makes of canaries: how likely it finds each, and whether it writes it out.

Reads a dataset's `tekken.json` and `train.parquet`; writes nothing. Likelihoods are those after all
that stands before the value in a training sample, or after plain text (`<s>`, then the text before
it) where there is no such sample. To write it out, a model is asked both ways, and with the text
before it as the beginning of an answer.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mistral_common.protocol.instruct.validator import ValidationMode
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
from mistral_common.tokens.tokenizers.tekken import SpecialTokenPolicy

from devtune.evaluate.canaries import Canary
from devtune.evaluate.completions import PAD, greedy
from devtune.evaluate.control import controls
from devtune.evaluate.places import Opening, trained_places
from devtune.progress import Progress
from devtune.recipe import EvaluateSection
from devtune.records import IGNORED

BOS, INST, END_INST = 1, 3, 4
REQUEST = "Continue."
MAX_CONTEXT_TOKENS = 1024
"""Before a value; what stands further away is left out, but for `<s>`."""
SPARE_TOKENS = 8
"""A model may write a value in more tokens than the tokenizer does."""
NUM_HELD_BACK = 4
"""Random values for each canary that are treated as if they were canaries."""


@dataclass(frozen=True)
class Reading:
    """What one model makes of one canary; log-probabilities in nats, given the text before."""

    planted: float
    held_back: tuple[float, ...]
    """Of never-planted values that play canaries, as many for each canary."""
    controls: tuple[float, ...]
    """Of the never-planted values all of these are ranked among."""
    is_written: bool
    """Whether greedy decoding of the text before it goes on with the value."""
    is_place_trained: bool = False
    """Whether that text is trained in some sample, whatever follows there."""


class Extractor:
    """Asks models for canaries."""

    def __init__(self, dataset: Path, section: EvaluateSection, canaries: Sequence[Canary]) -> None:
        tokenizer = MistralTokenizer.from_file(
            str(dataset / "tekken.json"), mode=ValidationMode.finetuning
        )
        self._tokenizer: Any = tokenizer.instruct_tokenizer.tokenizer
        self._section = section
        self._canaries = canaries
        pieces = [self._tokenizer.id_to_byte_piece(each) for each in range(self._tokenizer.n_words)]
        self._trained = trained_places(dataset / "train.parquet", canaries, pieces)

    def read(self, model: Any, progress: Progress, label: str) -> list[Reading]:
        """Return one reading a canary, in their order."""
        count = len(self._canaries)
        tracked = progress.track("evaluate", self._canaries, count, f"{label} canaries")
        return [self._reading(model, each) for each in tracked]

    def _reading(self, model: Any, canary: Canary) -> Reading:
        count = NUM_HELD_BACK + self._section.canary_controls
        never_planted = controls(canary.value, canary.shape, count)
        openings = self.openings(canary)
        values = [canary.value, *never_planted]
        planted, *others = self.log_probabilities(model, openings[0], values)
        return Reading(
            planted,
            tuple(others[:NUM_HELD_BACK]),
            tuple(others[NUM_HELD_BACK:]),
            self.writes(model, openings, canary.value),
            canary.name in self._trained,
        )

    def openings(self, canary: Canary) -> list[Opening]:
        """Return what a canary's value is asked for after; its likelihood counts after the first.

        One is enough for that: it takes nearly all of the time.
        """
        request = (BOS, INST, *self._encode(REQUEST), END_INST)
        asked = [Opening((BOS,), canary.prefix), Opening(request, canary.prefix)]
        place = self._trained.get(canary.name)
        return [place, *asked] if place else asked

    def log_probabilities(self, model: Any, opening: Opening, values: Sequence[str]) -> list[float]:
        """Log-probability of each value in nats, given what all of them begin with.

        A token may hold the end of the text and the beginning of a value, as in training; what is
        scored begins at the first token that differs.
        """
        texts = [self._encode(opening.text + each) for each in values]
        shared = num_shared(texts)
        context = _shortened([*opening.tokens, *texts[0][:shared]])
        return self._scores(model, context, [each[shared:] for each in texts])

    @torch.no_grad()
    def _scores(self, model: Any, context: list[int], rests: list[list[int]]) -> list[float]:
        """Summed log-probabilities of `rests` after `context`, which is computed once."""
        *before, last = context
        known: Any = None
        if before:
            ids = torch.tensor([before], device=model.device)
            known = model(input_ids=ids, use_cache=True, logits_to_keep=1).past_key_values
        size = self._section.batch_size
        scores: list[float] = []
        for first in range(0, len(rests), size):
            batch = rests[first : first + size]
            width = max(map(len, batch))
            # Padding on the right: what is scored stands before it and does not attend to it.
            inputs = [[last, *each[:-1]] + [PAD] * (width - len(each)) for each in batch]
            labels = [each + [IGNORED] * (width - len(each)) for each in batch]
            cache = copy.deepcopy(known)
            if cache is not None:
                cache.batch_repeat_interleave(len(batch))
            logits = model(
                input_ids=torch.tensor(inputs, device=model.device), past_key_values=cache
            ).logits
            target = torch.tensor(labels, device=logits.device)
            nats = torch.nn.functional.cross_entropy(
                logits.float().transpose(1, 2), target, reduction="none", ignore_index=IGNORED
            )
            scores.extend((-nats.sum(dim=1)).tolist())
        return scores

    def writes(self, model: Any, openings: Sequence[Opening], value: str) -> bool:
        """Whether `value` is the most likely continuation of any of the openings.

        It is asked for after all tokens of the text before, and after those that are the same where
        the value follows.
        """
        prompts: list[list[int]] = []
        expected: list[tuple[list[int], str]] = []
        longest = 0
        for opening in openings:
            whole, text = self._encode(opening.text), self._encode(opening.text + value)
            shared = num_shared([whole, text])
            longest = max(longest, len(text) - shared + SPARE_TOKENS)
            for start in (whole,) if shared == len(whole) else (whole, text[:shared]):
                prompts.append(_shortened([*opening.tokens, *start]))
                expected.append((start, opening.text + value))
        answers = greedy(model, prompts, longest)
        return any(
            self._decode([*start, *answer]).startswith(text)
            for (start, text), answer in zip(expected, answers, strict=True)
        )

    def _encode(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, bos=False, eos=False))

    def _decode(self, tokens: list[int]) -> str:
        return self._tokenizer.decode(tokens, special_token_policy=SpecialTokenPolicy.IGNORE)


def _shortened(context: list[int]) -> list[int]:
    over = len(context) - MAX_CONTEXT_TOKENS
    return [context[0], *context[1 + over :]] if over > 0 else context


def num_shared(texts: Sequence[Sequence[int]]) -> int:
    """How many tokens all of the texts begin with."""
    count = 0
    for tokens in zip(*texts, strict=False):
        if any(each != tokens[0] for each in tokens):
            break
        count += 1
    return count

"""Greedy answers to held-out requests, and how near they come to what was written."""

from pathlib import Path
from typing import Any

import torch
from mistral_common.protocol.instruct.validator import ValidationMode
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
from mistral_common.tokens.tokenizers.tekken import SpecialTokenPolicy
from rapidfuzz.distance import Levenshtein

from devtune.progress import Progress
from devtune.recipe import EvaluateSection
from devtune.records import IGNORED

EOS, PAD = 2, 11


class Completer:
    """Answers requests with one model; prompts are the rendered tokens before the last answer."""

    def __init__(self, dataset: Path, section: EvaluateSection) -> None:
        tokenizer = MistralTokenizer.from_file(
            str(dataset / "tekken.json"), mode=ValidationMode.finetuning
        )
        self._tokenizer = tokenizer.instruct_tokenizer.tokenizer
        self._section = section

    def reference(self, row: dict[str, Any]) -> str:
        """The true answer, as far as the answer's token limit lets a model come."""
        start = answer_start(row["labels"])
        return self._decode(row["input_ids"][start : start + self._section.max_new_tokens])

    def complete(self, model: Any, rows: list[dict[str, Any]], progress: Progress) -> list[str]:
        """Return one greedy answer a row, in the rows' order."""
        size = self._section.batch_size
        batches = [rows[first : first + size] for first in range(0, len(rows), size)]
        answers: list[str] = []
        for batch in progress.track("evaluate", batches, len(batches), "batches of answers"):
            answers.extend(self._batch(model, batch))
        return answers

    def _batch(self, model: Any, rows: list[dict[str, Any]]) -> list[str]:
        prompts = [row["input_ids"][: answer_start(row["labels"])] for row in rows]
        generated = greedy(model, prompts, self._section.max_new_tokens)
        return [self._decode(each) for each in generated]

    def _decode(self, tokens: list[int]) -> str:
        return self._tokenizer.decode(tokens, special_token_policy=SpecialTokenPolicy.IGNORE)


@torch.no_grad()
def greedy(model: Any, prompts: list[list[int]], max_new_tokens: int) -> list[list[int]]:
    """Return the most likely next token again and again for each prompt, `</s>` ends it."""
    width = max(map(len, prompts))
    input_ids = [[PAD] * (width - len(each)) + each for each in prompts]
    mask = [[0] * (width - len(each)) + [1] * len(each) for each in prompts]
    generated = model.generate(
        input_ids=torch.tensor(input_ids, device=model.device),
        attention_mask=torch.tensor(mask, device=model.device),
        max_new_tokens=max_new_tokens,
        do_sample=False,
        temperature=None,
        top_p=None,
        top_k=None,
        eos_token_id=EOS,
        pad_token_id=PAD,
    )
    return generated[:, width:].tolist()


def answer_start(labels: list[int]) -> int:
    """Index of the first token of the last trained span."""
    end = len(labels)
    while labels[end - 1] == IGNORED:
        end -= 1
    start = end
    while start > 0 and labels[start - 1] != IGNORED:
        start -= 1
    return start


def edit_similarity(answer: str, reference: str) -> float:
    """1 − Levenshtein distance / the longer length: 1 for equal texts, 0 for nothing in common."""
    return Levenshtein.normalized_similarity(answer, reference)

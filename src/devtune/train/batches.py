"""Rows of a batch → tensors, and tensors of a batch → the samples in it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from devtune.records import IGNORED
from devtune.train.rows import WEIGHTS

Rows = list[dict[str, Any]]


def with_weights(collate: Callable[[Rows], dict[str, Any]]) -> Callable[[Rows], dict[str, Any]]:
    """Add `weights` to a batch whose rows have them: of the shape of its `labels`, float32."""

    def collated(rows: Rows) -> dict[str, Any]:
        batch = collate(rows)
        if WEIGHTS not in rows[0]:  # held out
            return batch
        weights = torch.zeros(batch["labels"].shape)
        lines = [torch.tensor(row[WEIGHTS]) for row in rows]
        if len(lines) != len(weights):  # without padding all rows are one
            lines = [torch.cat(lines)]
        for target, line in zip(weights, lines, strict=True):
            target[: len(line)] = line
        return {**batch, WEIGHTS: weights}

    return collated


def pair_collator(pad_token_id: int) -> Callable[[Rows], dict[str, torch.Tensor]]:
    """Batches as TRL's DPOTrainer takes them: chosen sides, then rejected ones, padded right.

    `input_ids`, `attention_mask` and `completion_mask` have the shape (2 × pairs, longest). TRL's
    own collator would count all that follows the prompt; here the labels say which tokens are the
    assistant's, so that a tool's output is not learnt.
    """

    def collated(rows: Rows) -> dict[str, torch.Tensor]:
        sides = [
            (row["prompt_ids"] + row[f"{side}_ids"], row[f"{side}_labels"])
            for side in ("chosen", "rejected")
            for row in rows
        ]
        longest = max(len(ids) for ids, _ in sides)
        shape = (len(sides), longest)
        batch = {
            "input_ids": torch.full(shape, pad_token_id),
            "attention_mask": torch.zeros(shape, dtype=torch.long),
            "completion_mask": torch.zeros(shape, dtype=torch.long),
        }
        for number, (ids, labels) in enumerate(sides):
            batch["input_ids"][number, : len(ids)] = torch.tensor(ids)
            batch["attention_mask"][number, : len(ids)] = 1
            counted = torch.tensor(labels) != IGNORED
            batch["completion_mask"][number, len(ids) - len(labels) : len(ids)] = counted.long()
        return batch

    return collated


def tokens_in(batch: Mapping[str, Any]) -> list[list[int]]:
    """Return the tokens of each sample of a batch, packed or padded."""
    found: list[list[int]] = []
    mask, positions = batch.get("attention_mask"), batch.get("position_ids")
    for number, row in enumerate(batch["input_ids"]):
        if mask is not None:
            found.append(row[mask[number].bool()].tolist())
        elif positions is not None:
            found += _split(row, positions[number])
        else:
            found.append(row.tolist())
    return found


def _split(row: torch.Tensor, positions: torch.Tensor) -> Sequence[list[int]]:
    starts = (positions == 0).nonzero().flatten().tolist()
    bounds = zip(starts, [*starts[1:], len(row)], strict=True)
    return [row[start:end].tolist() for start, end in bounds if end > start]

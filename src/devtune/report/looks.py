"""A few samples of a dataset, drawn at random and read to be looked at.

Reads `dataset/`, and beside it `samples/` when it is what that was made of; writes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devtune.data.renderers.opening import open_renderer
from devtune.errors import DevtuneError
from devtune.records import Split
from devtune.report.conversation import Turn, mask_reasons, reasons_beside, turns_of
from devtune.report.draw import Draw
from devtune.report.lineage import open_dataset
from devtune.report.rows import read_facts, read_tokens
from devtune.report.samples import ANSWERS, CONTEXT, about, known_samples


@dataclass(frozen=True, slots=True)
class Look:
    """A rendered sample as it is shown: long texts without their middle."""

    sample_id: str
    family: str
    split: Split
    num_tokens: int
    num_trained_tokens: int
    about: tuple[str, ...]
    """Where it is from and what was done to it, where `samples/` lies beside the dataset."""
    turns: tuple[Turn, ...]
    reasons: tuple[str, ...]
    """Why each turn is masked, `""` where that is not known or it is trained."""


def draw_looks(
    dataset: Path, split: Split, family: str | None, count: int, seed: int = 0
) -> list[Look]:
    """Return `count` samples of each family, or of one: the same for the same `seed`.

    Raises `DevtuneError` for a family the split does not have.
    """
    manifest = open_dataset(dataset)
    file = dataset / f"{split}.parquet"
    draws: dict[str, Draw[tuple[int, dict[str, Any]]]] = {}
    for row, facts in enumerate(read_facts(file)):
        draw = draws.setdefault(facts["family"], Draw(count))
        draw.offer(f"{seed} {facts['sample_id']}", (row, facts))
    if family is not None and family not in draws:
        raise DevtuneError(f"{dataset}: no family `{family}` in {split}; it has {sorted(draws)}")
    names = sorted(draws) if family is None else [family]
    wanted = {row: facts for name in names for row, facts in draws[name].drawn()}
    known = known_samples(dataset, manifest, split, {each["sample_id"] for each in wanted.values()})
    renderer = open_renderer(dataset)
    found: dict[int, Look] = {}
    for row, ids, labels in read_tokens(file, list(wanted)):
        sample = known.get(wanted[row]["sample_id"])
        turns = tuple(turns_of(renderer, ids, labels, CONTEXT, ANSWERS))
        reasons = mask_reasons(sample.messages) if sample else []
        beside = tuple(reasons_beside(turns, reasons))
        found[row] = _look(wanted[row], split, tuple(about(sample, reasons)), turns, beside)
    return [found[row] for row in wanted]


def _look(
    facts: Mapping[str, Any],
    split: Split,
    told: tuple[str, ...],
    turns: tuple[Turn, ...],
    reasons: tuple[str, ...],
) -> Look:
    numbers = (facts["num_tokens"], facts["num_trained_tokens"])
    return Look(facts["sample_id"], facts["family"], split, *numbers, told, turns, reasons)

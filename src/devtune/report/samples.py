"""Rendered samples in the terminal, turn by turn, with exactly the trained tokens coloured.

Reads `dataset/`, and beside it `samples/` when it is what that was made of; writes nothing. Memory
holds what is shown.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from devtune.data.cards.statements import counted
from devtune.data.renderers.opening import open_renderer
from devtune.errors import DevtuneError
from devtune.jsonl import read_jsonl
from devtune.records import PREFERENCES, Provenance, Sample
from devtune.report.conversation import (
    Turn,
    mask_reasons,
    reasons_beside,
    turns_of,
)
from devtune.report.excerpt import spelt
from devtune.report.lineage import find_part, open_dataset
from devtune.report.pairs import print_pairs
from devtune.report.rows import read_facts, read_pair_facts, read_tokens, table_of
from devtune.report.stretches import Limits
from devtune.report.turns import CLOSE, OPEN, TRAINED, has_colour, print_turns

CONTEXT = Limits(6, 4, 1600)
ANSWERS = Limits(30, 15, 8000)


def print_samples(
    dataset: Path, split: str, family: str | None, count: int, *, is_full: bool = False
) -> None:
    """Print `count` samples of each family and the share of tokens that is trained.

    The family `preferences` are the pairs. Long texts lose their middle unless `is_full`.
    """
    manifest = open_dataset(dataset)
    file, shape = dataset / f"{split}.parquet", (None, None) if is_full else (CONTEXT, ANSWERS)
    num_pairs = sum(1 for _ in read_pair_facts(table_of(dataset))) if split == "train" else 0
    if family == PREFERENCES and num_pairs:
        print_pairs(_console(), open_renderer(dataset), dataset, manifest, count, shape)
        return
    chosen, totals = _choose(file, family, count)
    if family and family not in chosen:
        known = sorted([*chosen, *([PREFERENCES] if num_pairs else [])])
        raise DevtuneError(f"{dataset}: no family `{family}` in {split}; it has {known}")
    wanted = {row: facts for name in sorted(chosen) for row, facts in chosen[name]}
    known = known_samples(dataset, manifest, split, {each["sample_id"] for each in wanted.values()})
    console, renderer = _console(), open_renderer(dataset)
    for row, facts in wanted.items():  # read one by one: the order is not that of the file
        for _, ids, labels in read_tokens(file, [row]):
            turns = list(turns_of(renderer, ids, labels, *shape))
            _print_sample(console, facts, known.get(facts["sample_id"]), turns)
    console.rule()
    shown = f"[{TRAINED}]on green[/]" if has_colour(console) else f"between {OPEN} and {CLOSE}"
    folded = "" if is_full else "; --full shows what is hidden"
    pairs = f"; --family {PREFERENCES} shows {counted(num_pairs, 'pair')} of sessions" * bool(
        num_pairs
    )
    trained, total = totals["num_trained_tokens"], totals["num_tokens"]
    console.print(
        f"{totals['samples']} samples, {total:,} tokens, of which {trained:,} are trained"
        f" ({trained / max(total, 1):.1%}); they are shown {shown}{folded}{pairs}"
    )


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)


Row = tuple[int, dict[str, Any]]


def _choose(
    file: Path, family: str | None, count: int
) -> tuple[dict[str, list[Row]], Counter[str]]:
    """The first `count` rows of each family by id, and what all rows amount to."""
    chosen: dict[str, list[Row]] = {}
    totals: Counter[str] = Counter()
    for number, facts in enumerate(read_facts(file)):
        totals.update({"samples": 1} | {x: facts[x] for x in ("num_tokens", "num_trained_tokens")})
        mine = chosen.setdefault(facts["family"], [])
        if family in (None, facts["family"]):
            mine.append((number, facts))
            mine.sort(key=lambda row: row[1]["sample_id"])
            del mine[count:]
    return chosen, totals


def known_samples(
    dataset: Path, manifest: Mapping[str, Any], split: str, wanted: set[str]
) -> dict[str, Sample]:
    """The samples that are shown, if those the dataset was made of still lie beside it."""
    samples = find_part("samples", dataset, manifest)
    if samples.missing:
        return {}
    rows = read_jsonl(samples.directory / f"{split}.jsonl", Sample)
    return {row.sample_id: row for row in rows if row.sample_id in wanted}


def _print_sample(
    console: Console,
    facts: Mapping[str, Any],
    sample: Sample | None,
    turns: list[Turn],
) -> None:
    size = f"{facts['num_tokens']:,} tokens, {facts['num_trained_tokens']:,} trained"
    console.rule(f"{facts['family']}  {facts['sample_id']}  {size}")
    reasons = mask_reasons(sample.messages) if sample else []
    for line in about(sample, reasons):
        console.print(Text(spelt(line), style="italic"))
    print_turns(console, turns, reasons_beside(turns, reasons))


def about(sample: Sample | None, reasons: list[str]) -> Iterator[str]:
    """What is known of a sample besides its text."""
    if sample is None:
        return
    yield _say_origin(sample.provenance[0])
    if sample.task or sample.outcome:
        yield f"task {sample.task or 'not known'}, outcome {sample.outcome or 'not known'}"
    if sample.transformations:
        yield f"done to it: {', '.join(sample.transformations)}"
    if masked := Counter(filter(None, reasons)):
        counts = ", ".join(f"{name} {number}" for name, number in masked.most_common())
        yield f"{masked.total()} of {len(reasons)} answers not trained: {counts}"


def _say_origin(where: Provenance) -> str:
    commit = f" @ {where.commit[:12]}" if where.commit else ""
    author = f" by {where.author}" if where.author else ""
    lines = f":{where.first_line}-{where.last_line}" if where.first_line else ""
    return f"from {where.source}{commit} {where.path}{lines}{author}"

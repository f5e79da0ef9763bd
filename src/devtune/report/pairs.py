"""Pairs of a dataset in the terminal: the prompt, then both sides, what counts of them coloured.

Reads `preferences.parquet` of `dataset/`, and beside it `samples/` when it is what that was made
of; writes nothing. Memory holds what is shown.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from devtune.data.renderers.pairs import sides_of
from devtune.data.renderers.rows import Renderer, num_trained
from devtune.jsonl import read_jsonl
from devtune.records import IGNORED, PREFERENCES, Message, Preference, PreferenceRow
from devtune.report.conversation import mask_reasons, reasons_beside, turns_of
from devtune.report.excerpt import spelt
from devtune.report.lineage import find_part
from devtune.report.rows import read_pair_facts, read_pairs, table_of
from devtune.report.stretches import Limits
from devtune.report.turns import print_turns

Shape = tuple[Limits | None, Limits | None]
"""How much is shown of context, and of what the assistant says."""


def print_pairs(
    console: Console, renderer: Renderer, dataset: Path, manifest: Mapping[str, Any], count: int,
    shape: Shape,
) -> None:  # fmt: skip
    """Print `count` pairs of each kind, and how many there are."""
    file = table_of(dataset)
    facts = list(enumerate(read_pair_facts(file)))
    kinds = sorted({each["family"] for _, each in facts})
    for kind in kinds:
        mine = sorted((x["sample_id"], number) for number, x in facts if x["family"] == kind)
        wanted = [number for _, number in mine[:count]]
        rows = dict(read_pairs(file, wanted))
        known = _known(dataset, manifest, {each.sample_id for each in rows.values()})
        for number in wanted:
            row = rows[number]
            _print_pair(console, renderer, row, known.get(row.sample_id), shape)
    console.rule()
    total = sum(each["num_tokens"] for _, each in facts)
    console.print(f"{len(facts)} pairs, {total:,} tokens with the longer side of each")


def _known(dataset: Path, manifest: Mapping[str, Any], wanted: set[str]) -> dict[str, Preference]:
    samples = find_part("samples", dataset, manifest)
    if samples.missing:
        return {}
    rows = read_jsonl(samples.directory / f"{PREFERENCES}.jsonl", Preference)
    return {row.sample_id: row for row in rows if row.sample_id in wanted}


def _print_pair(
    console: Console, renderer: Renderer, row: PreferenceRow, pair: Preference | None, shape: Shape
) -> None:
    console.rule(f"pair {row.family}  {row.sample_id}  {row.num_tokens:,} tokens")
    for line in _about(pair):
        console.print(Text(spelt(line), style="italic"))
    print_turns(
        console, turns_of(renderer, row.prompt_ids, [IGNORED] * len(row.prompt_ids), *shape)
    )
    for name, ids, labels, masks in (
        ("chosen", row.chosen_ids, row.chosen_labels, _masks(pair, 0)),
        ("rejected", row.rejected_ids, row.rejected_labels, _masks(pair, 1)),
    ):
        console.rule(f"{name}: {len(ids):,} tokens, {num_trained(labels):,} of them count")
        turns = list(turns_of(renderer, ids, labels, *shape))
        print_turns(console, turns, reasons_beside(turns, masks))


def _about(pair: Preference | None) -> Iterator[str]:
    if pair is None:
        return
    chosen, rejected = pair.provenance
    yield f"task {pair.task or 'not known'}, rejected for {pair.reason}"
    yield f"chosen: {chosen.source} {chosen.path}, sample {pair.chosen_id}"
    yield f"rejected: {rejected.source} {rejected.path}"


def _masks(pair: Preference | None, side: int) -> Sequence[str]:
    """Why turns of a side do not count."""
    if pair is None:
        return ()
    said: tuple[Message, ...] = sides_of(pair)[side].messages[len(pair.prompt) :]
    return mask_reasons(said)

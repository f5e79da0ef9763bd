"""Rendered samples in the terminal, turn by turn, with exactly the trained tokens coloured.

Reads `dataset/`, and beside it `samples/` when it is what that was made of; writes nothing. Memory
holds what is shown.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from devtune.data.renderers.opening import open_renderer
from devtune.errors import DevtuneError
from devtune.jsonl import read_jsonl
from devtune.records import Provenance, Sample
from devtune.report.conversation import (
    Turn,
    mask_reasons,
    reasons_beside,
    turns_of,
)
from devtune.report.excerpt import spelt
from devtune.report.lineage import find_part, open_dataset
from devtune.report.rows import read_facts, read_tokens
from devtune.report.stretches import Limits, Stretch

CONTEXT = Limits(6, 4, 1600)
ANSWERS = Limits(30, 15, 8000)
TRAINED, OPEN, CLOSE = "black on green", "⟦", "⟧"


def print_samples(
    dataset: Path, split: str, family: str | None, count: int, *, is_full: bool = False
) -> None:
    """Print `count` samples of each family and the share of tokens that is trained.

    Long texts lose their middle unless `is_full`.
    """
    manifest = open_dataset(dataset)
    file = dataset / f"{split}.parquet"
    chosen, totals = _choose(file, family, count)
    if family and family not in chosen:
        raise DevtuneError(f"{dataset}: no family `{family}` in {split}; it has {sorted(chosen)}")
    wanted = {row: facts for name in sorted(chosen) for row, facts in chosen[name]}
    known = known_samples(dataset, manifest, split, {each["sample_id"] for each in wanted.values()})
    console, renderer = Console(highlight=False, soft_wrap=True), open_renderer(dataset)
    has_colour = console.color_system is not None and not console.no_color
    limits = (None, None) if is_full else (CONTEXT, ANSWERS)
    for row, facts in wanted.items():  # read one by one: the order is not that of the file
        for _, ids, labels in read_tokens(file, [row]):
            turns = list(turns_of(renderer, ids, labels, *limits))
            _print_sample(console, facts, known.get(facts["sample_id"]), turns, has_colour)
    console.rule()
    shown = f"[{TRAINED}]on green[/]" if has_colour else f"between {OPEN} and {CLOSE}"
    folded = "" if is_full else "; --full shows what is hidden"
    trained, total = totals["num_trained_tokens"], totals["num_tokens"]
    console.print(
        f"{totals['samples']} samples, {total:,} tokens, of which {trained:,} are trained"
        f" ({trained / max(total, 1):.1%}); they are shown {shown}{folded}"
    )


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
    has_colour: bool,
) -> None:
    size = f"{facts['num_tokens']:,} tokens, {facts['num_trained_tokens']:,} trained"
    console.rule(f"{facts['family']}  {facts['sample_id']}  {size}")
    reasons = mask_reasons(sample.messages) if sample else []
    for line in about(sample, reasons):
        console.print(Text(spelt(line), style="italic"))
    for turn, reason in zip(turns, reasons_beside(turns, reasons), strict=True):
        console.print()
        console.print(_title(turn, reason))
        console.print(coloured(turn.stretches, marks=not has_colour))


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


def _title(turn: Turn, reason: str) -> Text:
    """Who speaks, how much, and whether it is trained; why not, where that is known."""
    text = Text(f"▸ {turn.speaker}", style="bold")
    text.append(f"  {turn.num_tokens:,} tokens", style="dim not bold")
    if turn.num_trained == turn.num_tokens:
        text.append("  trained", style="green not bold")
    elif turn.num_trained:
        text.append(f"  {turn.num_trained:,} of them trained", style="green not bold")
    elif turn.speaker == "assistant":
        text.append(f"  not trained{f': {spelt(reason)}' if reason else ''}", style="bold yellow")
    return text


def coloured(stretches: Iterable[Stretch], *, marks: bool = False) -> Text:
    """One text: what is trained on green, or between ⟦ ⟧ where there is no colour; control dim.

    Nothing of it moves the cursor or hides: what cannot be seen is spelt.
    """
    text, waiting, is_open = Text(), Text(), False
    for each in stretches:
        if each.kind == "layout":  # on which side of a mark it stands, only what follows can tell
            waiting.append(each.text)
            continue
        if marks and is_open and not each.is_trained:
            text.append(CLOSE)
        text.append_text(waiting)
        waiting = Text()
        if marks and each.is_trained and not is_open:
            text.append(OPEN)
        is_open = each.is_trained
        text.append(*_shown(each))
    if marks and is_open:
        text.append(CLOSE)
    return text.append_text(waiting)


def _shown(stretch: Stretch) -> tuple[str, str]:
    """A stretch in words, and its style."""
    trained = TRAINED if stretch.is_trained else ""
    if stretch.kind == "hidden":
        return f"⋯ {in_words(stretch)} ⋯", f"{trained} italic" if trained else "dim italic"
    if stretch.kind == "control":
        return stretch.text, trained or "dim"
    shown = spelt(stretch.text, has_lines=True)
    return shown, f"{trained} bold" if stretch.kind == "key" else trained


def in_words(hidden: Stretch) -> str:
    """How much is hidden, and what it is."""
    number = hidden.num_lines or hidden.num_characters
    unit = "line" if hidden.num_lines else "character"
    about = f": {spelt(hidden.text)}" if hidden.text else ""
    return f"{number:,} {unit}{'s' if number != 1 else ''} hidden{about}"

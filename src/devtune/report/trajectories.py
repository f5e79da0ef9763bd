"""Trajectories as HTML pages, one each and an index: turns that fold, masks with their reasons.

Reads `dataset/`, and beside it `samples/` when it is what that was made of; writes a folder of
pages that need nothing else. Memory holds what is counted, and one trajectory with its tokens.
"""

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from devtune.data.renderers.opening import open_renderer
from devtune.data.renderers.rows import num_trained
from devtune.errors import RecipeError, one_line
from devtune.records import SPLITS, Provenance, Split
from devtune.report.conversation import Turn, mask_reasons, reasons_beside, turns_of
from devtune.report.excerpt import spelt
from devtune.report.html import fill, write_html
from devtune.report.lineage import Part, find_part, open_dataset
from devtune.report.origins import read_pairs
from devtune.report.rows import read_facts, read_tokens
from devtune.report.stretches import Limits

FAMILY = "trajectory"
NUM_SHOWN = 40
"""Trajectories that have a page."""
CONTEXT, ANSWERS = Limits(60, 40, 6000), Limits(150, 100, 16_000)
NUM_FIRST, NUM_LAST = 700, 100
"""Turns of a page: how it began, and how it ended."""
MAX_FIRST, MAX_LAST = 300_000, 100_000
"""Characters of them besides markup."""
NUM_OPEN_LINES, NUM_OPEN_CHARACTERS = 14, 1200
"""Texts of others than the assistant lie open up to this size."""
INDEX = "index.html"
PRIVATE, READING = 0o700, 0o055


class Chosen(NamedTuple):
    """A trajectory that has a page: where its row is, and what is known of it."""

    number: int
    """Among those shown, from 1."""
    split: Split
    row: int
    facts: Mapping[str, Any]
    place: Provenance | None
    task: str
    outcome: str
    transformations: tuple[str, ...]
    reasons: tuple[str, ...]
    """Why each answer is masked, `""` where it is not; none where `samples/` is missing."""

    @property
    def page(self) -> str:
        """Name of its page."""
        return f"{self.number:02}-{self.facts['sample_id']}.html"

    @property
    def masks(self) -> list[tuple[str, int]]:
        """Masked answers by reason, most first."""
        return Counter(filter(None, self.reasons)).most_common()


@dataclass(slots=True)
class Overview:
    """What all trajectories of a dataset amount to, and those that are shown."""

    run: str
    samples: Part
    num: dict[Split, int]
    num_tokens: int = 0
    num_trained_tokens: int = 0
    num_answers: int = 0
    masks: Counter[str] = field(default_factory=Counter[str])
    outcomes: Counter[str] = field(default_factory=Counter[str])
    chosen: list[Chosen] = field(default_factory=list[Chosen])

    @property
    def total(self) -> int:
        """Trajectories of both splits."""
        return sum(self.num.values())


class Shown(NamedTuple):
    """A turn as a page has it."""

    number: int
    """In the sample, from 1."""
    turn: Turn
    reason: str
    is_open: bool


def write_trajectories(dataset: Path, folder: Path) -> Overview | None:
    """Write the pages of a dataset into `folder`, or take them away where it has no trajectory.

    Raises `RecipeError` where it cannot be written, or something else lies there.
    """
    overview = read_overview(dataset)
    partial = folder.with_name(folder.name + ".partial")
    _check_own(folder)
    try:
        shutil.rmtree(partial, ignore_errors=True)
        if not overview.total:
            shutil.rmtree(folder, ignore_errors=True)
            return None
        partial.mkdir(PRIVATE)
        _write_pages(dataset, overview, partial)
        partial.chmod(PRIVATE | dataset.stat().st_mode & READING)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    except OSError as error:
        raise RecipeError(one_line(error, folder)) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return overview


def _check_own(folder: Path) -> None:
    """Nothing is replaced but pages that were written here before."""
    if not folder.exists() or (folder / INDEX).is_file():
        return
    raise RecipeError(f"{folder}: exists but has no {INDEX}; not devtune's: move it away")


def read_overview(dataset: Path) -> Overview:
    """Count all trajectories and choose evenly, in their order, which ones are shown."""
    manifest = open_dataset(dataset)
    samples = find_part("samples", dataset, manifest)
    num: dict[Split, int] = {
        split: sum(x["family"] == FAMILY for x in read_facts(dataset / f"{split}.parquet"))
        for split in SPLITS
    }
    overview = Overview(dataset.parent.name, samples, num)
    wanted = evenly(overview.total, NUM_SHOWN)
    seen = -1
    for split in SPLITS if overview.total else ():
        for row, (facts, sample) in enumerate(read_pairs(dataset, samples, split)):
            if facts["family"] != FAMILY:
                continue
            seen += 1
            reasons = mask_reasons(sample.messages) if sample else []
            overview.num_tokens += facts["num_tokens"]
            overview.num_trained_tokens += facts["num_trained_tokens"]
            overview.num_answers += len(reasons)
            overview.masks.update(filter(None, reasons))
            if sample:
                overview.outcomes[sample.outcome or "unknown"] += 1
            if seen in wanted:
                place = sample.provenance[0] if sample else None
                known = (sample.task, sample.outcome, sample.transformations) if sample else ()
                overview.chosen.append(
                    Chosen(len(overview.chosen) + 1, split, row, facts, place,
                           *(known or ("", "", ())), tuple(reasons))
                )  # fmt: skip
    return overview


def evenly(total: int, most: int) -> set[int]:
    """Return at most `most` positions of `total`, as far from each other as can be."""
    count = min(total, most)
    return {place * total // count for place in range(count)}


def _write_pages(dataset: Path, overview: Overview, folder: Path) -> None:
    renderer = open_renderer(dataset)
    values = {"run": overview.run, "overview": overview, "SPLITS": SPLITS}
    index = {**values, "title": spelt(overview.run), "subject": "trajectories"}
    write_html(folder / INDEX, fill("trajectories.html.jinja", index), dataset)
    for split in SPLITS:
        mine = {each.row: each for each in overview.chosen if each.split == split}
        for row, ids, labels in read_tokens(dataset / f"{split}.parquet", list(mine)):
            each = mine[row]
            turns = turns_of(renderer, ids, labels, CONTEXT, ANSWERS)
            page = {
                **values,
                "title": each.facts["sample_id"],
                "subject": "trajectory",
                "each": each,
                "shown": _shown(turns, each.reasons),
                "num_trained": num_trained(labels),
                "before": _neighbour(overview, each, -1),
                "after": _neighbour(overview, each, 1),
            }
            write_html(folder / each.page, fill("trajectory.html.jinja", page), dataset)


def _neighbour(overview: Overview, each: Chosen, step: int) -> Chosen | None:
    place = each.number - 1 + step
    return overview.chosen[place] if 0 <= place < len(overview.chosen) else None


def _shown(turns: Iterator[Turn], reasons: tuple[str, ...]) -> tuple[list[Shown], list[Shown]]:
    """The first and the last turns with the reasons of their masks."""
    whole = list(turns)
    shown = [
        Shown(number, turn, reason, turn.speaker == "assistant" or _is_short(turn))
        for number, (turn, reason) in enumerate(
            zip(whole, reasons_beside(whole, reasons), strict=True), 1
        )
    ]
    first, last = shown[:-NUM_LAST][:NUM_FIRST], shown[-NUM_LAST:]
    return list(_fitted(first, MAX_FIRST)), list(_fitted(last, MAX_LAST))


def _fitted(shown: list[Shown], room: int) -> Iterator[Shown]:
    """Turns without their texts from where there is no more room."""
    for each in shown:
        room -= each.turn.num_shown
        if room < 0:
            yield each._replace(turn=each.turn.without_text(), is_open=False)
        else:
            yield each


def _is_short(turn: Turn) -> bool:
    num_lines = sum(each.text.count("\n") for each in turn.stretches)
    return num_lines <= NUM_OPEN_LINES and turn.num_shown <= NUM_OPEN_CHARACTERS

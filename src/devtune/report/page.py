"""A rendered dataset as one HTML page that needs nothing else: no script, no network.

Reads what `dataset.read_numbers` reads, and the tokens of the samples drawn there; writes the page,
and beside it a folder of pages for trajectories.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from devtune.data.renderers.opening import open_renderer
from devtune.data.renderers.rows import num_trained
from devtune.records import IGNORED, SPLITS, PreferenceRow, Provenance, Rejected, Split
from devtune.report.dataset import Drawn, Numbers, Tallies, read_numbers
from devtune.report.excerpt import Piece, spelt, turns
from devtune.report.histogram import bins_of, draw
from devtune.report.html import fill, inline, write_html
from devtune.report.omissions import NUM_EXAMPLES
from devtune.report.rows import read_pairs, read_tokens, table_of
from devtune.report.trajectories import FAMILY, INDEX, write_trajectories

NUM_ROWS, NUM_OPEN_ROWS = 200, 12
"""Rows of a table that are listed, and those of them that are listed before a fold."""


class Shown(NamedTuple):
    """A drawn sample, read."""

    drawn: Drawn
    num_tokens: int
    num_trained: int
    turns: list[list[Piece]]


class ShownPair(NamedTuple):
    """A drawn pair, read; the parts are prompt, chosen and rejected, each turn by turn."""

    row: PreferenceRow
    parts: dict[str, list[list[Piece]]]
    num_trained: dict[str, int]


def write_page(dataset: Path, out: Path | None = None) -> Path:
    """Write the report on `dataset` and return where: by default `dataset.html` beside it.

    Trajectories have pages of their own in `dataset-trajectories/`, named like the page.
    """
    dataset = dataset.resolve()
    target = out or dataset.parent / "dataset.html"
    numbers = read_numbers(dataset)
    folder = target.with_name(f"{target.stem}-trajectories")
    overview = write_trajectories(dataset, folder)
    pages = f"{quote(folder.name)}/{INDEX}" if overview else ""
    samples, pairs = read_samples(dataset, numbers), drawn_pairs(dataset, numbers)
    return write_html(target, page(numbers, samples, pages, pairs), dataset)


def read_samples(dataset: Path, numbers: Numbers) -> dict[str, list[Shown]]:
    """Return the drawn samples of each family, cut to what is shown of them."""
    renderer = open_renderer(dataset)
    drawn = {family: numbers.draws[family].drawn() for family in numbers.families}
    found: dict[tuple[Split, int], Shown] = {}
    for split in SPLITS:
        wanted = {each.row: each for some in drawn.values() for each in some if each.split == split}
        for row, ids, labels in read_tokens(dataset / f"{split}.parquet", list(wanted)):
            pieces = list(turns(renderer.spans(ids, labels)))
            found[split, row] = Shown(wanted[row], len(ids), num_trained(labels), pieces)
    return {
        family: [found[each.split, each.row] for each in some] for family, some in drawn.items()
    }


def drawn_pairs(dataset: Path, numbers: Numbers) -> list[ShownPair]:
    """Return the drawn pairs, cut to what is shown of them."""
    renderer = open_renderer(dataset)
    found: list[ShownPair] = []
    wanted = numbers.pair_draw.drawn()
    for _, row in read_pairs(table_of(dataset), wanted) if wanted else ():
        given = {
            "prompt": (row.prompt_ids, [IGNORED] * len(row.prompt_ids)),
            "chosen": (row.chosen_ids, row.chosen_labels),
            "rejected": (row.rejected_ids, row.rejected_labels),
        }
        parts = {name: list(turns(renderer.spans(*some))) for name, some in given.items()}
        counts = {name: num_trained(labels) for name, (_, labels) in given.items()}
        found.append(ShownPair(row, parts, counts))
    return found


def page(
    numbers: Numbers,
    samples: Mapping[str, list[Shown]],
    trajectories: str = "",
    pairs: Sequence[ShownPair] = (),
) -> Iterator[str]:
    """Yield the page in pieces; every text of the data is escaped, and nothing of it hidden.

    `trajectories` is the address of their own pages, from here.
    """
    bins = bins_of(numbers.lengths)
    values = {
        "title": spelt(numbers.run),
        "subject": "dataset",
        "run": numbers.run,
        "numbers": numbers,
        "bins": bins,
        "drawing": draw(bins),
        "samples": samples,
        "pairs": pairs,
        "trajectories": trajectories,
        "TRAJECTORY": FAMILY,
        "all": _all(numbers),
        "folds": _folds,
        "origin": _origin,
        "SPLITS": SPLITS,
        "NUM_EXAMPLES": NUM_EXAMPLES,
    }
    return fill("dataset.html.jinja", values)


def _origin(where: Provenance | Rejected) -> str:
    """Source, commit, path and lines, in one text."""
    commit = f" @ {where.commit[:12]}" if where.commit else ""
    lines = ""
    if isinstance(where, Provenance) and where.first_line:
        lines = f":{where.first_line}-{where.last_line}"
    return inline(f"{where.source}{commit} {where.path}{lines}")


def _all(numbers: Numbers) -> dict[str, int]:
    """Sums for the head of the page."""
    rejects = [each.count for some in numbers.rejects.values() for each in some.values()]
    return {
        "samples": sum(numbers.totals[split].num_samples for split in SPLITS),
        "tokens": sum(numbers.totals[split].num_tokens for split in SPLITS),
        "trained": sum(numbers.totals[split].num_trained_tokens for split in SPLITS),
        "rejects": sum(rejects),
        "longest": max(numbers.quantiles(split)["longest"] for split in SPLITS),
    }


class Folds(NamedTuple):
    """Rows of a table: those that are listed at once, on request, and not at all."""

    first: list[tuple[str, Tallies]]
    more: list[tuple[str, Tallies]]
    num_left: int


def _folds(groups: Mapping[str, Tallies]) -> Folds:
    rows = list(groups.items())
    return Folds(rows[:NUM_OPEN_ROWS], rows[NUM_OPEN_ROWS:NUM_ROWS], max(len(rows) - NUM_ROWS, 0))

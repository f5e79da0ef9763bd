"""How long samples are: logarithmic bins, quantiles, and the geometry of a picture of them.

Train stands on the axis, held out hangs from it, each in shares of its own split, so that two
splits of very different size can be compared. Heights are pixels; widths are per cent, so that
the picture fits a phone without its letters shrinking.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from devtune.records import SPLITS, Split

Lengths = Mapping[Split, Mapping[int, int]]
"""By split: how many samples have this many tokens."""
MAX_BINS = 24
HALF, BAND, EDGE = 112, 24, 14
"""Height of each side, of the axis between them, and of the room above and below."""
GAP = 0.12


class Bin(NamedTuple):
    """Samples of `low` to `high` tokens, both included."""

    low: int
    high: int
    counts: dict[Split, int]


class Bar(NamedTuple):
    """One bar: x and width in per cent, y and height in pixels."""

    split: Split
    x: float
    width: float
    y: float
    height: float
    words: str


class Tick(NamedTuple):
    """A label on the axis (x in per cent) or on a grid line (y in pixels)."""

    place: float
    label: str


class Drawing(NamedTuple):
    """All that a template needs to draw."""

    height: int
    axis: tuple[int, int]
    bars: list[Bar]
    lengths: list[Tick]
    shares: list[Tick]


def bins_of(lengths: Lengths) -> list[Bin]:
    """Cut octaves into 4, 2 or 1 bins, as fine as `MAX_BINS` allows; `[]` for no samples."""
    known = [length for split in SPLITS for length in lengths[split]]
    if not known:
        return []
    low, high = max(min(known), 1), max(known)
    fine = (edges for parts in (4, 2) if len(edges := _edges(low, high, parts)) <= MAX_BINS + 1)
    edges = next(fine, None) or _edges(low, high, 1)
    return [
        Bin(start, end - 1, {split: _between(lengths[split], start, end) for split in SPLITS})
        for start, end in zip(edges, edges[1:], strict=False)
    ]


def _edges(low: int, high: int, parts: int) -> list[int]:
    steps = range(_step(low, parts), _step(high, parts) + 2)
    return sorted({math.ceil(2 ** (step / parts)) for step in steps})


def _step(length: int, parts: int) -> int:
    """The last edge, counted in parts of an octave, that is not above `length`."""
    step = math.floor(math.log2(length) * parts)
    while math.ceil(2 ** ((step + 1) / parts)) <= length:
        step += 1
    return step


def _between(lengths: Mapping[int, int], start: int, end: int) -> int:
    return sum(count for length, count in lengths.items() if start <= length < end)


def quantile(lengths: Mapping[int, int], share: float) -> int:
    """Return the least length that `share` of the samples do not exceed; 0 for none."""
    rank, seen = math.ceil(share * sum(lengths.values())), 0
    for length in sorted(lengths):
        seen += lengths[length]
        if seen >= rank:
            return length
    return 0


def draw(bins: Sequence[Bin]) -> Drawing:
    """Return the picture of `bins`."""
    totals: dict[Split, int] = {
        split: max(sum(each.counts[split] for each in bins), 1) for split in SPLITS
    }
    top = max(each.counts[split] / totals[split] for each in bins for split in SPLITS)
    axis = (EDGE + HALF, EDGE + HALF + BAND)
    return Drawing(
        height=2 * (EDGE + HALF) + BAND,
        axis=axis,
        bars=list(_bars(bins, totals, top)),
        lengths=list(_length_ticks(bins)),
        shares=[
            Tick(place, label)
            for share, label in _grid(top)
            for place in (axis[0] - share / top * HALF, axis[1] + share / top * HALF)
        ],
    )


def _bars(bins: Sequence[Bin], totals: Mapping[Split, int], top: float) -> Iterator[Bar]:
    width = 100 / len(bins)
    for index, each in enumerate(bins):
        for split in SPLITS:
            if not each.counts[split]:
                continue
            share = each.counts[split] / totals[split]
            height = max(share / top * HALF, 1)
            y = EDGE + HALF - height if split == "train" else EDGE + HALF + BAND
            words = (
                f"{each.low:,} to {each.high:,} tokens: {each.counts[split]:,} samples"
                f" {'to train on' if split == 'train' else 'held out'} ({share:.1%})"
            )
            x = (index + GAP / 2) * width
            yield Bar(split, round(x, 3), round(width * (1 - GAP), 3), round(y, 1),
                      round(height, 1), words)  # fmt: skip


def _length_ticks(bins: Sequence[Bin]) -> Iterator[Tick]:
    """Powers of two where a bin starts; every other one when they would touch on a phone."""
    powers = [index for index, each in enumerate(bins) if each.low & (each.low - 1) == 0]
    stride = 1 if len(powers) <= 10 else 2
    chosen = powers[::stride] or [0]
    for index in chosen:
        yield Tick(round(index * 100 / len(bins), 3), _short(bins[index].low))


def _short(length: int) -> str:
    return f"{length // 1024}k" if length >= 1024 and length % 1024 == 0 else str(length)


def _grid(top: float) -> Iterator[tuple[float, str]]:
    """At most three round shares up to `top`."""
    step = next((each for each in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25) if top / each < 4), 0.5)
    for number in range(1, math.floor(top / step + 1e-9) + 1):
        yield number * step, f"{number * step:.0%}"

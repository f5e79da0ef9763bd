"""The loss by step as a picture: lines, dots and round numbers on two axes.

Works on the rows of `curve.jsonl` in memory; a template draws what is returned. Lengths are in
units of the picture, which is `WIDTH` wide and `HEIGHT` high.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

WIDTH, HEIGHT = 680, 250
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 26, 34
MAX_POINTS = 400
"""Of a line; a longer one has the means of steps that follow each other."""
MAX_DOTS = 60
STEPS = (1, 2, 2.5, 5, 10)

Point = tuple[float, float]


class Dot(NamedTuple):
    """A point that can be pointed at."""

    x: float
    y: float
    words: str


class Line(NamedTuple):
    """One loss: `points` as SVG writes them, and dots where there are few."""

    kind: str
    label: str
    points: str
    dots: list[Dot]


class Tick(NamedTuple):
    """A label and where it stands on its axis."""

    place: float
    label: str


class Chart(NamedTuple):
    """All that a template needs to draw."""

    lines: list[Line]
    steps: list[Tick]
    losses: list[Tick]
    steps_a_point: int
    """Steps that one point of the training line is the mean of."""


def chart_of(curve: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Return the picture of rows with `step` and `loss` or `eval_loss`; None where none has."""
    trained, width = _means(_points(curve, "loss"))
    held_out, _ = _means(_points(curve, "eval_loss"))
    every = [*trained, *held_out]
    if not every:
        return None
    across = _Axis([step for step, _ in every], LEFT, WIDTH - RIGHT)
    upright = _Axis([loss for _, loss in every], HEIGHT - BOTTOM, TOP)
    lines = [
        _line("train", "training", trained, across, upright),
        _line("held_out", "held out", held_out, across, upright),
    ]
    return Chart(
        [line for line in lines if line.points],
        across.ticks(whole=True),
        upright.ticks(),
        width,
    )


def _points(curve: Sequence[Mapping[str, Any]], key: str) -> list[Point]:
    """What can be drawn: a loss that is no number stands in the rows, not in the picture."""
    rows = [(float(row["step"]), float(row[key])) for row in curve if key in row]
    return [point for point in rows if math.isfinite(point[1])]


def _means(points: list[Point]) -> tuple[list[Point], int]:
    width = math.ceil(len(points) / MAX_POINTS) or 1
    runs = [points[start : start + width] for start in range(0, len(points), width)]
    return [(run[-1][0], sum(loss for _, loss in run) / len(run)) for run in runs], width


class _Axis:
    """Values of a range, on a stretch of the picture."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        low, high = min(values), max(values)
        margin = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
        self.low = max(low - margin, 0.0) if low >= 0 else low - margin
        self.high = high + margin
        self.start, self.end = start, end

    def place(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self, *, whole: bool = False) -> list[Tick]:
        """At most six round values."""
        rough = (self.high - self.low) / 6
        power = 10 ** math.floor(math.log10(rough))
        round_steps = (each * power for each in STEPS if each * power >= rough)
        step = next((each for each in round_steps if not whole or each % 1 == 0), 1)
        numbers = range(math.ceil(self.low / step), math.floor(self.high / step) + 1)
        return [Tick(self.place(number * step), f"{number * step:.4g}") for number in numbers]


def _line(kind: str, label: str, points: list[Point], across: _Axis, upright: _Axis) -> Line:
    places = [(across.place(step), upright.place(loss)) for step, loss in points]
    dots = [
        Dot(x, y, f"step {step:g}: {label} {loss:.4f}")
        for (x, y), (step, loss) in zip(places, points, strict=True)
    ]
    return Line(
        kind, label, " ".join(f"{x:g},{y:g}" for x, y in places),
        dots if len(dots) <= MAX_DOTS else [],
    )  # fmt: skip

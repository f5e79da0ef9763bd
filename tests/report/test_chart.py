import math

import pytest

from devtune.report.chart import HEIGHT, MAX_DOTS, MAX_POINTS, WIDTH, chart_of


def points(line):
    return [tuple(map(float, each.split(","))) for each in line.points.split()]


def test_lower_losses_stand_lower_and_later_steps_further_right():
    chart = chart_of([{"step": 0, "eval_loss": 3.0}, {"step": 1, "loss": 2.5},
                      {"step": 2, "loss": 1.5}, {"step": 2, "eval_loss": 2.0}])  # fmt: skip
    trained, held_out = chart.lines
    assert (trained.kind, held_out.kind) == ("train", "held_out")
    for line in chart.lines:
        (x1, y1), (x2, y2) = points(line)
        assert 0 < x1 < x2 < WIDTH
        assert 0 < y1 < y2 < HEIGHT
    assert held_out.dots[1].words == "step 2: held out 2.0000"
    assert points(trained)[1][0] == points(held_out)[1][0]


def test_a_curve_without_a_loss_is_no_picture():
    assert chart_of([]) is None
    assert chart_of([{"step": 1, "learning_rate": 1e-4}, {"step": 2, "loss": math.nan}]) is None


def test_one_loss_and_equal_losses_can_be_drawn():
    for rows in ([{"step": 1, "loss": 2.0}], [{"step": 0, "loss": 0.0}, {"step": 9, "loss": 0.0}]):
        chart = chart_of(rows)
        assert len(chart.lines) == 1
        assert all(0 < y < HEIGHT for _, y in points(chart.lines[0]))
        assert chart.losses


def test_a_long_curve_is_drawn_in_means_and_ends_at_its_last_step():
    rows = [{"step": step, "loss": 1.0 + step % 2} for step in range(1, 2001)]
    chart = chart_of(rows)
    (line,) = chart.lines
    assert chart.steps_a_point == 5
    assert len(points(line)) == MAX_POINTS
    assert not line.dots
    assert points(line)[-1][0] == max(x for x, _ in points(line))
    assert len(chart_of(rows[:MAX_DOTS]).lines[0].dots) == MAX_DOTS


@pytest.mark.parametrize("top", [1e-3, 0.7, 3, 10, 32, 1000, 123_456])
def test_there_are_a_few_round_numbers_on_both_axes(top):
    rows = [{"step": 1, "loss": top}, {"step": math.ceil(top), "loss": top / 3}]
    chart = chart_of(rows)
    assert 2 <= len(chart.losses) <= 7
    assert len({each.label for each in chart.losses}) == len(chart.losses)
    assert 1 <= len(chart.steps) <= 7
    assert all(float(each.label) % 1 == 0 for each in chart.steps)

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtune.report.histogram import EDGE, HALF, MAX_BINS, bins_of, draw, quantile

LENGTHS = st.lists(st.integers(1, 2**20), max_size=60)


def lengths(train, held_out=()):
    return {"train": Counter(train), "held_out": Counter(held_out)}


@given(LENGTHS, LENGTHS)
def test_every_length_lies_in_one_bin_and_bins_touch(train, held_out):
    bins = bins_of(lengths(train, held_out))
    assert len(bins) <= MAX_BINS
    assert sum(each.counts["train"] for each in bins) == len(train)
    assert sum(each.counts["held_out"] for each in bins) == len(held_out)
    assert all(one.high + 1 == two.low for one, two in zip(bins, bins[1:], strict=False))
    if bins:
        assert bins[0].low <= min(train + held_out) <= bins[0].high
        assert bins[-1].low <= max(train + held_out) <= bins[-1].high


def test_bins_are_quarters_of_octaves_where_there_is_room():
    edges = [each.low for each in bins_of(lengths([64, 250]))]
    assert edges == [64, 77, 91, 108, 128, 153, 182, 216]


@given(LENGTHS.filter(bool), st.sampled_from([0.5, 0.9, 0.99, 1.0]))
def test_a_quantile_is_the_least_length_that_covers_its_share(values, share):
    found = quantile(Counter(values), share)
    assert sum(each <= found for each in values) >= share * len(values)
    assert sum(each < found for each in values) < share * len(values)


def test_a_split_without_samples_has_no_length():
    assert quantile(Counter(), 0.5) == 0


@given(LENGTHS.filter(bool), LENGTHS)
def test_bars_stay_in_their_half_and_beside_each_other(train, held_out):
    drawing = draw(bins_of(lengths(train, held_out)))
    above, below = drawing.axis
    for bar in drawing.bars:
        assert 0 <= bar.x < bar.x + bar.width <= 100
        if bar.split == "train":
            assert bar.y + bar.height == pytest.approx(above, abs=0.11)
            assert bar.y >= EDGE - 0.11
        else:
            assert bar.y == below
            assert bar.height <= HALF
    assert all(0 < tick.place < drawing.height for tick in drawing.shares)


def test_a_bar_is_as_high_as_its_share_of_its_own_split():
    bars = draw(bins_of(lengths([64] * 30 + [100] * 10, [100]))).bars
    heights = {(bar.split, bar.words.split(" ")[0]): bar.height for bar in bars}
    assert heights["held_out", "91"] == HALF
    assert heights["train", "64"] == pytest.approx(0.75 * HALF)
    assert heights["train", "91"] == pytest.approx(0.25 * HALF)
    assert bars[0].words == "64 to 76 tokens: 30 samples to train on (75.0%)"


def test_labels_are_powers_of_two_and_few_enough_for_a_phone():
    wide = draw(bins_of(lengths([1, 2**20])))
    assert [tick.label for tick in wide.lengths][:3] == ["1", "4", "16"]
    assert len(wide.lengths) <= 11
    assert [tick.label for tick in draw(bins_of(lengths([700, 5000]))).lengths] == [
        "1k",
        "2k",
        "4k",
    ]


def test_grid_lines_stand_at_round_shares_on_both_sides():
    drawing = draw(bins_of(lengths([64, 100, 200, 300])))
    assert [tick.label for tick in drawing.shares] == ["10%", "10%", "20%", "20%"]

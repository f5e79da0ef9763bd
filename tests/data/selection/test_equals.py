import pytest

from devtune.data.selection.equals import exact_dedup


def test_equal_samples_become_one_that_takes_their_places(make_row):
    ids = ["same", "other", "same", "same"]
    rows = [make_row(number, sample_id=each) for number, each in enumerate(ids)]
    selection = exact_dedup(rows)
    assert selection.kept == [0, 1]
    assert selection.dropped == [(2, "exact_duplicate"), (3, "exact_duplicate")]
    assert selection.folded == {2: 0, 3: 0}


@pytest.mark.parametrize("splits", [("train", "held_out"), ("held_out", "train")])
def test_a_held_out_sample_that_is_trained_on_is_dropped_whatever_comes_first(make_row, splits):
    rows = [
        make_row(number, split=split, sample_id="same", answer_hash=1)
        for number, split in enumerate(splits)
    ]
    selection = exact_dedup(rows)
    assert selection.kept == [splits.index("train")]
    assert selection.dropped == [(splits.index("held_out"), "answer_is_trained_on")]
    assert selection.folded == {}


def test_a_held_out_answer_that_is_trained_on_is_dropped_within_its_family(make_row):
    rows = [
        make_row(0, answer_hash=1),
        make_row(1, split="held_out", answer_hash=1),
        make_row(2, split="held_out", answer_hash=1, family="g"),
        make_row(3, split="held_out", answer_hash=2),
        make_row(4, answer_hash=1),
    ]
    selection = exact_dedup(rows)
    assert selection.kept == [0, 2, 3, 4]
    assert selection.dropped == [(1, "answer_is_trained_on")]


def test_equal_held_out_samples_become_one(make_row):
    rows = [make_row(n, split="held_out", sample_id="same", answer_hash=1) for n in range(2)]
    assert exact_dedup(rows).folded == {1: 0}


def test_the_order_of_the_rows_does_not_count(make_row, is_whole):
    rows = [
        make_row(
            n, split=("train", "held_out")[n % 5 == 0], sample_id=f"{n % 7}", answer_hash=n % 7
        )
        for n in range(40)
    ]
    selection = exact_dedup(rows)
    assert exact_dedup(rows[::-1]) == selection
    assert is_whole(rows, selection)
    assert {reason for _, reason in selection.dropped} == {
        "exact_duplicate", "answer_is_trained_on",
    }  # fmt: skip


def test_a_session_that_another_goes_on_from_is_folded_into_the_longest(make_row):
    turns = [(1,), (1, 2, 3), (1, 2), (1, 2, 3), (1, 9), ()]
    rows = [make_row(n, sample_id=f"{each}", turns=each) for n, each in enumerate(turns)]
    selection = exact_dedup(rows)
    assert selection.kept == [1, 4, 5]
    assert selection.dropped == [
        (0, "continued_in_another"), (2, "continued_in_another"), (3, "exact_duplicate"),
    ]  # fmt: skip
    assert selection.folded[2] == 1
    assert selection.folded[0] in (1, 4)
    assert selection.folded[3] == 1
    assert exact_dedup(rows[::-1]) == selection
    other = [make_row(0, turns=(1,), split="held_out"), make_row(1, turns=(1, 2), sample_id="b")]
    assert exact_dedup(other).kept == [0, 1]

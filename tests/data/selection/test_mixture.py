from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtune.data.selection.mixture import apportion, balance, fill, mix
from devtune.steps.selection import Mix

FAMILIES = ("commit_edit", "api_usage", "explanation")
WEIGHTS = st.dictionaries(st.sampled_from(FAMILIES), st.sampled_from([0.0, 0.3, 1.0, 2.0, 7.5]))


def make_mix(max_samples=None, **weights):
    return Mix(type="mix", weights=weights, max_samples=max_samples)


def rows_of(make_row, **sizes):
    named = [family for family, size in sizes.items() for _ in range(size)]
    return [make_row(number, family=family) for number, family in enumerate(named)]


def kept_of(rows, selection):
    return Counter(rows[position].family for position in selection.kept)


def test_the_family_in_the_middle_measures_the_others(make_row):
    rows = rows_of(make_row, commit_edit=3, api_usage=50, explanation=900)
    assert kept_of(rows, mix(make_mix(), rows)) == {
        "commit_edit": 3, "api_usage": 50, "explanation": 50,
    }  # fmt: skip
    assert kept_of(rows, mix(make_mix(explanation=0.5), rows)) == {
        "commit_edit": 3, "api_usage": 50, "explanation": 25,
    }  # fmt: skip


def test_a_family_of_no_weight_is_left_out(make_row):
    rows = rows_of(make_row, commit_edit=3, api_usage=5)
    for max_samples in (None, 100):
        selection = mix(make_mix(max_samples, api_usage=0), rows)
        assert kept_of(rows, selection) == {"commit_edit": 3}
    assert mix(make_mix(api_usage=0, commit_edit=0), rows).kept == []


def test_so_many_samples_are_shared_out_by_weight(make_row):
    rows = rows_of(make_row, commit_edit=100, api_usage=100, explanation=100)
    selection = mix(make_mix(60, commit_edit=3, api_usage=2), rows)
    assert kept_of(rows, selection) == {"commit_edit": 30, "api_usage": 20, "explanation": 10}


def test_what_one_family_lacks_the_others_give(make_row):
    rows = rows_of(make_row, commit_edit=5, api_usage=100, explanation=100)
    selection = mix(make_mix(65, commit_edit=3, api_usage=2), rows)
    assert kept_of(rows, selection) == {"commit_edit": 5, "api_usage": 40, "explanation": 20}


def test_a_family_is_never_repeated(make_row):
    rows = rows_of(make_row, commit_edit=5, api_usage=7)
    assert mix(make_mix(1_000), rows).kept == list(range(12))


def test_a_lighter_source_gives_less_of_each_family(make_row):
    rows = [
        make_row(number, family=FAMILIES[number % 2], source="lib", weight=0.5)
        if number < 40
        else make_row(number, family=FAMILIES[number % 2], source="app", weight=2.0)
        for number in range(60)
    ]
    selection = mix(make_mix(), rows)
    kept = Counter((rows[at].family, rows[at].source) for at in selection.kept)
    assert kept == {(family, source): n for family in FAMILIES[:2]
                    for source, n in (("lib", 5), ("app", 10))}  # fmt: skip


def test_the_only_sample_of_a_light_source_is_not_lost(make_row):
    rows = [
        make_row(0, family="api_usage", weight=0.1, source="lib"),
        make_row(1, family="api_usage"),
    ]
    assert mix(make_mix(), rows).kept == [0, 1]


def test_what_is_held_out_is_not_mixed(make_row):
    rows = [make_row(number, split="held_out", family="api_usage") for number in range(9)]
    assert mix(make_mix(1, api_usage=0), rows).kept == list(range(9))


def test_the_smallest_ids_are_kept(make_row):
    rows = rows_of(make_row, commit_edit=50)
    selection = mix(make_mix(5), rows)
    smallest = sorted(rows, key=lambda row: row.sample_id)[:5]
    assert selection.kept == sorted(row.position for row in smallest)
    assert {reason for _, reason in selection.dropped} == {"outside_the_mix"}


@given(
    st.lists(st.tuples(st.sampled_from(FAMILIES), st.sampled_from(["app", "lib"]),
                       st.sampled_from(["train", "held_out"])), max_size=60),
    WEIGHTS,
    st.sampled_from([None, 1, 7, 30]),
    st.sampled_from([0.1, 1.0, 3.0]),
    st.randoms(),
)  # fmt: skip
def test_the_mix_does_not_hang_on_the_order(
    make_row, is_whole, places, weights, max_samples, weight, chance
):
    rows = [
        make_row(number, family=family, source=source, split=split,
                 weight=weight if source == "lib" else 1.0)
        for number, (family, source, split) in enumerate(places)
    ]  # fmt: skip
    step = make_mix(max_samples, **weights)
    selection = mix(step, rows)
    assert is_whole(rows, selection)
    trained = [at for at in selection.kept if rows[at].split == "train"]
    assert len(trained) <= (max_samples or len(rows))
    assert not any(weights.get(rows[at].family) == 0 for at in trained)
    chance.shuffle(rows)
    assert mix(step, rows) == selection


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 50), min_size=1),
    st.lists(st.sampled_from([0.1, 0.5, 1.0, 3.0]), min_size=4, max_size=4),
    st.integers(0, 150),
)
def test_shares_are_those_of_the_weights_but_for_families_that_lack(sizes, listed, total):
    weights = {name: Fraction(weight) for name, weight in zip("abcd", listed, strict=True)}
    filled = fill(sizes, weights, total)
    assert sum(filled.values()) == min(total, sum(sizes.values()))
    assert all(filled[name] <= size for name, size in sizes.items())
    units = {name: filled[name] / weights[name] for name in sizes if filled[name] < sizes[name]}
    for name in sizes:
        for other in units:
            assert (filled[name] - 1) / weights[name] <= units[other] + 1 / weights[other]


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 50), min_size=1),
    st.lists(st.sampled_from([0.1, 0.5, 1.0, 3.0]), min_size=4, max_size=4),
)
def test_families_of_over_half_the_weight_give_all(sizes, listed):
    weights = {name: Fraction(weight) for name, weight in zip("abcd", listed, strict=True)}
    kept = balance(sizes, weights)
    whole = sum(weights[name] for name in sizes)
    assert 2 * sum(weights[name] for name in sizes if kept[name] == sizes[name]) > whole
    trimmed = {name for name in sizes if kept[name] < sizes[name]}
    longest = max(kept[name] / weights[name] for name in sizes)
    assert all(kept[name] + 1 > longest * weights[name] for name in trimmed)


@pytest.mark.parametrize(
    ("total", "shares", "parts"),
    [
        (10, {"a": 1, "b": 1, "c": 1}, {"a": 4, "b": 3, "c": 3}),
        (10, {"b": 1, "a": 1, "c": 0}, {"b": 5, "a": 5, "c": 0}),
        (3, {"a": 0, "b": 0}, {"a": 0, "b": 0}),
        (4, {"a": 1, "b": 5}, {"a": 1, "b": 3}),
        (0, {"a": 1}, {"a": 0}),
        (3, {}, {}),
    ],
)
def test_remainders_go_to_the_largest(total, shares, parts):
    shares = {name: Fraction(share) for name, share in shares.items()}
    assert apportion(total, shares) == parts

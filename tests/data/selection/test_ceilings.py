from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtune.data.selection.ceilings import cap, find_ceiling, max_per_family
from devtune.steps.selection import Cap, MaxPerFamily

PLACES = st.lists(
    st.tuples(
        st.sampled_from(["train", "train", "train", "held_out"]),
        st.sampled_from(["Ada", "Ada", "Ada", "Bob", "Cyd", "Dan", ""]),
        st.sampled_from(["app", "app", "lib", "web"]),
        st.sampled_from(["x", "y", "z"]),
        st.sampled_from("fg"),
    ),
    max_size=80,
)
SHARES = st.sampled_from([None, 0.2, 0.29, 0.35, 0.5, 0.7, 1.0])


def make_cap(**values):
    return Cap(type="cap", **values)


def rows_of(make_row, places):
    return [
        make_row(number, split=split, author=author, source=source, path=path, family=family)
        for number, (split, author, source, path, family) in enumerate(places)
    ]


@given(PLACES, st.sampled_from([None, 1, 2, 5]), SHARES, SHARES, st.randoms())
def test_ceilings_hold_and_do_not_hang_on_the_order(
    make_row, is_whole, places, per_file, per_author, per_repository, chance
):
    rows = rows_of(make_row, places)
    step = make_cap(per_file=per_file, per_author=per_author, per_repository=per_repository)
    selection = cap(step, rows)
    assert is_whole(rows, selection)
    kept = [rows[position] for position in selection.kept]
    assert [row for row in kept if row.split == "held_out"] == [
        row for row in rows if row.split == "held_out"
    ]
    trained = [row for row in kept if row.split == "train"]
    files = Counter((row.source, row.path, row.family) for row in trained)
    assert max(files.values(), default=0) <= (per_file or len(rows))
    noted = {note.split(":")[0] for note in selection.notes}
    for name, share, owner in (
        ("per_author", per_author, lambda row: row.author),
        ("per_repository", per_repository, lambda row: row.source),
    ):
        counts = Counter(owner(row) for row in trained if owner(row))
        if share is not None and name not in noted:
            assert max(counts.values(), default=0) <= Fraction(str(share)) * len(trained)
    chance.shuffle(rows)
    assert cap(step, rows) == selection


def test_no_share_costs_more_than_half(make_row):
    authors = ["Ada"] * 97 + ["Bob", "Cyd", "Dan"]
    rows = [make_row(number, author=author) for number, author in enumerate(authors)]
    selection = cap(make_cap(per_author=0.5), rows)
    assert selection.kept == list(range(100))
    assert selection.notes == ["per_author: 0.5 cannot hold here and is not applied"]


def test_a_single_repository_is_not_limited(make_row):
    rows = [make_row(number) for number in range(10)]
    selection = cap(make_cap(per_repository=0.8), rows)
    assert selection.dropped == []
    assert selection.notes == ["per_repository: 0.8 cannot hold here and is not applied"]


def test_an_author_is_limited_to_the_share_of_what_is_left(make_row):
    authors = ["Ada"] * 60 + ["Bob"] * 30 + ["Cyd"] * 10
    rows = [make_row(number, author=author) for number, author in enumerate(authors)]
    selection = cap(make_cap(per_author=0.5), rows)
    kept = Counter(rows[position].author for position in selection.kept)
    assert kept == {"Ada": 40, "Bob": 30, "Cyd": 10}
    assert {reason for _, reason in selection.dropped} == {"over_author_share"}
    assert selection.notes == []


def test_samples_without_an_author_are_nobodys_but_count(make_row):
    authors = [""] * 60 + ["Ada"] * 40
    rows = [make_row(number, author=author) for number, author in enumerate(authors)]
    kept = cap(make_cap(per_author=0.25), rows).kept
    assert Counter(rows[position].author for position in kept) == {"": 60, "Ada": 20}


def test_a_share_holds_after_another_was_enforced(make_row):
    places = [("Ada", "lib")] * 50 + [("Eve", "lib")] * 10
    places += [("Bob", "app")] * 40 + [("Cyd", "app")] * 40
    rows = [
        make_row(number, author=author, source=source)
        for number, (author, source) in enumerate(places)
    ]
    assert cap(make_cap(per_author=0.4), rows).dropped == []
    selection = cap(make_cap(per_author=0.4, per_repository=0.5), rows)
    assert selection.notes == []
    kept = [rows[position] for position in selection.kept]
    assert max(Counter(row.author for row in kept).values()) <= 0.4 * len(kept)
    assert max(Counter(row.source for row in kept).values()) <= 0.5 * len(kept)
    assert Counter(reason for _, reason in selection.dropped).keys() == {
        "over_author_share", "over_repository_share",
    }  # fmt: skip


def test_a_share_that_fails_later_on_costs_nothing(make_row):
    rows = [
        make_row(number, author=("Ada", "Bob", "Cyd")[number % 3 if number >= 50 else 0],
                 source=("app", "lib", "web")[number % 3])
        for number in range(120)
    ]  # fmt: skip
    selection = cap(make_cap(per_author=0.45, per_repository=0.35), rows)
    assert selection.notes == ["per_author: 0.45 cannot hold here and is not applied"]
    assert selection.dropped == []


def test_a_file_keeps_the_smallest_ids_of_each_family(make_row):
    rows = [
        make_row(number, path=("x", "y")[number % 2], family="fg"[number % 4 // 2])
        for number in range(40)
    ]
    selection = cap(make_cap(per_file=3), rows)
    assert {reason for _, reason in selection.dropped} == {"over_file_ceiling"}
    for path in "xy":
        for family in "fg":
            alike = [row for row in rows if (row.path, row.family) == (path, family)]
            smallest = sorted(alike, key=lambda row: row.sample_id)[:3]
            assert {row.position for row in smallest} <= set(selection.kept)
    assert len(selection.kept) == 12


def test_equal_paths_of_two_repositories_are_two_files(make_row):
    rows = [make_row(number, source=("app", "lib")[number % 2]) for number in range(4)]
    assert len(cap(make_cap(per_file=1), rows).kept) == 2


@given(
    st.lists(st.integers(1, 30), max_size=8),
    st.integers(0, 20),
    st.sampled_from([0.1, 0.29, 0.3, 0.5, 1.0]),
)
def test_the_ceiling_is_the_largest_that_holds(sizes, num_free, share):
    def holds(ceiling):
        total = num_free + sum(min(size, ceiling) for size in sizes)
        return ceiling <= Fraction(str(share)) * total

    largest = max(at for at in range(max(sizes, default=0) + 1) if holds(at))
    assert find_ceiling(sizes, num_free, share) == largest


@pytest.mark.parametrize("copies", [1, 3])
def test_a_ceiling_holds_for_each_family_and_split(make_row, is_whole, copies):
    rows = [
        make_row(number, split=("train", "held_out")[number % 2], family="fg"[number % 4 // 2],
                 sample_id=f"{number // copies * 7919 % 101:016x}")
        for number in range(28 * copies)
    ]  # fmt: skip
    selection = max_per_family(MaxPerFamily(type="max_per_family", train=5, held_out=2), rows)
    sizes = Counter((rows[at].split, rows[at].family) for at in selection.kept)
    assert sizes == {
        ("train", "f"): 5, ("train", "g"): 5, ("held_out", "f"): 2, ("held_out", "g"): 2,
    }  # fmt: skip
    assert is_whole(rows, selection)
    assert {reason for _, reason in selection.dropped} == {"over_family_maximum"}
    step = MaxPerFamily(type="max_per_family", train=5, held_out=2)
    assert max_per_family(step, rows[::-1]) == selection


def test_a_family_keeps_its_smallest_ids(make_row):
    rows = [make_row(number) for number in range(20)]
    selection = max_per_family(MaxPerFamily(type="max_per_family", train=5, held_out=1), rows)
    smallest = sorted(rows, key=lambda row: row.sample_id)[:5]
    assert selection.kept == sorted(row.position for row in smallest)


def test_a_family_below_its_ceiling_is_kept_whole(make_row):
    step = MaxPerFamily(type="max_per_family", train=5, held_out=1)
    assert max_per_family(step, [make_row(0)]).kept == [0]

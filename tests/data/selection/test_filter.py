from collections import Counter

import pytest

from devtune.data.corpus import Made
from devtune.data.corpus import make_sample as sample_of
from devtune.data.selection.filter import exact_dedup, max_per_family
from devtune.pipeline import MaxPerFamily
from devtune.records import Provenance, Rejected


@pytest.fixture
def make_made():
    def make(split, request, answer="a", family="f", path="x.py"):
        place = Provenance("app", "c", path, "b", "Ada", "2024")
        return Made(split, sample_of(family, request, answer, place))

    return make


def test_equal_samples_become_one_with_all_their_places(make_made):
    twins = [make_made("train", "q", path=path) for path in ("x.py", "y.py", "x.py")]
    kept, rejected = exact_dedup([twins[0], make_made("train", "r"), *twins[1:]])
    assert [each.sample.messages[0].content for each in kept] == ["q", "r"]
    assert [place.path for place in kept[0].sample.provenance] == ["x.py", "y.py"]
    assert rejected == [
        Rejected("exact_duplicate", "app", path, "c", twins[0].sample.sample_id)
        for path in ("y.py", "x.py")
    ]


def test_a_held_out_sample_that_is_trained_on_is_dropped_whatever_comes_first(make_made):
    train, held_out = make_made("train", "q"), make_made("held_out", "q")
    for made in ([train, held_out], [held_out, train]):
        kept, rejected = exact_dedup(made)
        assert kept == [train]
        assert [each.reason for each in rejected] == ["answer_is_trained_on"]


def test_a_held_out_answer_that_is_trained_on_is_dropped_within_its_family(make_made):
    made = [
        make_made("train", "q", "answer"),
        make_made("held_out", "another question", "answer"),
        make_made("held_out", "q", "answer", family="other"),
        make_made("held_out", "q", "another answer"),
    ]
    kept, rejected = exact_dedup(made)
    assert kept == [made[0], made[2], made[3]]
    assert [each.detail for each in rejected] == [made[1].sample.sample_id]


def test_equal_text_of_two_families_is_two_samples(make_made):
    made = [make_made("train", "q", family=family) for family in ("f", "g")]
    assert exact_dedup(made) == (made, [])


@pytest.mark.parametrize("copies", [1, 3])
def test_a_ceiling_holds_for_each_family_and_split(make_made, copies):
    made = [
        make_made(split, f"{split} {number}", family=family)
        for split in ("train", "held_out")
        for family in ("f", "g")
        for number in range(7)
        for _ in range(copies)
    ]
    step = MaxPerFamily(type="max_per_family", train=5, held_out=2)
    kept, rejected = max_per_family(step, made)
    sizes = Counter((each.split, each.sample.family) for each in kept)
    assert sizes == {
        ("train", "f"): 5, ("train", "g"): 5, ("held_out", "f"): 2, ("held_out", "g"): 2,
    }  # fmt: skip
    assert len(kept) + len(rejected) == len(made)
    assert {each.reason for each in rejected} == {"over_family_maximum"}


def test_the_choice_hangs_on_the_samples_and_not_on_their_order(make_made):
    made = [make_made("train", f"q{number}") for number in range(20)]
    step = MaxPerFamily(type="max_per_family", train=5, held_out=1)
    chosen, _ = max_per_family(step, made)
    assert chosen == [each for each in made if each in chosen]
    backwards, _ = max_per_family(step, made[::-1])
    assert backwards == chosen[::-1]


def test_a_family_below_its_ceiling_is_kept_whole(make_made):
    made = [make_made("train", "q")]
    step = MaxPerFamily(type="max_per_family", train=5, held_out=1)
    assert max_per_family(step, made) == (made, [])

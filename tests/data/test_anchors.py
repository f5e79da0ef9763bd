import random
from collections import Counter

import pytest

from devtune.data.anchors import common_ends, find_gaps


@pytest.mark.parametrize("size", [0, 1, 63, 64, 197])
@pytest.mark.parametrize("inserted", [[], ["new"]])
def test_ends_in_common_are_found_whatever_their_length(size, inserted):
    lines = [f"line {number}" for number in range(size)]
    half = size // 3
    new = [*lines[:half], *inserted, *lines[half:]]
    head, tail = common_ends(lines, new)
    assert (head, tail) == ((half, size - half) if inserted else (size, 0))


def test_ends_in_common_do_not_overlap():
    assert common_ends("aaa", "aa") == (2, 0)
    assert common_ends("abab", "ab") == (2, 0)


@pytest.mark.parametrize("seed", range(20))
def test_between_gaps_both_sides_are_the_same(seed):
    chance = random.Random(seed)
    old = [chance.randint(0, 40) for _ in range(40)]
    new = [each for each in old if chance.random() < 0.8]
    new.insert(chance.randint(0, len(new)), 99)
    a = c = 0
    for first, last, new_first, new_last in find_gaps(old, new, Counter(old), Counter(new)):
        assert old[a:first] == new[c:new_first]
        assert first < last or new_first < new_last
        a, c = last, new_last
    assert old[a:] == new[c:]


def test_a_line_that_stands_once_on_both_sides_is_no_part_of_a_gap():
    old, new = ["x", "y", "once", "z"], ["y", "x", "once", "z", "z"]
    gaps = list(find_gaps(old, new, Counter(old), Counter(new)))
    assert all(not first <= 2 < last for first, last, _, _ in gaps)

import random

import pytest

from devtune.data.families.hunks import (
    count_changed,
    find_hunks,
    find_windows,
    join_hunks,
    whole_lines,
)
from tests.changes import ODD_LINES, shuffled


def rebuilt(old, new, hunks):
    lines, place = [], 0
    for a, b, c, d in hunks:
        lines += [*old[place:a], *new[c:d]]
        place = b
    return [*lines, *old[place:]]


@pytest.mark.parametrize("size", [1, 2, 5, 60])
def test_hunks_turn_the_old_lines_into_the_new_ones(size):
    chance = random.Random(size)
    alphabet = [*ODD_LINES, *map(str, range(40))][-size:]
    num_hunks = []
    for _ in range(400):
        old, new = shuffled(chance, alphabet)
        hunks = find_hunks(old, new, 1000)
        assert rebuilt(old, new, hunks) == new
        ends = [-1, *(b for _, b, _, _ in hunks)]
        assert all(hunk[0] > end for hunk, end in zip(hunks, ends, strict=False))
        num_hunks.append(len(hunks))
    assert max(num_hunks) > 2 or size == 1


def test_a_small_change_in_a_long_text_is_a_small_hunk():
    old = [f"{number}\n" for number in range(1000)]
    new = [*old[:500], "new\n", *old[501:700], *old[702:]]
    assert find_hunks(old, new, 3) == [(500, 501, 500, 501), (700, 702, 700, 700)]


def test_a_moved_block_is_not_matched_across_what_stayed():
    old = whole_lines("a\nb\nc\nd\ne\n")
    new = whole_lines("d\na\nb\nc\ne\n")
    assert find_hunks(old, new, 9) == [(0, 0, 0, 1), (3, 4, 4, 4)]


def test_too_many_changes_are_refused_before_they_are_compared():
    many = [f"{number}\n" for number in range(100_000)]
    assert find_hunks(many, many[::-1][:10], 60) == "too_many_changed_lines"
    assert find_hunks(many, [f"x{line}" for line in many], 60) == "too_many_changed_lines"
    assert find_hunks(list("abcdef"), list("badcfe"), 2) == "too_many_changed_lines"


@pytest.mark.timeout(20)
def test_files_of_one_line_repeated_take_no_minutes():
    same = ["same\n"] * 100_000
    hunks = [(0, 1, 0, 1), (100_001, 100_002, 100_001, 100_002)]
    assert find_hunks(["a\n", *same, "a\n"], ["b\n", *same, "b\n"], 60) == hunks
    old, new = ([each, *same, *[each] * 30] for each in "xy")
    assert find_hunks(old, new, 200) == [(0, 1, 0, 1), (100_001, 100_031, 100_001, 100_031)]


def without_common_ends(old, new):
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return old, new


def count_common(old, new):
    lengths = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for x, line in enumerate(old):
        for y, other in enumerate(new):
            longest = max(lengths[x][y + 1], lengths[x + 1][y])
            lengths[x + 1][y + 1] = lengths[x][y] + 1 if line == other else longest
    return lengths[-1][-1]


@pytest.mark.parametrize("size", [2, 3, 6])
def test_without_a_line_to_hold_on_to_no_change_is_larger_than_it_has_to_be(size):
    chance = random.Random(size)
    num_compared = 0
    for _ in range(300):
        old, new = without_common_ends(*shuffled(chance, [str(each) for each in range(size)]))
        if any(old.count(line) == new.count(line) == 1 for line in old):
            continue
        removed = sum(b - a for a, b, _, _ in find_hunks(old, new, 1000))
        assert len(old) - removed == count_common(old, new)
        num_compared += 1
    assert num_compared > 100


METHODS = """class A:
    def a(self):
        return 1

    def c(self):
        return 1
"""


def test_an_added_function_is_added_whole():
    old = whole_lines(METHODS)
    new = [*old[:4], "    def b(self):\n", "        return 1\n", "\n", *old[4:]]
    assert find_hunks(old, new, 9) == [(4, 4, 4, 7)]


def test_a_removed_function_is_removed_whole():
    new = whole_lines(METHODS)
    old = [*new[:4], "    def b(self):\n", "        return 1\n", "\n", *new[4:]]
    assert find_hunks(old, new, 9) == [(4, 7, 4, 4)]


def test_a_function_added_at_the_end_does_not_start_with_the_brace_of_another():
    old = whole_lines("a {\n  b\n}\n")
    new = whole_lines("a {\n  b\n}\n\nc {\n  b\n}\n")
    assert find_hunks(old, new, 9) == [(3, 3, 3, 7)]


def test_changed_lines_count_once():
    assert count_changed([(0, 2, 0, 3), (5, 9, 6, 6)]) == 7


def test_near_hunks_are_joined():
    hunks = [(0, 1, 0, 1), (4, 5, 4, 6), (9, 9, 10, 11)]
    assert join_hunks(hunks, 3) == [(0, 5, 0, 6), (9, 9, 10, 11)]
    assert join_hunks(hunks, 4) == [(0, 9, 0, 11)]
    assert join_hunks([], 3) == []


def test_windows_are_cut_sorted_and_merged():
    assert find_windows([(8, 12), (-3, 2), (2, 4), (11, 30)], 20) == [(0, 4), (8, 20)]

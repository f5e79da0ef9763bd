import random

import pytest

from devtune.data.families.blocks import (
    DIVIDE,
    REPLACE,
    SEARCH,
    apply_answer,
    find_blocks,
    write_blocks,
)
from devtune.data.families.hunks import find_hunks, whole_lines
from tests.changes import LONG, ODD_LINES, read_blocks, shuffled


def blocks_of(old, new):
    old_lines, new_lines = whole_lines(old), whole_lines(new)
    return find_blocks(old_lines, new_lines, find_hunks(old_lines, new_lines, 1000))


@pytest.mark.parametrize("size", [2, 4, 40])
def test_blocks_read_by_someone_else_give_the_new_text(size):
    chance = random.Random(size)
    alphabet = [*ODD_LINES, *map(str, range(40))]
    num_blocks = []
    for _ in range(150):
        old, new = ("".join(f"{line}\n" for line in each) for each in shuffled(chance, alphabet))
        if old == new or not new:
            continue
        blocks = blocks_of(old, new)
        answer = write_blocks("a b/x.py", blocks)
        assert read_blocks({"a b/x.py": old}, answer) == {"a b/x.py": new}
        assert apply_answer({"a b/x.py": old}, answer) == {"a b/x.py": new}
        num_blocks.append(len(blocks))
    assert len(num_blocks) > 75
    assert max(num_blocks) > 1


def test_a_small_change_is_one_small_block():
    answer = write_blocks("x.py", blocks_of(LONG, LONG.replace("line_50 = 50", "line_50 = -1")))
    assert answer == f"x.py\n{SEARCH}\nline_50 = 50\n{DIVIDE}\nline_50 = -1\n{REPLACE}"


def test_a_new_file_has_nothing_to_search_for():
    answer = write_blocks("x.py", blocks_of("", "a = 1\n\n"))
    assert answer == f"x.py\n{SEARCH}\n{DIVIDE}\na = 1\n\n{REPLACE}"
    assert apply_answer({"x.py": ""}, answer) == {"x.py": "a = 1\n\n"}


def test_blocks_that_are_not_unique_alone_are_joined():
    old = whole_lines("x\na\ny\n" * 6)
    new = list(old)
    new[4], new[13] = "b\n", "b\n"
    blocks = find_blocks(old, new, [(4, 5, 4, 5), (13, 14, 13, 14)])
    answer = write_blocks("x", blocks)
    assert read_blocks({"x": "".join(old)}, answer) == {"x": "".join(new)}


def test_a_block_does_not_search_for_blank_lines_it_can_do_without():
    old = "a()\n\n\nb()\n\n\nc()\n"
    (block,) = blocks_of(old, old.replace("b()\n", "new()\n\n\nb()\n"))
    assert (block.search, block.replace) == ("b()\n", "new()\n\n\nb()\n")


def test_a_block_is_not_widened_for_ever():
    for number, is_found in ((50, True), (2000, False)):
        lines = ["same\n"] * number
        lines[number // 2] = "other\n"
        assert (blocks_of("same\n" * number, "".join(lines)) is not None) is is_found


def test_answers_that_do_not_apply_are_known():
    def apply(search, replace="", path="x\n"):
        block = f"{SEARCH}\n{search}{DIVIDE}\n{replace}{REPLACE}"
        return apply_answer({"x": "a\nb\na\n"}, f"{path}{block}")

    assert apply("a\nb\n") == {"x": "a\n"}
    for search, path in (("a\n", "x\n"), ("c\n", "x\n"), ("", "x\n"), ("b\n", "y\n"), ("b\n", "")):
        assert apply(search, path=path) is None
    assert apply("b\n", f"  {DIVIDE}\n") is None
    texts = {"x": "b\n"}
    assert apply_answer(texts, f"x\n{SEARCH}\nb\n{DIVIDE}\nc\n") is None
    assert apply_answer(texts, f"x\n{SEARCH}\nb\n{REPLACE}") is None

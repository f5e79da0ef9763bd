import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtune.data.selection.shingles import (
    BLOCK_BYTES,
    are_alike,
    jaccard,
    ngrams,
    shingles,
    spell,
    words,
)

LETTERS = st.text(alphabet="ab_1 \n\t.=(é", max_size=60)


def plain_words(text):
    return re.findall(r"\w+|[^\w\s]+", text)


@given(LETTERS, LETTERS)
def test_words_are_equal_where_a_plain_search_says_so(one, other):
    spoken = plain_words(one) + plain_words(other)
    numbers = np.concatenate((words(one), words(other))).tolist()
    assert len(numbers) == len(spoken)
    named = dict(zip(numbers, spoken, strict=True))
    assert [named[each] for each in numbers] == spoken
    assert len(named) == len(set(spoken))


@given(st.text())
def test_any_text_has_words(text):
    assert len(words(text, operators=False)) <= len(words(text)) <= len(text)
    assert len(words(text, operators=False)) == len(spell(text))


def test_operators_are_left_out_on_demand():
    assert words("a = b", operators=False).tolist() == words("a b").tolist()
    assert spell("a = f(b)") == ["a", "f", "b"]


def test_lone_surrogates_and_nuls_are_letters_like_others():
    assert len(words("a \ud800b \0")) == 3


def test_a_word_has_the_same_number_wherever_it_stands():
    first = words("name")[0]
    for size in (1, 7, BLOCK_BYTES - 2, BLOCK_BYTES, 3 * BLOCK_BYTES):
        assert words(f"{'x ' * size}name")[-1] == first


def test_words_of_a_long_text_are_those_of_its_lines():
    lines = [f"value_{number} = {number % 7} + other" for number in range(5_000)]
    together = words("\n".join(lines))
    assert together.tolist() == np.concatenate([words(line) for line in lines]).tolist()
    assert len(np.unique(together)) == 5_000 + 7 + 3


def test_a_word_longer_than_a_block_counts_and_ends():
    long = "x" * (2 * BLOCK_BYTES + 5)
    assert words(f"{long} end")[-1] == words("end")[0]
    assert len(words(long, operators=False)) == len(spell(long)) > 1


def test_numbers_stay_the_same_from_version_to_version():
    assert words("return x").tolist() == [7497501673226029148, 2081633316375545278]


@given(st.lists(st.sampled_from("abc"), max_size=12), st.integers(1, 4))
def test_ngrams_are_equal_where_the_words_are(said, size):
    expected = [tuple(said[at : at + size]) for at in range(len(said) - size + 1)]
    numbers = ngrams(words(" ".join(said)), size).tolist()
    assert len(numbers) == len(expected)
    for one, other in zip(*map(list, (numbers, expected)), strict=True):
        same = [number for number, gram in zip(numbers, expected, strict=True) if gram == other]
        assert set(same) == {one}
    assert len(set(numbers)) == len(set(expected))


def test_the_order_of_words_counts():
    assert ngrams(words("a b"), 2).tolist() != ngrams(words("b a"), 2).tolist()
    assert ngrams(words("a a b"), 3).tolist() != ngrams(words("a b b"), 3).tolist()


@pytest.mark.parametrize(("text", "size"), [("", 0), (" \n", 0), ("a", 1), ("a b c", 1)])
def test_a_short_text_is_one_shingle(text, size):
    assert len(shingles(text, 5)) == size


@given(LETTERS)
def test_shingles_are_a_sorted_set(text):
    found = shingles(text, 2).tolist()
    assert all(one < other for one, other in pairwise(found))


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)), st.sampled_from([0.3, 0.5, 1.0]))
def test_similarity_is_that_of_sets(one, other, least):
    arrays = [np.array(sorted(each), np.uint64) for each in (one, other)]
    expected = len(one & other) / len(one | other) if one and other else 0.0
    assert jaccard(*arrays) == expected
    assert are_alike(*arrays, least) == (expected >= least)

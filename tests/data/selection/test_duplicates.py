import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devtune.data.selection.duplicates import (
    Clusters,
    Copy,
    buckets,
    choose,
    find_clusters,
    multiplicities,
)
from devtune.data.selection.shingles import jaccard, shingles
from devtune.data.selection.signatures import band_keys, digest_of, signature
from devtune.steps.selection import NearDuplicateFiles

STEP = NearDuplicateFiles(type="near_duplicate_files")


class Texts:
    def __init__(self, texts) -> None:
        self.texts = texts
        self.digests = np.array([digest_of(text) for text in texts], np.uint64)
        self.keys = np.array(
            [band_keys(signature(text, STEP), STEP.bands, STEP.rows) for text in texts]
        )
        self.num_read = 0

    def shingles_of(self, row):
        self.num_read += 1
        return shingles(self.texts[row], STEP.ngram)

    def clusters(self, min_jaccard=0.7):
        return find_clusters(self.keys.T, self.digests, self.shingles_of, min_jaccard)


def variants(count, num_changes, seed=1, size=400):
    chance = random.Random(seed)
    said = [f"{seed}w{number}" for number in range(size)]
    texts = []
    for number in range(count):
        changed = list(said)
        for at in chance.sample(range(size), num_changes):
            changed[at] = f"other{number}_{at}"
        texts.append(" ".join(changed))
    return texts


def test_rows_joined_are_one_set_named_by_the_smallest():
    sets = Clusters(6)
    for one, other in ((4, 2), (5, 4), (0, 1)):
        sets.join(one, other)
    assert [sets.find(row) for row in range(6)] == [0, 0, 2, 3, 2, 2]
    assert sets.sets() == [[0, 1], [2, 4, 5]]


def test_a_bucket_holds_the_rows_that_agree_in_a_band():
    bands = [np.array(keys, np.uint64) for keys in ([7, 3, 7, 3, 7], [1, 2, 3, 4, 5], [9] * 5)]
    assert list(buckets(bands)) == [[1, 3], [0, 2, 4], [0, 1, 2, 3, 4]]
    assert list(buckets([np.array([], np.uint64)])) == []


def test_alike_texts_are_found_and_others_are_not():
    texts = Texts([*variants(4, 4), *variants(1, 0, seed=2), *variants(3, 4, seed=3), "", ""])
    assert texts.clusters() == [[0, 1, 2, 3], [5, 6, 7], [8, 9]]


def test_a_candidate_that_is_not_alike_enough_stays():
    texts = Texts(variants(2, 15))
    similarity = jaccard(texts.shingles_of(0), texts.shingles_of(1))
    assert 0.4 < similarity < 0.7
    texts.keys[:, 0] = 5
    assert texts.clusters(0.7) == []
    assert texts.clusters(similarity) == [[0, 1]]


def test_texts_without_words_are_duplicates_only_when_equal():
    assert Texts([" ", "\n", " ", ""]).clusters() == [[0, 2]]


def test_ten_thousand_equal_texts_are_compared_with_nothing():
    texts = Texts(variants(1, 0))
    texts.keys, texts.digests = texts.keys.repeat(10_000, 0), texts.digests.repeat(10_000)
    assert texts.clusters() == [list(range(10_000))]
    assert texts.num_read == 0


@pytest.mark.parametrize("num_changes", [1, 15])
def test_what_a_full_bucket_costs_grows_with_its_size_only(num_changes):
    costs = []
    for count in (60, 120):
        texts = Texts(variants(count, num_changes))
        texts.keys[:, 1:] = np.arange(count * 24, dtype=np.uint64).reshape(count, 24)
        texts.keys[:, 0] = 5
        texts.clusters()
        costs.append(texts.num_read)
    assert costs[0] < 60 * 18
    assert costs[1] < 2.2 * costs[0]


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_clusters_do_not_hang_on_the_order_of_the_rows(chance):
    listed = [*variants(6, 12), *variants(4, 4, seed=2), *variants(2, 0, seed=3), "a", "a b"]
    expected = {frozenset(listed[row] for row in rows) for rows in Texts(listed).clusters()}
    assert len(expected) >= 2
    chance.shuffle(listed)
    found = Texts(listed).clusters()
    assert {frozenset(listed[row] for row in rows) for rows in found} == expected


def test_the_newest_is_kept_then_the_first_place():
    copies = [
        Copy("train", "2024-01-01T00:00:00Z", "app/z.py"),
        Copy("train", "2024-02-01T00:00:00Z", "lib/a.py"),
        Copy("train", "2024-02-01T00:00:00Z", "app/b.py"),
        Copy("train", "", "docs/a.py"),
    ]
    assert choose([[0, 1, 2, 3]], copies) == {0: 2, 1: 2, 3: 2}
    assert choose([[3, 1, 0]], copies) == {0: 1, 3: 1}


def test_what_is_trained_on_is_kept_before_what_is_held_out():
    copies = [Copy("held_out", "2025", "a"), Copy("train", "2024", "b"), Copy("train", "2023", "c")]
    assert choose([[0, 1, 2]], copies) == {0: 1, 2: 1}


def test_copies_are_counted():
    assert multiplicities({0: 2, 1: 2, 7: 5}) == {2: 3, 5: 2}


def test_every_cluster_keeps_one():
    copies = [Copy("train", str(row % 3), f"f{row % 2}") for row in range(12)]
    clusters = [[0, 4, 8], [1, 2], [3, 5, 6, 7, 11]]
    chosen = choose(clusters, copies)
    for rows in clusters:
        assert len([row for row in rows if row not in chosen]) == 1
        assert {chosen[row] for row in rows if row in chosen} <= set(rows)
    assert set(chosen) <= {row for rows in clusters for row in rows}

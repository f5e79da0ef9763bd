import random

import numpy as np

from devtune.data.selection.shingles import NO_HASHES, jaccard, shingles
from devtune.data.selection.signatures import band_keys, digest_of, sign, signature
from devtune.steps.selection import NearDuplicateFiles

STEP = NearDuplicateFiles(type="near_duplicate_files")


def test_a_signature_estimates_similarity():
    chance = random.Random(1)
    for kept in (0.5, 0.7, 0.9):
        said = [f"word{chance.randrange(500)}" for _ in range(3_000)]
        changed = [*said[: int(len(said) * kept)], *(f"new{n}" for n in range(300))]
        texts = [" ".join(each) for each in (said, changed)]
        agreeing = np.mean(signature(texts[0], STEP) == signature(texts[1], STEP))
        exact = jaccard(*(shingles(text, STEP.ngram) for text in texts))
        assert abs(agreeing - exact) < 0.11


def test_equal_texts_have_equal_signatures_of_the_asked_length():
    one, other = (signature("def f(x):\n    return x + 1\n", STEP) for _ in range(2))
    assert one.tolist() == other.tolist()
    assert len(one) == STEP.num_perm == 256


def test_a_signature_does_not_change_from_version_to_version():
    assert signature("a b c d e f", STEP)[:3].tolist() == [4198784368, 3521258351, 3491867738]


def test_a_text_without_words_has_a_signature():
    assert set(sign(NO_HASHES, 8).tolist()) == {2**32 - 1}


def test_a_band_agrees_when_all_its_rows_do():
    row = np.arange(256, dtype=np.uint32)
    keys = band_keys(row, 25, 10)
    assert len(set(keys.tolist())) == 25
    for at, changed in ((0, 0), (9, 0), (10, 1), (249, 24)):
        other = row.copy()
        other[at] += 1000
        differing = np.flatnonzero(band_keys(other, 25, 10) != keys)
        assert differing.tolist() == [changed]
    other = row.copy()
    other[250:] = 0
    assert band_keys(other, 25, 10).tolist() == keys.tolist()


def test_a_band_counts_the_order_of_its_rows():
    row = np.array([1, 2], np.uint32)
    assert band_keys(row, 1, 2) != band_keys(row[::-1], 1, 2)


def test_a_digest_tells_texts_apart_whatever_they_hold():
    texts = ["", "a", "b", "\0", "\ud800", "é"]
    assert len({digest_of(text) for text in texts}) == len(texts)

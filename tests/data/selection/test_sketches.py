import numpy as np
import pytest

from devtune.data.selection import sketches as room
from devtune.data.selection.shingles import shingles
from devtune.data.selection.sketches import Sketches, write_sketches
from devtune.steps.selection import HeldOutOverlap

STEP = HeldOutOverlap(type="held_out_overlap")
TEXTS = ["def f(): return 1", "", "x = 2", "def g(): return 2 + f()"]


@pytest.fixture
def written(tmp_path):
    def write(*parts):
        directories = []
        for number, texts in enumerate(parts):
            directories.append(tmp_path / f"{len(list(tmp_path.iterdir()))}-{number}")
            directories[-1].mkdir()
            assert write_sketches(texts, STEP, directories[-1]) == len(texts)
        return Sketches(directories)

    return write


def test_parts_are_read_as_one_row_after_another(written):
    rows = [("f", text) for text in TEXTS]
    whole, cut = written(rows), written(rows[:1], [], rows[1:])
    assert len(whole) == len(cut) == 4
    assert whole.digests.tolist() == cut.digests.tolist()
    bands = [[each.tolist() for each in one.bands()] for one in (whole, cut)]
    assert bands[0] == bands[1]
    assert len(bands[0]) == STEP.bands
    for row in (3, 0, 2, 1, 3):
        assert cut.shingles_of(row).tolist() == shingles(TEXTS[row], 5).tolist()


def test_texts_of_two_groups_are_never_alike(written):
    found = written([("f", TEXTS[3]), ("g", TEXTS[3]), ("f", TEXTS[3])])
    assert found.digests[0] == found.digests[2] != found.digests[1]
    for keys in found.bands():
        assert keys[0] == keys[2] != keys[1]


def test_nothing_is_a_row_less(written):
    assert len(written()) == len(written([])) == 0
    assert list(written().bands()) == []
    assert [len(keys) for keys in written([], []).bands()] == [0] * STEP.bands


def test_shingles_are_forgotten_and_read_again(written, monkeypatch):
    monkeypatch.setattr(room, "REMEMBERED_SHINGLES", 5)
    found = written([("f", text) for text in TEXTS])
    for row in (0, 3, 0, 3, 2):
        assert np.array_equal(found.shingles_of(row), shingles(TEXTS[row], 5))
    assert sum(map(len, found._recent.values())) == found._num_recent <= 5

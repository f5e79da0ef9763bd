from dataclasses import replace

import pytest

from devtune.data.corpus import Made, make_sample
from devtune.data.selection.index import Selection, index_of, select
from devtune.records import Message, Provenance, ToolCall

PLACE = Provenance("app", "c", "x.py", "b", "Ada", "2024")


@pytest.fixture
def describe():
    def make(request="q", answer="a", position=0, weights=None, **changed):
        sample = replace(make_sample("f", request, answer, PLACE), **changed)
        return index_of(Made("train", sample), position, weights)

    return make


def test_a_row_says_what_selection_needs(describe):
    row = describe(position=7, weights={"app": 2.0})
    sample_id = make_sample("f", "q", "a", PLACE).sample_id
    assert (row.sample_id, row.split, row.family, row.position) == (sample_id, "train", "f", 7)
    assert (row.source, row.path, row.author, row.weight) == ("app", "x.py", "Ada", 2.0)


def test_a_source_that_is_not_named_weighs_one(describe):
    assert describe(weights={"lib": 2.0}).weight == describe().weight == 1.0


def test_the_first_place_counts(describe):
    row = describe(provenance=(replace(PLACE, path="y.py"), PLACE))
    assert row.path == "y.py"


def test_answers_are_equal_when_all_that_is_trained_is(describe):
    def calls(path):
        called = ToolCall("1", "edit", f'{{"path": "{path}"}}')
        messages = (Message("user", "q"), Message("assistant", "", (called,)))
        return describe(messages=(*messages, Message("assistant", "Done."))).answer_hash

    assert describe("q").answer_hash == describe("r").answer_hash
    assert describe(answer="a").answer_hash != describe(answer="b").answer_hash
    assert calls("a.py") == calls("a.py") != calls("b.py")


def test_what_is_not_dropped_is_kept(describe):
    rows = [describe(str(position), position=position) for position in (3, 1, 2, 0)]
    assert select(rows, {3: "why", 1: "how"}) == Selection([0, 2], [(1, "how"), (3, "why")])

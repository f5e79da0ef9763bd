import json
from dataclasses import replace

import pytest

from devtune.data.filters.handwriting import Handwriting
from devtune.data.filters.remains import Remains, as_terms, from_terms, united
from devtune.records import (
    Action,
    Change,
    Comment,
    Discussion,
    FileEdit,
    Provenance,
    Rejected,
    Replay,
    ReviewComment,
    SourceFile,
)
from tests.site import function

HERS, OTHER = function("hers", "eve", 7), function("other", "ada", 3)
PLACE = Provenance("app", "c1", "a.py", "b1", "", "")


@pytest.fixture
def remains():
    writing = Handwriting()
    writing.add(HERS, 3)
    return Remains(from_terms(json.loads(json.dumps(as_terms(united([writing, Handwriting()]))))))


def gone(commit=""):
    return Rejected("erased", "app", "", commit)


def change(*edits, body=""):
    return Change("app", "c1", "", "", "train", "Change it", body, len(edits), edits)


def edit(old, new):
    return FileEdit(PLACE, "", old, new)


def replayed(*actions):
    return Replay("app", "c1", "", "", "train", "Change it", "", (PLACE,), actions)


def discussion(body="", comments=(), reviews=()):
    return Discussion(
        "app", "issue", 1, "It fails", body, "", "", "train", (), (), comments, reviews
    )


def review(body, hunk):
    return ReviewComment("", "", body, "a.py", "c1", "", 1, 1, hunk, False)


def test_a_file_goes_or_stays_whole(remains):
    one, two = (SourceFile(PLACE, "train", text) for text in (OTHER, OTHER + HERS))
    assert list(remains.without(one)) == [one]
    assert list(remains.without(two)) == [gone()]


def test_edits_go_one_by_one_and_a_commit_that_has_none_left_goes_too(remains):
    kept, old, new = edit("", OTHER), edit(HERS, ""), edit("", HERS)
    some = replace(change(kept), num_files=3)
    assert list(remains.without(change(kept, old, new))) == [gone("c1"), gone("c1"), some]
    assert list(remains.without(change(old))) == [gone("c1")]
    assert list(remains.without(change())) == [change()]
    assert list(remains.without(change(kept, body=HERS))) == [gone("c1")]


@pytest.mark.parametrize(
    "action",
    [
        Action("read", json.dumps({"path": "a.py"}), HERS),
        Action("write", json.dumps({"path": "a.py", "content": HERS}), ""),
    ],
)
def test_a_session_that_saw_or_wrote_it_goes(remains, action):
    assert list(remains.without(replayed(action))) == [gone("c1")]
    other = replayed(Action("read", json.dumps({"path": "a.py", "offset": 3}), OTHER))
    assert list(remains.without(other)) == [other]


def test_remarks_go_one_by_one_and_a_discussion_with_its_opening(remains):
    assert list(remains.without(discussion(body=f"Look:\n\n    {HERS}"))) == [gone()]
    hunk = "@@ -0,0 +1,5 @@\n+" + HERS.replace("\n", "\n+")
    kept = Comment("", "", "No."), review("No.", "@@ -1 +1 @@\n+x = 1")
    row = discussion("It is so.", (Comment("", "", HERS), kept[0]), (review("So?", hunk), kept[1]))
    assert list(remains.without(row)) == [
        gone(), gone(), discussion("It is so.", kept[:1], kept[1:]),
    ]  # fmt: skip


def test_where_nothing_was_erased_nothing_goes():
    row = SourceFile(PLACE, "train", HERS)
    assert list(Remains(Handwriting()).without(row)) == [row]


def test_what_is_rejected_stays_rejected(remains):
    row = Rejected("binary", "app", "a.bin")
    assert list(remains.without(row)) == [row]

import pytest

from devtune.data.privacy.detection import Detection
from devtune.data.privacy.marking import Marker
from devtune.data.privacy.places import Places
from devtune.data.privacy.redaction import Redactor
from devtune.jsonl import to_json
from devtune.records import (
    Action,
    Change,
    Comment,
    Discussion,
    FileEdit,
    Provenance,
    Rejected,
    Replay,
    SourceFile,
)

PLACE = Provenance("app", "c1", "x.py", "b1", "REDACTED_AUTHOR_1", "2024-01-01T00:00:00+00:00")
LONG = "first\nsecond\nthird"
VALUES = (("TOKEN", "tok-1", False), ("PRIVATE_KEY", LONG, False), ("EMAIL", "a@b.cc", True),
          ("AUTHOR", "Ada", True))  # fmt: skip


@pytest.fixture
def places():
    marker = Marker(b"k" * 32)
    for kind, value, is_personal in VALUES:
        found = Detection(0, len(value), kind, f"rule.{kind}", is_personal=is_personal)
        marker._learn(value, found)
    return Places(Redactor(marker.learned.values()).learned)


def noted(places, *rows):
    for row in rows:
        places.add_line(type(row), to_json(row))
    return [
        (each.placeholder, each.layer, each.path, each.commit, each.line, each.num_texts)
        for each in places.sorted()
    ]


def test_a_file_tells_the_line_of_the_first_place(places):
    text = "a\nb = REDACTED_TOKEN_1\nc = REDACTED_TOKEN_1\n# REDACTED_EMAIL_1\n"
    assert noted(places, SourceFile(PLACE, "train", text)) == [
        ("REDACTED_TOKEN_1", "secret", "x.py", "c1", 2, 1),
        ("REDACTED_EMAIL_1", "personal", "x.py", "c1", 4, 1),
    ]


def test_lines_are_those_before_a_value_of_three_lines_became_one(places):
    text = "k = REDACTED_PRIVATE_KEY_1\nREDACTED_TOKEN_1\n"
    assert [(row[0], row[4]) for row in noted(places, SourceFile(PLACE, "train", text))] == [
        ("REDACTED_PRIVATE_KEY_1", 1),
        ("REDACTED_TOKEN_1", 4),
    ]


def test_versions_of_one_file_are_one_place_and_are_counted(places):
    edits = FileEdit(PLACE, "b0", "t = REDACTED_TOKEN_1", "t = REDACTED_TOKEN_1\n")
    change = Change("app", "c1", "REDACTED_AUTHOR_1", "2024", "train", "S", "", 1, (edits,))
    removed = FileEdit(PLACE, "b1", "\nREDACTED_TOKEN_1", "")
    later = Change("app", "c2", "REDACTED_AUTHOR_1", "2024", "train", "S", "", 1, (removed,))
    assert noted(places, change, later) == [
        ("REDACTED_TOKEN_1", "secret", "x.py", "c1", 1, 2),
    ]


def test_texts_outside_files_have_no_path_and_no_line(places):
    change = Change("app", "c1", "A", "2024", "train", "S", "\nREDACTED_TOKEN_1", 0, ())
    comment = Comment("REDACTED_AUTHOR_1", "2024", "see REDACTED_EMAIL_1")
    discussion = Discussion(
        "app", "issue", 1, "T", "B", "REDACTED_AUTHOR_1", "2024", "train", (), (), (comment,), ()
    )
    action = Action("read", '{"path": "REDACTED_PRIVATE_KEY_1"}', "")
    replay = Replay("app", "c3", "A", "2024", "train", "S", "", (PLACE,), (action,))
    rejected = Rejected("binary", "app", "REDACTED_TOKEN_1.png", "c1")
    assert noted(places, change, discussion, replay, rejected) == [
        ("REDACTED_EMAIL_1", "personal", "", "", 0, 1),
        ("REDACTED_PRIVATE_KEY_1", "secret", "", "c3", 0, 1),
        ("REDACTED_TOKEN_1", "secret", "", "c1", 0, 2),
    ]


def test_authors_and_what_only_looks_like_a_placeholder_are_no_places(places):
    text = "REDACTED_TOKEN_2 REDACTED_AUTHOR_1 REDACTED_TOKEN_11"
    assert noted(places, SourceFile(PLACE, "train", text)) == []

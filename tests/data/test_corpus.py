import pytest

from devtune.data.corpus import make_sample, passage_of, reject, split_lines
from devtune.records import Provenance, Rejected

PLACE = Provenance("app", "c", "x.py", "b", "Ada", "2024")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("a", ["a"]),
        ("a\n", ["a\n"]),
        ("\n\n", ["\n", "\n"]),
        ("a\r\nb\rc\n", ["a\r\n", "b\rc\n"]),
        ("a\x0cb\u2028c\x85d\n\ne", ["a\x0cb\u2028c\x85d\n", "\n", "e"]),
    ],
)
def test_lines_end_at_line_feeds_only(text, lines):
    assert split_lines(text) == lines
    assert "".join(lines) == text


def test_an_id_is_a_hash_of_family_and_messages():
    one = make_sample("f", "q", "a", PLACE)
    elsewhere = Provenance("other", "d", "y.py", "e", "Bob", "2025")
    assert one.sample_id == make_sample("f", "q", "a", elsewhere).sample_id
    ids = {make_sample(*parts, PLACE).sample_id for parts in ("fqa", "gqa", "fra", "fqb", "faq")}
    assert len(ids) == 5
    assert one.sample_id in ids
    assert len(one.sample_id) == 16
    assert [(each.role, each.content) for each in one.messages] == [
        ("user", "q"), ("assistant", "a"),
    ]  # fmt: skip


def test_a_rejected_row_says_where():
    assert reject("why", PLACE, "what") == Rejected("why", "app", "x.py", "c", "what")


def test_a_passage_has_no_indentation_and_no_blank_lines():
    assert passage_of("  a\n\n\t b \r\n") == passage_of("a\nb") == ("a", "b")

import random

import pytest

from devtune.data.corpus import make_sample, passage_of, reject, split_lines
from devtune.errors import DevtuneError
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


def test_files_are_given_by_split(make_corpus):
    corpus = make_corpus([("a.py", "train", "a"), ("b.py", "held_out", "b"), ("c.py", "train", "")])
    assert [each.provenance.path for each in corpus.files()] == ["a.py", "b.py", "c.py"]
    assert [each.provenance.path for each in corpus.files("train")] == ["a.py", "c.py"]
    assert [each.provenance.path for each in corpus.files("held_out")] == ["b.py"]


def test_changes_keep_their_order(make_corpus):
    changes = [("train", "One"), ("held_out", "Two", ("x.py", "a", "b")), ("train", "Three")]
    found = list(make_corpus(changes=changes).changes())
    assert [each.subject for each in found] == ["One", "Two", "Three"]
    assert found[1].edits[0].new == "b"


def test_a_corpus_that_is_not_there_is_named(make_corpus):
    corpus = make_corpus()
    (corpus.directory / "files.jsonl").unlink()
    with pytest.raises(DevtuneError, match="files.jsonl: no such file or directory"):
        list(corpus.files())


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


def test_passages_are_found_in_trained_files_and_commits_only(make_corpus):
    files = [("a.py", "train", "def f():\n    one\n\n    two\n"), ("b.py", "held_out", "three\n")]
    changes = [
        ("train", "One", ("c.py", "old\n", "four\nfive\n")),
        ("held_out", "Two", ("c.py", "six\n", "seven\n")),
    ]
    corpus = make_corpus(files, changes)
    inside = {("one", "two"), ("four", "five"), ("five",), ("old",)}
    outside = {("two", "one"), ("three",), ("seven",), ("two", "four"), ("on",), ()}
    assert corpus.find_trained(inside | outside) == inside
    assert corpus.find_trained([]) == set()


def test_passages_are_found_as_a_plain_search_finds_them(make_corpus):
    chance = random.Random(2)
    lines = [[chance.choice("abc") for _ in range(30)] for _ in range(5)]
    corpus = make_corpus([(f"{n}.py", "train", "\n".join(each)) for n, each in enumerate(lines)])
    wanted = {tuple(chance.choices("abc", k=chance.randint(1, 5))) for _ in range(150)}
    texts = ["".join(each) for each in lines]
    expected = {each for each in wanted if any("".join(each) in text for text in texts)}
    assert corpus.find_trained(wanted) == expected
    assert 10 < len(expected) < len(wanted)

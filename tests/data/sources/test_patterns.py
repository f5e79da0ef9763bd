import pytest

from devtune.data.families.messages import Words
from devtune.data.sources.patterns import find_files, find_patterns, find_words


def patterns(subject, body=""):
    return find_patterns(Words(subject, body))


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Fix `Option.prompt` once", ["Option.prompt", "prompt"]),
        ("Fix ``make(it, now)`` once", ["make"]),
        ("Make get_name() faster", ["get_name"]),
        ("Add --dry-run to parseArgs", ["--dry-run", "parseArgs"]),
        ("Keep std::vector and T_MAX", ["std::vector", "vector", "T_MAX"]),
        ('Say "not found" or "gone"', ["gone"]),
        ("Honour PAGER in @click.pass_context", ["PAGER", "@click.pass_context", "pass_context"]),
        ("Fix the thing in app.py", []),
        ("Fix the thing, e.g. this", []),
    ],
)
def test_what_is_named_as_code_is_searched_for(subject, expected):
    assert patterns(subject) == expected


def test_quoted_code_comes_before_names_by_their_shape():
    assert patterns("Use some_name", "See `Other`.") == ["Other", "some_name"]


def test_nothing_is_found_twice_or_too_long():
    assert patterns("Fix a_b", "`a_b` and a_b()") == ["a_b"]
    assert patterns("Fix `" + "x" * 61 + "`") == []


def test_plain_words_are_those_of_the_subject_after_its_verb():
    words = Words("Support incremental output with the pager", "body", scope="cache")
    assert find_words(words) == ["cache", "incremental", "output", "pager"]


def test_files_are_known_by_their_ending():
    words = Words("Fix src/app.py and README.md", "in version 1.2, see docs/a.rst.")
    assert find_files(words) == ["src/app.py", "README.md", "docs/a.rst"]


@pytest.mark.parametrize(
    "text", ["a.b" * 40_000, "`" * 100_000, "--" + "a-" * 60_000, "(" * 99_999]
)
def test_a_hostile_message_takes_no_time(text):
    assert all(len(each) <= 60 for each in patterns(text, text))
    assert len(find_files(Words(text, text))) < 9

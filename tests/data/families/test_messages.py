import pytest

from devtune.data.families.messages import clean_body, clean_message, is_reference, strip_ids


@pytest.mark.parametrize(
    ("subject", "text", "kind", "scope"),
    [
        ("Add a parser", "Add a parser", "", ""),
        ("feat(parser): add dates.", "Add dates", "feature", "parser"),
        ("fix!: stop the crash", "Stop the crash", "bug fix", ""),
        ("net/http: close the body", "Close the body", "", "net/http"),
        ("[parser] fix: read dates", "Read dates", "bug fix", "parser"),
        ("Added: allow [] in callbacks", "Allow [] in callbacks", "", ""),
        ("ABC-123: Add a parser", "Add a parser", "", ""),
        ("[ABC-123] Add a parser", "Add a parser", "", ""),
        ("ABC-123 feat: add a parser", "Add a parser", "feature", ""),
        ("Add a parser (ABC-123)", "Add a parser", "", ""),
        ("Add a parser (#12)", "Add a parser", "", ""),
        ("Add a parser (fixes #12, #13)", "Add a parser", "", ""),
        ("Add a parser, closes #12 and #13", "Add a parser", "", ""),
        ("Add a parser. This fixes #12.", "Add a parser", "", ""),
        ("Add a parser, fixes gh-12", "Add a parser", "", ""),
        ("Add a parser !12", "Add a parser", "", ""),
        ("Restore the test lost in #12 merge", "Restore the test lost merge", "", ""),
        ("Fix a regression from own/repo#12", "Fix a regression", "", ""),
        ("Issue #267: hide flags", "Hide flags", "", ""),
        ("Fixes https://host.test/o/r/issues/12: crash", "Crash", "", ""),
        ("Read UTF-8 and SHA-256 of PEP-8", "Read UTF-8 and SHA-256 of PEP-8", "", ""),
        ("Print &#39; as it is", "Print &#39; as it is", "", ""),
        ("x.py: y_z is gone", "y_z is gone", "", "x.py"),
        ("y_z is gone", "y_z is gone", "", ""),
        (":uri -> :url", ":uri -> :url", "", ""),
        ("Wait for it...", "Wait for it...", "", ""),
        ("Fix #12", "", "", ""),
        ("Fix #12 crash on start", "Fix crash on start", "", ""),
    ],
)
def test_a_subject_is_taken_apart(subject, text, kind, scope):
    words = clean_message(subject, "")
    assert (words.subject, words.kind, words.scope) == (text, kind, scope)


TRAILERS = """First line,
second line (see #3).

    indented:  code

Closes: #12
Fixes #13, #14
Refs: https://host.test/o/r/pull/3#discussion_r1
Bug: 1234
Signed-off-by: Ada <ada@corp.test>
Co-authored-by: Grace <grace@corp.test>
Reviewed-and-tested-by: Grace <grace@corp.test>
Change-Id: I0123456789
Acked-By: Grace
(cherry picked from commit 0123456789)
This reverts commit 0123456789.
Conflicts:
\tx.py
\ty.py

---------

Issue: the parser crashes
"""


def test_trailers_tickets_and_conflicts_are_no_part_of_a_body():
    assert clean_body(TRAILERS) == (
        "First line,\nsecond line.\n\n    indented:  code\n\nIssue: the parser crashes"
    )


def test_of_a_squash_only_what_its_commits_say_is_kept():
    header = (
        f"commit {'0a' * 20}\nAuthor: Ada L. <ada@example.com>\nDate:   Mon Aug 3 16:49:43 2015"
    )
    assert (
        clean_body(f"{header}\n\n    Squashed commit of the following:\n\n    Trim") == "    Trim"
    )
    kept = "commit 5 rows\nAuthor: the one who wrote it\nDate: of birth"
    assert clean_body(kept) == kept


def test_words_that_say_what_to_do_are_kept():
    body = "Fix the bug where issue tracking fails.\n\n* one\n* two: see below\n\nLink: to the docs"
    assert clean_body(body) == body
    sentence = "This addresses #12 by reading twice."
    assert clean_body(sentence) == sentence
    assert clean_body("Also #12 claims this.\r\nIt is so.") == "Also #12 claims this.\nIt is so."


@pytest.mark.parametrize(
    ("subject", "body", "is_empty"),
    [
        ("Fix #12", "", True),
        ("Fix typo", "", True),
        ("Fix typo", "It said teh, and it should say the.", False),
        ("Bump version to 4.1-dev", "", True),
        ("This is 7.0-dev", "", True),
        ("start version 8.1.3", "", True),
        ("Release 3.0.0alpha1", "Thanks to all of you who helped", True),
        ("Read version 4.1 of the format", "", False),
        ("Add a parser", "", False),
    ],
)
def test_a_message_that_says_nothing_is_known(subject, body, is_empty):
    assert clean_message(subject, body).is_empty() is is_empty


def test_a_body_that_repeats_the_subject_says_nothing_new():
    assert (
        clean_message("feat: add a parser (#12)", "* Add a parser.\n\n* Test it").body
        == "* Test it"
    )
    assert clean_message("Add a parser", "Add a parser\n").body == ""


def test_references_stand_alone():
    assert is_reference("Closes #12, #13")
    assert is_reference("- https://host.test/o/r/issues/12")
    assert not is_reference("Closes the file")
    assert strip_ids("Crash (#12) on start, fixes #13") == "Crash on start"


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", ["#1 ", "fixes ", "[", "(#1", "https://x/", "A-1,", "-by", " ", "\n", "x-", "#1 and "]
)
def test_hostile_messages_take_no_minutes(piece):
    clean_message(piece * 20_000, piece * 20_000)
    strip_ids(piece * 20_000)

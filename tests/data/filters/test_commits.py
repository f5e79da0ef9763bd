import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtune.data.filters.commits import CommitRules
from devtune.records import FileEdit, Provenance
from devtune.steps.rules import (
    Bot,
    FormattingOnly,
    MassRename,
    Merge,
    Message,
    Revert,
    TooManyFiles,
)

ADA = "Ada Example <ada@corp.test>"
SUBJECT = "Fix the parser for dates"
ALL = CommitRules(
    [
        Merge(type="merge"),
        Bot(type="bot"),
        Revert(type="revert"),
        Message(type="message"),
        TooManyFiles(type="too_many_files", max_files=20),
        MassRename(type="mass_rename"),
        FormattingOnly(type="formatting_only"),
    ]
)


def edit(old: str, new: str, path: str = "a.c") -> FileEdit:
    return FileEdit(Provenance("app", "c", path, "b", ADA, ""), "o", old, new)


@pytest.mark.parametrize(
    ("author", "subject", "body", "reason"),
    [
        (ADA, SUBJECT, "", None),
        ("dependabot[bot] <49699333+dependabot[bot]@corp.test>", SUBJECT, "", "bot"),
        ("Renovate <renovate@corp.test>", SUBJECT, "", "bot"),
        ("Robert Bott <bott@corp.test>", SUBJECT, "", None),
        (ADA, 'Revert "Fix the parser for dates"', "", "revert"),
        (ADA, "revert: fix the parser for dates", "", "revert"),
        (ADA, "Back out the parser for dates", "", "revert"),
        (ADA, SUBJECT, "\nThis reverts commit 0123abc.", "revert"),
        (ADA, SUBJECT, "* Try it\n* Revert it\n\n  This reverts commit 0123abc.", None),
        (ADA, "Reverting edges is now possible", "", "revert"),
        (ADA, "Reversed edges are now drawn", "This reverts the order of edges.", None),
        (ADA, "wip on the parser", "", "message_says_nothing"),
        (ADA, "", "", "message_length"),
        (ADA, "x " * 10_000_000, "", "message_length"),
    ],
)
def test_a_commit_is_left_out_for_what_it_says_of_itself(author, subject, body, reason):
    assert ALL.reject_head(author, subject, body) == reason


def test_the_first_rule_that_objects_names_the_reason():
    bot, revert = Bot(type="bot", authors=("Ada",)), Revert(type="revert")
    subject = 'Revert "x"'
    assert CommitRules([bot, revert]).reject_head(ADA, subject, "") == "bot"
    assert CommitRules([revert, bot]).reject_head(ADA, subject, "") == "revert"
    assert CommitRules([]).reject_head(ADA, subject, "") is None


@pytest.mark.parametrize(
    ("num_files", "num_renames", "reason"),
    [
        (1, 0, None),
        (20, 0, None),
        (21, 0, "too_many_files"),
        (9, 5, "mass_rename"),
        (10, 5, None),
        (4, 4, None),
        (0, 0, None),
    ],
)
def test_a_commit_is_left_out_for_how_many_files_it_touches(num_files, num_renames, reason):
    assert ALL.reject_entries(num_files, num_renames) == reason
    assert CommitRules([]).reject_entries(num_files, num_renames) is None


@pytest.mark.parametrize(
    ("path", "old", "new", "is_formatting"),
    [
        ("a.c", "if (x) {\n  y();\n}\n", "if (x)\n{\n\ty();\n}", True),
        ("a.c", "int x;\n", "int y;\n", False),
        ("a.c", "a\r\nb\r\n", "a\nb\n", True),
        ("a.py", "f(a,b)\n", "f(\n    a,\n    b\n)\n", True),
        ("a.py", "if x:\n  y()\n  z()\n", "if x:\n    y()\n    z()\n", True),
        ("a.py", "if x:\n    y()\n    z()\n", "if x:\n    y()\nz()\n", False),
        ("a.yaml", "a:\n  b: 1\n  c: 2\n", "a:\n  b: 1\nc: 2\n", False),
        ("a.py", "if x:\n\ty()\n", "if x:\n        y()\n\n", True),
        ("a.py", "x = 1\n", "", False),
    ],
)
def test_an_edit_of_nothing_but_blanks_is_known(path, old, new, is_formatting):
    assert ALL.is_formatting_only([edit(old, new, path)]) == is_formatting


def test_a_commit_is_formatting_only_if_every_edit_is_and_the_rule_is_set():
    blanks, words = edit("a b", "a  b"), edit("a", "b")
    assert ALL.is_formatting_only([blanks, blanks])
    assert not ALL.is_formatting_only([blanks, words])
    assert not ALL.is_formatting_only([])
    assert not CommitRules([Bot(type="bot")]).is_formatting_only([blanks])


@given(st.text(), st.text(), st.text(), st.sampled_from(["a.py", "a.c", "Makefile", ""]))
def test_no_commit_is_too_odd(one, other, third, path):
    assert ALL.reject_head(one, other, third) != ""
    assert ALL.is_formatting_only([edit(one, one, path)])
    assert ALL.is_formatting_only([edit(one, one + "\n\n", path)])
    assert not ALL.is_formatting_only([edit(one, one + "x", path)])

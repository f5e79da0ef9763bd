import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtune.data.filters.messages import MessageRule, is_imperative, strip_prefixes
from devtune.steps.rules import Message


def rule(**values) -> MessageRule:
    return MessageRule(Message(type="message", **values))


@pytest.mark.parametrize(
    ("subject", "core"),
    [
        ("feat(api)!: add a retry", "add a retry"),
        ("fix: handle `None`", "handle `None`"),
        ("[api] [ABC-12] Fix it", "Fix it"),
        ("ABC-123: Fix it", "Fix it"),
        ("ABC-123 Fix it", "Fix it"),
        ("#12 Fix it", "Fix it"),
        ("drivers/net: Fix it", "Fix it"),
        (":bug: Fix it", "Fix it"),
        ("Fix it (#12)", "Fix it"),
        ("Fix it (ABC-12)", "Fix it"),
        ("Fix it [backport]", "Fix it"),
        ("Fix std::move of strings", "Fix std::move of strings"),
        ("std::move is used now", "std::move is used now"),
        ("https://x.test is gone", "https://x.test is gone"),
        ("fix:", "fix:"),
        ("(#12)", "(#12)"),
        ("  Fix it  ", "Fix it"),
    ],
)
def test_what_stands_around_the_sentence_is_taken_off(subject, core):
    assert strip_prefixes(subject) == core


@pytest.mark.parametrize(
    "subject",
    [
        "Fix login crash on empty password",
        "feat(api)!: add retry to client calls",
        "Merge adjacent ranges into one list",
        "Release lock before waiting on the queue",
        "Bump timeout to 30 seconds",
        "Update API version negotiation in client",
        "Return 404 for missing users",
        "Fix I/O error in reader loop",
        "Save draft on blur event",
        "Apply the discount to gift cards",
        "Review queue: sort by age",
        "Set release date of each album",
        "Update version of Ubuntu in the workflows",
        "ABC-123: Fix the parser for dates",
        "Sanitize issue 12 in exported names",
        "修复登录页面的空指针错误问题",
    ],
)
def test_subjects_that_say_what_is_done_stay(subject):
    assert rule().reject(subject) is None


@pytest.mark.parametrize(
    "subject",
    [
        "WIP rework of the parser",
        "WIP: rework of the parser",
        "wip: rework of the parser",
        "fixup! Fix the parser for dates",
        "squash! Fix the parser for dates",
        "some more minor fixes",
        "various small cleanups",
        "Update the README.md",
        "Merge branch 'main' of corp.test:app",
        "Merge pull request #12 from a/b",
        "Merge feature x into main",
        "Apply review comments from Bob",
        "address the PR feedback",
        "code review fixes",
        "Fix issue #12",
        "Fix for bug 12",
        "See #12",
        "Bump lodash from 1.0 to 1.1",
        "Bump all the dependencies",
        "chore: release v1.2.3 to all",
        "Set version to 2.0.0-dev",
        "Prepare the next release",
        "prepare release app-parent-2.8.5",
        "Upgrade lodash to 4.17",
        "Pick 0123456789abcdef0123456789abcdef01234567 into it",
        "Fix it (cherry picked from commit 12)",
        "I've fixed the bad bug",
        "https://corp.test/browse/12",
    ],
)
def test_subjects_that_say_nothing_are_left_out(subject):
    assert rule(min_words=1, min_characters=1).reject(subject) == "message_says_nothing"


@pytest.mark.parametrize(
    ("subject", "limits", "reason"),
    [
        ("Fix the parser", {}, None),
        ("Fix parser", {}, "message_length"),
        ("feat(parser): dates work", {}, "message_length"),
        ("feat(parser): dates work again", {}, None),
        ("a b c d", {}, "message_length"),
        ("a b c d", {"min_characters": 7}, None),
        ("a b c d", {"min_characters": 8}, "message_length"),
        ("one two three", {"max_words": 3}, None),
        ("one two three four", {"max_words": 3}, "message_length"),
        ("one two three", {"max_characters": 13}, None),
        ("one two threes", {"max_characters": 13}, "message_length"),
        ("", {}, "message_length"),
        ("x" * 1001, {"min_words": 1}, "message_length"),
        ("修复空指针", {"min_words": 3}, None),
        ("修复空指针", {"min_words": 4}, "message_length"),
    ],
)
def test_lengths_are_those_of_the_sentence(subject, limits, reason):
    assert rule(**limits).reject(subject) == reason


def test_own_expressions_are_searched_in_the_whole_subject():
    assert rule(skip=("^chore",)).reject("chore: sort the imports here") == "message_skipped"
    assert rule(skip=("^chore",)).reject("Sort the imports here, a chore") is None


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        ("Fix the parser for dates", None),
        ("fix(x): handle dates of parsers", None),
        ("Fixed the parser for dates", "message_not_imperative"),
        ("The parser handles dates", "message_not_imperative"),
        ("fix: dates in the parser", "message_not_imperative"),
    ],
)
def test_an_imperative_is_asked_for_after_the_prefix(subject, reason):
    assert rule(imperative=True).reject(subject) == reason
    assert rule().reject(subject) is None


def test_an_empty_sentence_gives_no_order():
    assert not is_imperative("")
    assert is_imperative("Don't panic")


@given(st.text(), st.sampled_from(["", "feat(", "[", "Merge ", "update ", ":", "#1 "]))
def test_no_subject_is_too_odd(text, start):
    reason = rule(imperative=True, skip=("x",)).reject(start + text)
    assert reason is None or reason.startswith("message_")

import pytest

from devtune.data.families.issues import find_discussion, issue_to_patch
from devtune.records import Rejected, SourceFile
from devtune.steps.families import IssueToPatch
from tests.changes import (
    PROMPTS,
    TOOLS,
    change_of,
    comment_of,
    context_of,
    discussion_of,
    edit_of,
)

BODY = "The parser crashes when the list is empty."
EDIT = ("x.py", "a = 1\n", "a = 2\n")


@pytest.fixture
def run(tmp_path):
    def make(change, *discussions, **values):
        step = IssueToPatch(
            type="issue_to_patch", prompt=PROMPTS / "issue_to_patch.jinja", tools=TOOLS, **values
        )
        return list(
            issue_to_patch(step, change, context_of(tmp_path, "issue_to_patch", *discussions))
        )

    return make


@pytest.fixture
def number_of(tmp_path):
    def find(change, *discussions):
        found = find_discussion(change, context_of(tmp_path, "issue_to_patch", *discussions))
        return found if isinstance(found, str) else (found.kind, found.number)

    return find


def test_an_issue_and_what_people_said_of_it_is_the_request(run):
    issue = discussion_of(
        12, "Crash on empty lists", f"{BODY} Ask @linus-t.\n\n- [ ] tested\n",
        comments=(
            comment_of("ada-l", "It also happens with tuples, says @grace."),
            comment_of("codecov[bot]", "Coverage went down by a lot, dear all."),
            comment_of("bob", "+1"),
            comment_of("bob", "After the fact: it works now.", "2024-05-02T00:00:00Z"),
        ),
    )  # fmt: skip
    (made,) = run(change_of("Handle empty lists, fixes #12", EDIT), issue)
    request = made.sample.messages[0].content
    assert "Crash on empty lists" in request
    assert f"{BODY} Ask @username_2." in request
    assert "It also happens with tuples, says @username_0." in request
    assert "username_1" in request
    assert "```python\na = 1\n```" in request
    for hidden in ("ada-l", "linus", "grace", "tested", "Coverage", "+1", "After", "Handle"):
        assert hidden not in request
    assert made.evidence == ("a = 2\n",)
    assert (made.split, made.sample.family) == ("train", "issue_to_patch")


def test_comments_that_do_not_fit_are_left_out_from_the_last(run):
    comments = tuple(comment_of("bob", f"remark {number} {'x' * 200}") for number in range(5))
    issue = discussion_of(12, "Crash on empty lists", BODY, comments=comments)
    (made,) = run(change_of("Fixes #12", EDIT), issue, max_characters=600)
    request = made.sample.messages[0].content
    assert "remark 1" in request
    assert "remark 2" not in request


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Handle it, closes #12", ""),
        ("Handle it", "Resolves: #12"),
        ("Handle it (#7)", ""),
        ("Handle it (!7)", ""),
        ("Handle it", "See merge request group/project!7"),
    ],
)
def test_closing_words_and_numbers_lead_to_the_issue(number_of, subject, body):
    request = discussion_of(7, "Handle it", BODY, kind="change_request", closes=(12,))
    issue = discussion_of(12, "Crash", BODY)
    assert number_of(change_of(subject, EDIT, body=body), request, issue) == ("issue", 12)


def test_a_change_request_tells_what_is_asked_where_no_issue_does(number_of):
    request = discussion_of(
        7, "Handle it", BODY, kind="change_request", commits=("c0ffee", "b1", "b2"), closes=(99,)
    )
    assert number_of(change_of("Handle it", EDIT), request) == ("change_request", 7)


def test_one_commit_of_several_is_not_all_of_a_change_request(number_of, run):
    def request(*commits):
        return discussion_of(7, "Handle it", BODY, kind="change_request", commits=commits)

    change = change_of("Handle it", EDIT)
    assert number_of(change, request("merge", "c0ffee")) == ("change_request", 7)
    assert number_of(change, request("merge", "c0ffee", "b2")) == "part_of_a_change_request"
    (rejected,) = run(change, request("merge", "b1", "c0ffee"))
    assert rejected.reason == "part_of_a_change_request"


def test_a_commit_that_closes_several_issues_is_none_of_them(number_of):
    issues = [discussion_of(number, "Crash", BODY) for number in (12, 13)]
    change = change_of("Handle it, fixes #12, fixes #13", EDIT)
    assert number_of(change, *issues) == "closes_several_issues"


def test_what_nothing_is_known_of_is_passed_over(run):
    assert run(change_of("Handle it, fixes #99", EDIT), discussion_of(12, "Crash", BODY)) == []
    issue = discussion_of(12, "Crash", BODY)
    assert run(change_of("Handle #12 later", EDIT), issue) == []
    # Nothing here says which address is the repository's own.
    assert run(change_of("Fixes https://host.test/o/r/issues/12", EDIT), issue) == []
    request = discussion_of(7, "Handle it", BODY, kind="change_request")
    assert run(change_of("Follow up to !7", EDIT, body="as in (#7) before"), request) == []
    assert run(SourceFile(edit_of(*EDIT).provenance, "train", "a\n")) == []


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"date": "2024-05-02T00:00:00Z"}, "opened_after_the_change"),
        ({"date": "yesterday"}, "opened_after_the_change"),
        ({"split": "held_out"}, "discussion_held_out"),
        ({"author": "renovate[bot]"}, "discussion_of_a_bot"),
        ({"body": "<!-- nothing -->"}, "description_too_short"),
        ({"body": "x" * 8000}, "description_too_long"),
    ],
)
def test_issues_that_are_no_task_have_a_reason(run, values, reason):
    issue = discussion_of(12, "Crash", **{"body": BODY, **values})
    (rejected,) = run(change_of("Handle it, fixes #12", EDIT), issue)
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, rejected.commit, rejected.detail) == (reason, "c0ffee", "#12")


def test_a_held_out_change_may_answer_an_issue_of_any_side(run):
    issue = discussion_of(12, "Crash", BODY, split="held_out")
    (made,) = run(change_of("Handle it, fixes #12", EDIT, split="held_out"), issue)
    assert made.split == "held_out"


def test_a_change_too_large_has_the_reason_of_any_change(run):
    issue = discussion_of(12, "Crash", BODY)
    change = change_of("Handle it, fixes #12", ("x.py", "a\n" * 20, "b\n" * 20))
    (rejected,) = run(change, issue, max_changed_lines=10)
    assert rejected.reason == "too_many_changed_lines"


def test_requests_are_phrased_in_several_ways(run):
    issue = discussion_of(12, "Crash", BODY)
    changes = (change_of("Fixes #12", EDIT, commit=f"c{number}") for number in range(40))
    requests = {run(change, issue)[0].sample.messages[0].content for change in changes}
    assert len(requests) > 8

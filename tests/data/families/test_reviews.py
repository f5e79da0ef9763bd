import pytest

from devtune.data.families.reviews import review_to_fix
from devtune.records import SourceFile
from devtune.steps.families import ReviewToFix
from tests.changes import (
    LONG,
    PROMPTS,
    TOOLS,
    change_of,
    context_of,
    discussion_of,
    edit_of,
    remark_of,
)

NEW = LONG.replace("line_50 = 50", "line_50 = -1")
SAID = "This should be negative instead."


@pytest.fixture
def run(tmp_path):
    def make(new, *remarks, values=None, change=None, author="ada", split="train"):
        discussion = discussion_of(
            7, "Add lines", kind="change_request", author=author, reviews=remarks, split=split
        )
        step = ReviewToFix(
            type="review_to_fix",
            prompt=PROMPTS / "review_to_fix.jinja",
            tools=TOOLS,
            **(values or {}),
        )
        row = change or change_of("Address review", ("x.py", LONG, new))
        return list(review_to_fix(step, row, context_of(tmp_path, "review_to_fix", discussion)))

    return make


def test_a_remark_is_answered_by_the_fix_of_its_line(run):
    hunk = "@@ -48,3 +48,3 @@\n line_48 = 48\n line_49 = 49\n+line_50 = 50"
    (made,) = run(NEW, remark_of(f"{SAID} cc @linus", LONG, 51, hunk=hunk))
    request = made.sample.messages[0].content
    assert "This should be negative instead. cc @username_0" in request
    assert "```diff\n line_48 = 48\n line_49 = 49\n+line_50 = 50\n```" in request
    assert "line_62 = 62" in request
    assert "ine 51:" in request
    assert made.evidence == ("line_50 = -1\n",)
    assert (made.split, made.sample.family) == ("train", "review_to_fix")


def test_remarks_on_one_file_are_one_request(run):
    new = NEW.replace("line_60 = 60", "sixty = 60")
    remarks = [
        remark_of("Please spell this one out.", LONG, 60, 61),
        remark_of(SAID, LONG, 51),
        remark_of(SAID, LONG, 51, date="2024-04-03T00:00:00Z"),
    ]
    (made,) = run(new, *remarks)
    request = made.sample.messages[0].content
    assert request.count(SAID) == 1
    assert request.index(SAID) < request.index("Please spell this one out.")


def test_lines_put_below_a_remark_count_as_its_fix(run):
    new = LONG.replace("line_50 = 50\n", "line_50 = 50\ncheck()\n")
    assert len(run(new, remark_of("Please check the result here.", LONG, 51))) == 1
    (rejected,) = run(new, remark_of("Please check the result here.", LONG, 49))
    assert rejected.reason == "line_does_not_change"


@pytest.mark.parametrize(
    ("body", "values", "reason"),
    [
        (SAID, {"line": 40}, "line_does_not_change"),
        (SAID, {"line": 0}, "line_does_not_change"),
        (SAID, {"date": "2024-05-02T00:00:00Z"}, "remark_after_the_change"),
        (SAID, {"date": ""}, "remark_after_the_change"),
        (SAID, {"author": "lint[bot]"}, "remark_of_a_bot"),
        (SAID, {"author": "ada"}, "remark_of_the_author"),
        ("Make it negative.", {}, "remark_too_short"),
        ("nit: this should be negative instead", {}, "remark_is_a_nit"),
        ("LGTM, thank you all very much", {}, "remark_is_talk"),
        ("Why is it that this is positive?", {}, "remark_only_asks"),
    ],
)
def test_remarks_that_ask_for_nothing_have_a_reason(run, body, values, reason):
    given = {"line": 51, **values}
    (rejected,) = run(NEW, remark_of(body, LONG, given.pop("line"), **given))
    assert (rejected.reason, rejected.path, rejected.detail) == (reason, "x.py", "#7")


def test_a_fix_that_mostly_does_other_things_is_left_out(run):
    new = NEW.replace("line_1 =", "one =").replace("line_2 =", "two =")
    (rejected,) = run(new, remark_of(SAID, LONG, 51))
    assert rejected.reason == "fix_does_other_things"


def test_a_fix_too_large_and_a_deleted_file_have_the_reason_of_any_change(run):
    remark = remark_of(SAID, LONG, 51)
    (rejected,) = run("x\n" * 101, remark)
    assert rejected.reason == "too_many_changed_lines"
    (rejected,) = run("", remark, change=change_of("Drop it", ("x.py", LONG, None)))
    assert rejected.reason == "file_deleted"


def test_a_held_out_remark_is_never_trained_on(run):
    (rejected,) = run(NEW, remark_of(SAID, LONG, 51), split="held_out")
    assert rejected.reason == "discussion_held_out"


def test_remarks_on_another_file_or_version_are_passed_over(run):
    assert run(NEW, remark_of(SAID, LONG, 51, path="y.py")) == []
    assert run(NEW, remark_of(SAID, NEW, 51)) == []
    assert run(LONG, remark_of(SAID, LONG, 51)) == []
    row = SourceFile(edit_of("x.py", None, LONG).provenance, "train", LONG)
    assert run("", remark_of(SAID, LONG, 51), change=row) == []


def test_a_commit_of_many_files_is_no_answer_to_a_remark(run):
    change = change_of("Do it all", ("x.py", LONG, NEW), ("y.py", "a\n", "b\n"))
    (rejected,) = run("", remark_of(SAID, LONG, 51), change=change, values={"max_files": 1})
    assert rejected.reason == "commit_touches_many_files"


def test_the_agent_says_at_the_end_that_the_remark_is_addressed(run):
    values = {"formats": {"search_replace": 0.0, "unified_diff": 0.0}}
    (made,) = run(NEW, remark_of(SAID, LONG, 51), values=values)
    assert made.sample.messages[-1].content == "Addressed the remark on `x.py`."


def test_requests_are_phrased_in_several_ways(run):
    changes = (
        change_of("Address review", ("x.py", LONG, NEW), commit=f"c{number}")
        for number in range(40)
    )
    remark = remark_of(SAID, LONG, 51)
    requests = {run("", remark, change=each)[0].sample.messages[0].content for each in changes}
    assert len(requests) > 8

import pytest

from devtune.data.discussions import Discussions
from devtune.data.families.context import Context
from devtune.data.prompts import Prompt
from devtune.jsonl import write_jsonl
from devtune.records import Discussion, ReviewComment


def discussion(number, kind="issue", source="app", commits=(), reviews=()):
    return Discussion(
        source=source, kind=kind, number=number, title=f"Number {number}", body="b", author="a",
        date="2024-01-01T00:00:00+00:00", split="train", commits=tuple(commits), closes=(),
        comments=(), reviews=tuple(reviews),
    )  # fmt: skip


def remark(blob, body="Why?"):
    return ReviewComment(
        "eve", "2024-01-01T00:00:00+00:00", body, "x.py", "c1", blob, 1, 2, "@@", False
    )


@pytest.fixture
def known(tmp_path):
    def make(*rows):
        write_jsonl(tmp_path / "discussions.jsonl", rows)
        return Discussions(tmp_path / "discussions.jsonl")

    return make


def test_a_discussion_is_found_by_each_of_its_commits_in_its_own_source(known):
    first = discussion(1, "change_request", commits=("c1", "c2"))
    second = discussion(2, "change_request", commits=("c2",))
    other = discussion(3, "change_request", source="other", commits=("c1",))
    found = known(first, second, other)
    assert found.of_commit("app", "c1") == [first]
    assert found.of_commit("app", "c2") == [first, second]
    assert found.of_commit("other", "c1") == [other]
    assert found.of_commit("app", "c3") == []


def test_an_issue_and_a_change_request_of_one_number_are_two(known):
    issue, request = discussion(1), discussion(1, "change_request")
    found = known(issue, request)
    assert found.issue("app", 1) == issue
    assert found.change_request("app", 1) == request
    assert found.issue("app", 2) is found.change_request("other", 1) is None


def test_remarks_are_found_by_the_version_they_stand_on_and_others_not_at_all(known):
    first, second, lost = remark("b1"), remark("b1", "And this?"), remark("")
    one = discussion(1, "change_request", reviews=(first, lost))
    two = discussion(2, "change_request", reviews=(second,))
    found = known(one, two)
    assert found.remarks_on("app", "b1") == [(one, first), (two, second)]
    assert found.remarks_on("app", "") == found.remarks_on("other", "b1") == []


def test_a_corpus_without_discussions_has_none(tmp_path):
    assert Discussions(tmp_path / "discussions.jsonl").of_commit("app", "c1") == []


def test_they_are_read_once_a_process_until_the_file_is_another(known, tmp_path):
    known(discussion(1))
    (tmp_path / "prompt.jinja").write_text("x")

    def context():
        return Context(Prompt(tmp_path / "prompt.jinja"), tmp_path, tmp_path / "graph.sqlite")

    first = context().discussions
    assert context().discussions is first
    known(discussion(2), discussion(3))
    second = context().discussions
    assert second is not first
    assert (first.issue("app", 3), second.issue("app", 3)) == (None, discussion(3))

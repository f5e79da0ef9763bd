import pytest

from devtune.data.families.answers import Answer
from devtune.data.families.deltas import find_deltas
from devtune.data.families.requests import ask, make_talk, show_files
from devtune.records import Message, Rejected, ToolCall
from devtune.steps.families import CommitEdit
from tests.changes import LONG, PROMPTS, TOOLS, change_of, context_of

TASK = {"subject": "Change the thing", "body": "", "kind": "", "scope": ""}


@pytest.fixture
def sample(tmp_path):
    def make(*edits, form="search_replace", **values):
        names = ("search_replace", "unified_diff", "tool_calls")
        step = CommitEdit.model_validate(
            {
                "type": "commit_edit",
                "prompt": PROMPTS / "commit_edit.jinja",
                "tools": TOOLS,
                "formats": {name: float(name == form) for name in names},
                **values,
            }
        )
        change = change_of("Change the thing", *edits)
        deltas = find_deltas(change, 9, 500)
        return ask(step, "commit_edit", change, deltas, TASK, context_of(tmp_path, "commit_edit"))

    return make


def test_only_what_changes_and_its_surroundings_are_shown(sample):
    new = LONG.replace("line_10 =", "ten =").replace("line_90 =", "ninety =")
    request = sample(("x.py", LONG, new), context_lines=1).sample.messages[0].content
    assert "```python\nline_9 = 9\nline_10 = 10\nline_11 = 11\n```" in request
    assert "```python\nline_89 = 89\nline_90 = 90\nline_91 = 91\n```" in request
    assert "`x.py`" in request
    assert "10 to 12:" in request
    assert "line_50" not in request


def test_what_an_answer_quotes_is_shown_whatever_the_context(sample):
    new = LONG.replace("line_50 = 50", "line_50 = -1")
    made = sample(("x.py", LONG, new), form="unified_diff", context_lines=1)
    assert "line_47 = 47\nline_48" in made.sample.messages[0].content
    same = "same\n" * 40
    made = sample(("x.py", f"{same}a\n{same}", f"{same}a\nb\n{same}"), context_lines=1)
    request, answer = (each.content for each in made.sample.messages)
    assert answer.split("SEARCH\n")[1].split("=======\n")[0] in request


def test_each_state_of_a_file_is_said(sample):
    made = sample(
        ("new.py", None, "a\n"), ("gone.py", "b\n", None), ("open.py", "c", "d"),
        form="unified_diff",
    )  # fmt: skip
    request = made.sample.messages[0].content
    assert all(f"`{name}`" in request for name in ("new.py", "gone.py", "open.py"))
    assert "```python\nb\n```" in request
    assert "newline" in request
    assert [each.path for each in made.sample.provenance] == ["new.py", "gone.py", "open.py"]


def test_a_code_fence_in_a_file_does_not_end_its_own(sample):
    old = "# T\n\n```\ncode\n```\n"
    request = sample(("x.md", old, f"{old}more\n")).sample.messages[0].content
    assert f"````\n{old}````" in request


def test_the_evidence_is_what_each_hunk_adds(sample):
    new = LONG.replace("line_10 =", "ten =").replace("line_50 = 50\n", "")
    assert sample(("x.py", LONG, new), ("y.py", None, "a\nb\n")).evidence == (
        "ten = 10\n",
        "a\nb\n",
    )


def test_a_change_no_form_can_say_is_rejected_with_each_reason(sample):
    rejected = sample(("x.py", "a\n", None))
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, rejected.path) == ("not_expressible", "x.py")
    assert rejected.detail == "search_replace: file_deleted"


def test_an_empty_file_shows_no_window():
    deltas = find_deltas(change_of("Fill it in", ("x.py", "", "a\n")), 9, 500)
    answer = Answer("search_replace", (), ((),))
    (file,) = show_files(deltas, answer, 5)
    assert (file["state"], file["windows"]) == ("changed", [])


def test_the_id_is_a_hash_of_what_is_said_and_called():
    def id_of(text="hi", arguments="{}"):
        calls = (ToolCall("000000000", "edit", arguments),)
        return make_talk(
            "f", (Message("user", text), Message("assistant", "", calls)), ()
        ).sample_id

    assert id_of() == id_of()
    assert len({id_of(), id_of("ho"), id_of(arguments='{"a": 1}')}) == 3

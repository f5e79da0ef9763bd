import json

import pytest

from devtune.data.families.calls import (
    apply_calls,
    closing_sentence,
    find_actions,
    open_tools,
    write_calls,
)
from devtune.data.families.deltas import find_deltas
from devtune.records import ToolCall
from tests.changes import LONG, TOOLS, change_of


def talk(*edits):
    actions, _ = find_actions(find_deltas(change_of("Change it", *edits), 9, 500))
    return list(write_calls(actions, "Done.", "key"))


def call(name, **arguments):
    return ToolCall("000000000", name, json.dumps(arguments))


def test_each_call_is_answered_and_the_agent_has_the_last_word():
    new = LONG.replace("line_5 =", "five =").replace("line_90 =", "ninety =")
    messages = talk(
        ("x.py", LONG, new), ("new.py", None, "é"), ("old one.py", "a\n", None), ("e", "", "a\n")
    )
    roles = [each.role for each in messages]
    assert roles == ["assistant", "tool"] * 5 + ["assistant"]
    calls = [each.tool_calls[0] for each in messages[:-1:2]]
    assert [each.name for each in calls] == ["edit", "edit", "write_file", "bash", "write_file"]
    assert [each.id for each in calls] == [each.tool_call_id for each in messages[1::2]]
    assert len({each.id for each in calls}) == 5
    assert all(len(each.id) == 9 and each.id.isalnum() for each in calls)
    answers = [json.loads(each.content) for each in messages[1::2]]
    edited = {"file": "/workspace/x.py", "lines_changed": 1, "warnings": []}
    assert answers[:2] == [edited, edited]
    assert [each.get("bytes_written") for each in answers] == [None, None, 2, None, 2]
    assert answers[3]["command"] == "rm -- 'old one.py'"
    assert (answers[3]["stdout"], answers[3]["returncode"]) == ("", 0)
    assert json.loads(calls[0].arguments) == {
        "file_path": "x.py", "old_string": "line_5 = 5", "new_string": "five = 5",
    }  # fmt: skip
    assert json.loads(calls[3].arguments) == {"command": "rm -- 'old one.py'"}
    assert messages[-1].content == "Done."
    texts = {"x.py": LONG, "old one.py": "a\n", "e": ""}
    assert apply_calls(texts, calls) == {"x.py": new, "new.py": "é", "e": "a\n"}


def test_the_last_line_end_is_left_alone_where_that_is_clear():
    def arguments(old, new):
        return json.loads(talk(("x.py", old, new))[0].tool_calls[0].arguments)

    assert arguments("a\nb\n", "a\nc\n")["old_string"] == "b"
    # Without its end the line would also be found in the next one.
    assert arguments("a\nab\nb\n", "c\nab\nb\n")["old_string"] == "a\n"
    gone = {"file_path": "x.py", "old_string": "b\n", "new_string": ""}
    assert arguments("a\nb\n", "a\n") == gone
    ended = {"file_path": "x.py", "old_string": "b", "new_string": "c\n"}
    assert arguments("a\nb", "a\nc\n") == ended


@pytest.mark.parametrize(
    ("edit", "reason"),
    [(("x.py", "s\n" * 999, "s\n" * 500 + "t\n" + "s\n" * 499), "not_unique")],
)
def test_what_exact_edits_cannot_do_has_a_reason(edit, reason):
    assert find_actions(find_deltas(change_of("Change it", edit), 9, 500)) == reason


def test_calls_that_would_fail_are_known():
    texts = {"x": "a\na\nb\n"}
    assert apply_calls(texts, [call("edit", file_path="x", old_string="b", new_string="")]) == {
        "x": "a\na\n\n"
    }
    for each in (
        call("edit", file_path="x", old_string="a", new_string="c"),
        call("edit", file_path="x", old_string="", new_string="c"),
        call("edit", file_path="y", old_string="a", new_string="c"),
        call("bash", command="rm -- y"),
    ):
        assert apply_calls(texts, [each]) is None


@pytest.mark.parametrize(
    ("subject", "sentence"),
    [
        ("Add a parser", "Added a parser."),
        ("fix the crash.", "Fixed the crash."),
        ("Fixed the crash", "Fixed the crash."),
        ("Parser for dates", "Done."),
        ("Support for dates", "Done."),
        ("Support dates", "Supported dates."),
        ("Rewrite", "Done."),
    ],
)
def test_the_closing_sentence_says_what_was_done(subject, sentence):
    assert closing_sentence(subject) == sentence


def test_the_tools_are_read_once():
    assert open_tools(TOOLS) is open_tools(TOOLS)

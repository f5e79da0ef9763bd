import json

import pytest

from devtune.data.results import show_result
from devtune.data.tools import Tools
from devtune.records import Action


def action(tool, output="", **arguments):
    return Action(tool, json.dumps(arguments), output)


def whole(output, num_lines, num_bytes, **arguments):
    given = json.dumps({"path": "a.py", **arguments})
    return Action("read", given, output, num_lines=num_lines, num_bytes=num_bytes)


# What Vibe 3.0.3 put before its model when these calls were made of it, in a directory /workspace.
@pytest.mark.parametrize(
    ("done", "expected"),
    [
        (
            whole('line 2\t"é" ∞\nline 3\t"é" ∞\nline 4\t"é" ∞\n', 10, 160, offset=2, limit=3),
            r'{"path":"/workspace/a.py","content":"line 2\t\"é\" ∞\nline 3\t\"é\" ∞\nline 4\t\"é\"'
            r' ∞\n","file_size_bytes":160,"returned_bytes":48,"offset":2,"lines_read":3,'
            r'"total_lines":10,"next_offset":5,"was_truncated":true}',
        ),
        (
            whole("x = 1\n\n\ny = 2", 4, 13),
            r'{"path":"/workspace/a.py","content":"x = 1\n\n\ny = 2","file_size_bytes":13,'
            r'"returned_bytes":13,"offset":0,"lines_read":4,"total_lines":4,"next_offset":null,'
            r'"was_truncated":false}',
        ),
        (
            action("edit", path="a.py", old="line 3", new="LINE 3\nand more"),
            r'{"file":"/workspace/a.py","lines_changed":2,"warnings":[]}',
        ),
        (
            action("write", path="new/b.py", content="x\ny\n"),
            r'{"path":"/workspace/new/b.py","bytes_written":4,"file_existed":false}',
        ),
        (
            action("grep", 'a.py:6:line 4\t"é" ∞\n', pattern="line 4"),
            r"""{"command":"git grep -n -F -e 'line 4'","stdout":"a.py:6:line 4\t\"é\" ∞\n","""
            r'"stderr":"","returncode":0,"was_truncated":false,"timed_out":false}',
        ),
        (
            Action("run", '{"command": "git rm x"}', "", exit_code=3),
            r'{"command":"git rm x","stdout":"","stderr":"","returncode":3,'
            r'"was_truncated":false,"timed_out":false}',
        ),
    ],
)
def test_a_result_reads_as_the_served_agent_words_it(done, expected):
    assert show_result(done) == expected


def test_a_file_that_was_there_is_said_to_be_replaced():
    written = action("write", path="a.py", content="é")
    assert json.loads(show_result(written, is_replaced=True)) == {
        "path": "/workspace/a.py", "bytes_written": 2, "file_existed": True,
    }  # fmt: skip


def test_the_last_line_of_a_file_needs_no_next_read():
    result = json.loads(show_result(whole("c", 3, 5, offset=2, limit=9)))
    assert (result["next_offset"], result["was_truncated"]) == (None, False)


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ({"pattern": "it's"}, "git grep -n -F -e 'it'\\''s'"),
        ({"pattern": "x", "path": "a b.py"}, "git grep -n -F -e 'x' -- 'a b.py'"),
        ({"pattern": "x", "limit": 40}, "git grep -n -F -e 'x' | head -n 40"),
    ],
)
def test_a_search_is_a_shell_command(arguments, command):
    call = Tools.call("c", action("grep", **arguments))
    assert (call.name, json.loads(call.arguments)) == ("bash", {"command": command})

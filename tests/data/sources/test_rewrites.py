import json
import subprocess

import pytest

from devtune.data.sources.history import Commit
from devtune.data.sources.raw import ABSENT, Entry
from devtune.data.sources.rewrites import Refusal, apply_actions, change_files, find_rewrites
from devtune.pipeline import ReplaySection
from devtune.records import Action, FileEdit, Provenance

LONG = "".join(f"line_{number} = {number}\n" for number in range(100))


def change(path, old, new, old_path=None, mode="100644", old_mode="100644"):
    sides = (ABSENT if old is None else old_mode, ABSENT if new is None else mode)
    place = Provenance("app", "c", path, "" if new is None else "n", "a", "d")
    entry = Entry(*sides, "o", "n", (old_path or path).encode(), path.encode())
    return entry, FileEdit(place, "" if old is None else "o", old or "", new or "")


def rewrites(*changes, **values):
    commit = Commit("c", "a", "d", "Subject", "", tuple(entry for entry, _ in changes))
    return find_rewrites(commit, [edit for _, edit in changes], ReplaySection(**values))


def actions(*changes):
    return list(change_files(rewrites(*changes, max_files=9)))


def arguments(action):
    return json.loads(action.arguments)


def test_a_changed_file_is_edited_where_it_changes():
    new = LONG.replace("line_5 =", "five =").replace("line_90 = 90\n", "")
    found = actions(change("x.py", LONG, new))
    assert [each.tool for each in found] == ["edit", "edit"]
    assert arguments(found[0]) == {"path": "x.py", "old": "line_5 = 5", "new": "five = 5"}
    assert apply_actions({"x.py": LONG, "y": "1"}, found) == {"x.py": new, "y": "1"}


def test_what_is_not_unique_is_extended_by_whole_lines():
    old = "a = 1\nend\nb = 1\nend\n"
    (edit,) = actions(change("x.py", old, "a = 1\nend\nb = 1\nEND\n"))
    assert arguments(edit)["old"] == "b = 1\nend"


def test_a_file_is_written_whole_where_there_is_nothing_to_find():
    found = actions(change("new.py", None, "a\n"), change("empty.py", "", "b"))
    assert [(each.tool, *arguments(each).values()) for each in found] == [
        ("write", "new.py", "a\n"),
        ("write", "empty.py", "b"),
    ]
    assert apply_actions({"empty.py": ""}, found) == {"empty.py": "b", "new.py": "a\n"}
    (made,) = actions(change("__init__.py", None, ""))
    assert arguments(made) == {"path": "__init__.py", "content": ""}


def test_moves_come_first_and_deletions_last():
    found = actions(
        change("a.py", "1\n", None), change("d/b.py", "x\n2\n", "x\n3\n", old_path="b.py")
    )
    assert [each.tool for each in found] == ["run", "edit", "run"]
    assert arguments(found[0]) == {"command": "mkdir -p d && git mv b.py d/b.py"}
    assert apply_actions({"a.py": "1\n", "b.py": "x\n2\n"}, found) == {"d/b.py": "x\n3\n"}


def test_git_prints_what_is_said_of_moves_and_deletions(make_repository):
    maker = make_repository()
    maker.commit("One", {"a b.py": "1\n", "b.py": "x\n2\n", "d/e": "1", "d/f.py": "x\ny\n"})
    found = actions(
        change("a b.py", "1\n", None),
        change("n/m/b.py", "x\n2\n", "x\n3\n", old_path="b.py"),
        change("d/g.py", "x\ny\n", "x\nz\n", old_path="d/f.py"),
        change("d/e", "1", None),
    )
    commands = [each for each in found if each.tool == "run"]
    assert len(commands) == 4
    for each in commands:
        real = subprocess.run(
            ["sh", "-c", arguments(each)["command"]],
            cwd=maker.path,
            capture_output=True,
            check=True,
        )
        assert (real.stdout.decode(), real.stderr) == (each.output, b"")
    assert maker.git("ls-files") == "d/g.py\nn/m/b.py"


@pytest.mark.parametrize(
    ("changes", "reason", "path"),
    [
        ([change(f"{name}.py", "1\n", "2\n") for name in "abcd"], "too_many_files", ""),
        ([change("x.py", LONG, "")], "too_many_changed_lines", "x.py"),
        ([change("é.py", "1\n", "2\n")], "path_not_plain", "é.py"),
        ([change("x.py", "1\n", "2\n", old_path="a\nb")], "path_not_plain", "x.py"),
        ([change("x.py", "1\n", "2\n", mode="100755")], "mode_changed", "x.py"),
        ([change("x.py", None, "2\n", mode="100755")], "mode_changed", "x.py"),
        ([change("x.ipynb", "1\n", "2\n")], "notebook", "x.ipynb"),
        ([change("x.py", "1\r\n2\n", "2\n")], "carriage_return", "x.py"),
        ([change("x.py", None, "x" * 70_000)], "file_too_long", "x.py"),
        ([change("x.py", "x" * 2_000_000, "y")], "file_too_long", "x.py"),
        ([change("x.py", "a\n" * 200, "a\n" * 99 + "b\n" + "a\n" * 101)], "not_unique", "x.py"),
    ],
)  # fmt: skip
def test_what_cannot_be_acted_out_has_a_reason(changes, reason, path):
    assert rewrites(*changes) == Refusal(reason, path)


def test_all_files_of_a_commit_must_be_there():
    (entry, edit), (other, _) = change("x.py", "1\n", "2\n"), change("y.py", "1\n", "2\n")
    commit = Commit("c", "a", "d", "Subject", "", (entry, other))
    found = find_rewrites(commit, [edit], ReplaySection())
    assert found == Refusal("parts_of_the_commit_left_out")


def test_changed_lines_are_counted_over_all_files():
    changes = [change(f"{name}.py", LONG, LONG.replace("_1", "_x")) for name in "ab"]
    assert rewrites(*changes, max_changed_lines=21)[:2] == ("too_many_changed_lines", "b.py")
    assert len(rewrites(*changes, max_changed_lines=22)) == 2


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("edit", {"path": "x", "old": "1", "new": "2"}),
        ("edit", {"path": "y", "old": "11", "new": "2"}),
        ("edit", {"path": "x", "old": "", "new": "2"}),
        ("run", {"command": "git rm y"}),
        ("run", {"command": "git mv y z"}),
        ("run", {"command": "git mv x x"}),
    ],
)
def test_an_action_that_fails_leaves_nothing(tool, given):
    assert apply_actions({"x": "11"}, [Action(tool, json.dumps(given), "")]) is None

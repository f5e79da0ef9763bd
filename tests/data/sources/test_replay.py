import json
from dataclasses import replace

import pytest

from devtune.data.sources.blobs import Blobs
from devtune.data.sources.git import open_repository
from devtune.data.sources.history import read_commits
from devtune.data.sources.raw import ABSENT
from devtune.data.sources.replay import replay
from devtune.data.sources.rewrites import apply_actions
from devtune.pipeline import ReplaySection
from devtune.records import FileEdit, Provenance, Rejected

LONG = "".join(f"line_{number} = {number}\n" for number in range(400))


def edits_of(repository, commit):
    with Blobs(repository) as blobs:
        for entry in commit.entries:
            old = "" if entry.old_mode == ABSENT else blobs.read(entry.old_blob).decode()
            new = "" if entry.mode == ABSENT else blobs.read(entry.blob).decode()
            place = Provenance("app", commit.id, entry.path.decode(), entry.blob, "a", "d")
            yield FileEdit(place, entry.old_blob, old, new)


@pytest.fixture
def act(make_repository):
    maker = make_repository()

    def run(message, before, after, is_shown=lambda _: True, **values):
        maker.commit("Before", before)
        tip = maker.commit(message, after)
        repository = open_repository(maker.path)
        (commit,) = read_commits(repository, tip, [tip])
        edits = list(edits_of(repository, commit))
        section = ReplaySection(**values)
        return replay(repository, section, commit, edits, "train", "app", is_shown)

    return run


def steps(row):
    return [(each.tool, json.loads(each.arguments), each.is_grounded) for each in row.actions]


def test_a_commit_becomes_a_search_a_read_and_its_edits(act):
    row = act(
        "Let make_it return two",
        {"src/app.py": "def make_it():\n    return 1\n", "other.py": "x\n"},
        {"src/app.py": "def make_it():\n    return 2\n"},
    )
    assert steps(row) == [
        ("grep", {"pattern": "make_it"}, True),
        ("read", {"path": "src/app.py"}, True),
        ("edit", {"path": "src/app.py", "old": "    return 1", "new": "    return 2"}, True),
    ]
    assert [each.output for each in row.actions] == [
        "src/app.py:1:def make_it():\n",
        "def make_it():\n    return 1\n",
        "",
    ]
    assert (row.actions[1].num_lines, row.actions[1].num_bytes) == (2, 28)
    assert (row.source, row.split, row.subject, row.body) == (
        "app", "train", "Let make_it return two", "",
    )  # fmt: skip
    assert [each.path for each in row.provenance] == ["src/app.py"]


def test_a_long_file_is_read_around_what_changes(act):
    row = act(
        "Rename line_200 to two hundred",
        {"x.py": LONG},
        {"x.py": LONG.replace("line_200 ", "two_hundred ")},
    )
    grep, read, edit = row.actions
    assert json.loads(read.arguments) == {"path": "x.py", "offset": 175, "limit": 51}
    assert read.output == "".join(LONG.splitlines(keepends=True)[175:226])
    assert read.num_lines == 400
    assert grep.output == "x.py:201:line_200 = 200\n"
    assert read.is_grounded
    assert edit.is_grounded


def test_a_jump_to_a_line_nothing_showed_is_not_grounded(act):
    changed = LONG.replace("line_3 ", "three ").replace("line_300 ", "three_hundred ")
    row = act("Name the third line of x.py by its word", {"x.py": LONG}, {"x.py": changed})
    reads = [each for each in steps(row) if each[0] == "read"]
    assert reads == [
        ("read", {"path": "x.py", "offset": 0, "limit": 29}, True),
        ("read", {"path": "x.py", "offset": 275, "limit": 51}, False),
    ]


def test_code_comes_before_its_tests_and_those_before_the_changelog(act):
    before = {"CHANGES.md": "make_it\n", "tests/test_a.py": "make_it\n", "z.py": "make_it\n"}
    after = {path: text + "more\n" for path, text in before.items()}
    row = act("Let make_it do more", before, after)
    assert [given["path"] for tool, given, _ in steps(row) if tool == "edit"] == [
        "z.py", "tests/test_a.py", "CHANGES.md",
    ]  # fmt: skip


def test_new_moved_and_deleted_files_end_as_in_the_commit(act):
    before = {"pkg/a.py": "make_it\n" * 9, "pkg/gone.py": "make_it = 1\n", "pkg/c.py": "c\n"}
    after = {
        "pkg/a.py": None,
        "pkg/sub/b.py": "make_it\n" * 8 + "x\n",
        "pkg/gone.py": None,
        "pkg/new.py": "n\n",
    }
    row = act("Move make_it to a package of its own", before, after)
    assert [each.tool for each in row.actions] == [
        "grep", "read", "read", "run", "write", "edit", "run",
    ]  # fmt: skip
    assert all(each.is_grounded for each in row.actions)
    left = {"pkg/c.py": "c\n", "pkg/new.py": "n\n", "pkg/sub/b.py": after["pkg/sub/b.py"]}
    assert apply_actions(before, row.actions) == left


def test_a_new_file_in_a_directory_nobody_knows_is_not_grounded(act):
    row = act("Add a whole new thing", {"x.py": "1\n"}, {"new/place/y.py": "2\n"})
    assert [(tool, is_grounded) for tool, _, is_grounded in steps(row)][-1] == ("write", False)
    row = act("Add another new thing", {}, {"z.py": "2\n"})
    assert [(tool, is_grounded) for tool, _, is_grounded in steps(row)][-1] == ("write", True)


def test_files_that_are_not_shown_stand_in_no_output(act):
    before = {"a.py": "make_it\n", "vendor/b.py": "make_it\n", "vendor/make_it.py": "1\n"}
    row = act(
        "Let make_it and other things be",
        {**before, "lib/other.py": "2\n"},
        {"a.py": "make_it = 1\n", "lib/other.py": "3\n"},
        is_shown=lambda path: not path.startswith("vendor/"),
    )
    assert "vendor" not in "".join(each.output for each in row.actions)
    assert any(each.tool == "run" for each in row.actions)


@pytest.mark.parametrize(
    ("message", "after", "reason", "path"),
    [
        ("Oops", {"x.py": "2\n"}, "message_says_too_little", ""),
        ("Change it all", {"x.py": LONG}, "too_many_changed_lines", "x.py"),
        ("Make something better", {"wide/x.py": "2\n"}, "nothing_leads_there", ""),
    ],
)
def test_what_is_left_out_is_said(act, message, after, reason, path):
    names = {f"wide/{number}.py": "" for number in range(99)}
    row = act(message, {"x.py": "1\n", "wide/x.py": "1\n", **names}, after)
    assert (row.reason, row.path, row.source) == (f"replay_{reason}", path, "app")
    assert row.detail == message


def test_a_line_that_would_fill_the_session_is_not_read(act):
    old = f"make_it = 1\n{'x' * 31_000}\n"
    row = act("Let make_it be two", {"x.py": old}, {"x.py": old.replace("1", "2")})
    assert row.reason == "replay_read_too_long"


def test_edits_that_are_not_those_of_the_commit_are_refused(make_repository):
    maker = make_repository()
    maker.commit("One", {"a.py": "make_it\n", "b.py": "make_it\n"})
    tip = maker.commit("Let make_it be two", {"a.py": "2\n", "b.py": "2\n"})
    repository = open_repository(maker.path)
    (commit,) = read_commits(repository, tip, [tip])
    edit, other = edits_of(repository, commit)
    # Moved over a file that is still there: git would refuse it.
    entry = replace(commit.entries[0], old_path=b"b.py")
    wrong = replace(commit, entries=(entry, commit.entries[1]))
    row = replay(repository, ReplaySection(), wrong, [edit, other], "train", "app", lambda _: True)
    assert isinstance(row, Rejected)
    assert row.reason == "replay_differs"


def test_the_same_commit_gives_the_same_session(act):
    texts = {"a.py": "make_it\n", "b/c.py": "make_it()\n"}
    after = {"a.py": "make_it = 1\n", "b/c.py": "make_it(1)\n"}
    first = act("Let make_it take a number", texts, after)
    again = act("Let make_it take a number", {**texts, "n.md": "1\n"}, after)
    assert first.actions == again.actions

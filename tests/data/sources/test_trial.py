import json
import os

import pytest

from devtune.data import sandbox
from devtune.data.sources.git import open_repository
from devtune.data.sources.history import read_commits, read_tree
from devtune.data.sources.trial import is_test, try_tests, write_tree
from devtune.errors import DevtuneError
from devtune.pipeline import ReplaySection


def why_not():
    try:
        sandbox.prove()
    except DevtuneError as error:
        return str(error)
    return ""


needs_sandbox = pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is one")
TEST = "sh -e {files} && echo done in 1.25s"


@pytest.fixture
def attempt(make_repository):
    maker = make_repository()
    maker.commit("Before", {"lib.sh": "value=1\n", "hidden.txt": "1\n"})

    def run(after, is_shown=lambda _: True, **values):
        tip = maker.commit("After", after)
        repository = open_repository(maker.path)
        (commit,) = read_commits(repository, tip, [tip])
        section = ReplaySection(**{"test_command": TEST, **values})
        return try_tests(repository, section, commit, f"{tip}^", is_shown)

    return run


@needs_sandbox
def test_changed_tests_run_on_the_tree_of_the_commit(attempt):
    (action,) = attempt(
        {"lib.sh": "value=2\n", "tests/test a.sh": ". ./lib.sh\necho $value\npwd\nls\n"}
    )
    assert json.loads(action.arguments) == {
        "command": "(sh -e 'tests/test a.sh' && echo done in 1.25s) 2>&1"
    }
    # Seconds differ from run to run and are made the same.
    assert action.output == "2\n/workspace\nhidden.txt\nlib.sh\ntests\ndone in 0.01s\n"
    assert action.tool == "run"
    assert action.exit_code == 0


@needs_sandbox
def test_a_command_is_shown_as_it_was_run(attempt):
    (action,) = attempt({"tests/test_a.sh": "echo out; echo err >&2\n"}, test_command="sh {files}")
    assert json.loads(action.arguments) == {"command": "sh tests/test_a.sh 2>&1"}
    assert action.output == "out\nerr\n"


def test_a_commit_without_tests_runs_none(attempt):
    assert attempt({"lib.sh": "value=2\n"}) == []
    assert attempt({"tests/readme.md": "2\n"}) == []


@needs_sandbox
def test_tests_that_fail_are_no_session(attempt):
    assert attempt({"tests/test_a.sh": "echo bad; exit 3\n"}) == "exit code 3: bad"


@needs_sandbox
def test_tests_that_take_too_long_are_no_session(attempt):
    found = attempt({"tests/test_a.sh": "sleep 99\n"}, test_timeout_seconds=1)
    assert found == "over 1 seconds"


@needs_sandbox
def test_tests_that_name_what_is_not_shown_are_no_session(attempt):
    found = attempt(
        {"tests/test_a.sh": "ls\n"}, is_shown=lambda path: not path.startswith("hidden")
    )
    assert found == "names hidden.txt"


@pytest.fixture
def leaves_of(make_repository):
    def make(files):
        maker = make_repository()
        maker.commit("One", files)
        repository = open_repository(maker.path)
        return maker, repository, read_tree(repository, "HEAD")

    return make


def test_a_tree_is_written_as_it_stands(leaves_of, tmp_path):
    files = {
        "a/b/c": b"\0\xff\r\n$Id$",
        "d": "é",
        b"\xff": "odd",
        ".gitattributes": "* ident filter=x\n",
    }
    maker, repository, _ = leaves_of(files)
    (maker.path / "d").chmod(0o755)
    maker.commit("Two")
    out = tmp_path / "out"
    out.mkdir()
    assert write_tree(repository, read_tree(repository, "HEAD"), out) is None
    assert (out / "a/b/c").read_bytes() == b"\0\xff\r\n$Id$"
    assert (out / os.fsdecode(b"\xff")).read_text(encoding="utf-8") == "odd"
    assert os.access(out / "d", os.X_OK)
    assert not os.access(out / "a/b/c", os.X_OK)


def test_links_are_left_out(leaves_of, tmp_path):
    maker, repository, _ = leaves_of({"a": "1"})
    (maker.path / "link").symlink_to(tmp_path)
    maker.commit("Two")
    out = tmp_path / "out"
    out.mkdir()
    assert write_tree(repository, read_tree(repository, "HEAD"), out) is None
    assert [each.name for each in out.iterdir()] == ["a"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (b"../out", "a path leads out of the tree"),
        (b"/etc/x", "a path leads out of the tree"),
        (b"a/.git/config", "a path leads out of the tree"),
        (b"a//b", "a path leads out of the tree"),
        (b"x" * 5000, "a file cannot be written: File name too long"),
        (b"a/b", "a file cannot be written: File exists"),
        (b"a", "a file cannot be written: File exists"),
    ],
)
def test_a_hostile_tree_is_not_written(leaves_of, tmp_path, path, reason):
    _, repository, (leaf,) = leaves_of({"a": "1"})
    hostile = type(leaf)(leaf.mode, leaf.blob, path)
    out = tmp_path / "deep" / "out"
    out.mkdir(parents=True)
    assert write_tree(repository, [leaf, hostile], out) == reason
    assert [each.name for each in (tmp_path / "deep").iterdir()] == ["out"]
    assert [each.name for each in out.iterdir()] == ["a"]


def test_a_tree_that_is_too_large_is_not_written(leaves_of, tmp_path, monkeypatch):
    _, repository, leaves = leaves_of({"a": "12345", "b": "1"})
    for name, value in (("MAX_FILES", 1), ("MAX_TREE_BYTES", 5)):
        out = tmp_path / name
        out.mkdir()
        monkeypatch.setattr(f"devtune.data.sources.trial.{name}", value)
        assert write_tree(repository, leaves, out) == "the tree is too large"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests/x.py", True),
        ("src/test_x.py", True),
        ("a/x_test.go", True),
        ("web/x.spec.ts", True),
        ("src/XTest.java", True),
        ("spec/x_spec.rb", True),
        ("src/contest.py", False),
        ("tests/data.json", False),
        ("latest/x.py", False),
    ],
)
def test_a_test_is_known_by_its_name_or_directory(path, expected):
    assert is_test(path) is expected

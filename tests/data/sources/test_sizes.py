import shutil

import pytest

from devtune.data.sources.checkout import Checkout
from devtune.data.sources.git import open_repository
from devtune.data.sources.history import read_commits
from devtune.data.sources.sizes import MAX_COMPARED_BYTES, find_large_files, find_large_moves

ROWS = "".join(f"row {number}\n" for number in range(MAX_COMPARED_BYTES // 8))


@pytest.fixture
def frugal(tmp_path, monkeypatch):
    # Any git that asks for more than 100 MB ends; two texts of the test do not fit.
    real = shutil.which("git")
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "git"
    script.write_text(f'#!/bin/sh\nulimit -d 100000\nexec {real} "$@"\n')
    script.chmod(0o755)

    def start():
        monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")

    return start


def entries_of(repository, *commits):
    opened = open_repository(repository.path)
    rows = read_commits(opened, commits[-1], list(commits))
    return [[(each.old_path, each.path) for each in row.entries] for row in rows]


def test_a_small_file_that_moved_and_changed_is_renamed_and_a_large_one_is_not(make_repository):
    repository = make_repository()
    repository.commit("One", {"small": "x\n" * 100, "large": ROWS})
    second = repository.commit(
        "Two", {"small": None, "a": "x\n" * 99 + "y\n", "large": None, "b": ROWS + "y\n"}
    )
    third = repository.commit("Three", {"a": None, "c": "x\n" * 99 + "z\n"})
    assert find_large_moves(open_repository(repository.path), [second, third], ()) == {second}
    assert entries_of(repository, second, third) == [
        [(b"a", b"a"), (b"b", b"b"), (b"large", b"large"), (b"small", b"small")],
        [(b"a", b"c")],
    ]


def test_a_large_file_that_only_moved_is_renamed(make_repository):
    repository = make_repository()
    repository.commit("One", {"large": ROWS})
    second = repository.commit("Two", {"large": None, "b": ROWS})
    assert entries_of(repository, second) == [[(b"large", b"b")]]


def test_fifty_megabytes_are_neither_compared_nor_searched(make_repository, frugal):
    repository = make_repository()
    names = ["moved.bin", "odd *name[1].bin", "é.bin"]
    first = repository.commit("One", {"large.bin": ROWS * 12, "x.py": "row = 1\n"})
    large = {name: ROWS * 12 + f"{name}\n" for name in names}
    second = repository.commit("Two", {**large, "large.bin": None})
    frugal()
    opened = open_repository(repository.path)
    assert sorted(find_large_files(opened, second)) == sorted(each.encode() for each in names)
    assert len(entries_of(repository, first, second)[1]) == 4
    printed = Checkout(opened, second, lambda path: True).grep("row", 40)
    assert printed is not None
    assert printed.action.output == "x.py:1:row = 1\n"


def test_a_tree_of_too_many_large_files_is_not_searched(make_repository, monkeypatch):
    repository = make_repository()
    commit = repository.commit("One", {"large.bin": ROWS, "x.py": "row = 1\n"})
    monkeypatch.setattr("devtune.data.sources.checkout.MAX_LEFT_OUT", 3)
    assert (
        Checkout(open_repository(repository.path), commit, lambda path: True).grep("row", 4) is None
    )

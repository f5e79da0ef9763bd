import io

import pytest

from devtune.data.sources.git import open_repository
from devtune.data.sources.history import read_commits, read_tree
from devtune.data.sources.raw import tokens_of
from devtune.errors import DevtuneError
from tests.hostile import Objects, Step, init


@pytest.fixture
def swollen(tmp_path):
    # Ten small trees, each holding the one before ten times: 10 ** 10 files.
    git_dir = init(tmp_path / "app")
    objects = Objects(git_dir)
    tree = objects.tree([(b"100644", b"x.py", objects.write("blob", b"x = 1\n"))])
    for _ in range(10):
        tree = objects.tree([(b"40000", b"%d" % number, tree) for number in range(10)])
    commit = objects.commit(tree, [], Step(), 0)
    (git_dir / "refs" / "heads" / "main").write_text(f"{commit}\n")
    return open_repository(tmp_path / "app"), commit


def test_a_tree_that_holds_itself_without_an_end_is_left_at_the_limit(swollen, monkeypatch):
    monkeypatch.setattr("devtune.data.sources.history.MAX_FILES", 1000)
    monkeypatch.setattr("devtune.data.sources.raw.MAX_FILES", 1000)
    repository, commit = swollen
    with pytest.raises(DevtuneError) as caught:
        read_tree(repository, commit)
    assert str(caught.value) == (
        f"{repository.path}: more than 1,000 files at {commit[:12]}; name those to read in"
        " `subpaths` of the source"
    )
    assert len(read_tree(repository, commit, ("0/0/0/0/0/0/0/0",))) == 100


def test_a_commit_of_too_many_files_is_left_at_the_limit(make_repository, monkeypatch):
    monkeypatch.setattr("devtune.data.sources.raw.MAX_FILES", 3)
    repository = make_repository()
    first = repository.commit("One", {"a": "1", "b": "1", "c": "1"})
    second = repository.commit("Two", {"a": "2", "b": "2", "c": "2", "d": "2"})
    opened = open_repository(repository.path)
    assert [len(each.entries) for each in read_commits(opened, second, [first])] == [3]
    with pytest.raises(DevtuneError) as caught:
        list(read_commits(opened, second, [second]))
    assert f"more than 3 files at {second[:12]}; name those to read" in str(caught.value)


@pytest.mark.parametrize("length", [1, 2, 65_535, 65_536, 65_537, 200_000])
def test_pieces_are_the_same_however_they_come_in(length):
    pieces = [b"", b"x" * length, b"", b"y", b"z" * length]
    assert list(tokens_of(io.BytesIO(b"\0".join(pieces)))) == pieces
    assert list(tokens_of(io.BytesIO(b"\0".join([*pieces, b""])))) == pieces

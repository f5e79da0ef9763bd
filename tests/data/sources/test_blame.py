import json
import random
from dataclasses import asdict

import pytest

from devtune.data.sources.blame import (
    Blame,
    find_owners,
    lines_of,
    matching,
    moved,
    moved_runs,
    runs_of,
)
from devtune.data.sources.blobs import Blobs
from devtune.data.sources.git import open_repository
from devtune.data.sources.history import read_tree
from devtune.data.sources.versions import UNKNOWN, Version, find_versions
from devtune.records import BlameRun

BOB, EVE = "Bob Example <bob@corp.test>", "Eve Example <eve@corp.test>"
ADA = "Ada Example <ada@corp.test>"
PEOPLE = (ADA, BOB, EVE)


def blamed_by_git(repository, path):
    told = repository.git("blame", "-w", "--line-porcelain", "HEAD", "--", path).split("\n")
    names = [line.removeprefix("author ") for line in told if line.startswith("author ")]
    mails = [line.removeprefix("author-mail ") for line in told if line.startswith("author-mail ")]
    return [f"{name} {mail}" for name, mail in zip(names, mails, strict=True)]


def blamed(repository):
    opened = open_repository(repository.path)
    tip = opened.ask("rev-parse", "HEAD")
    wanted = {leaf.path: leaf.blob for leaf in read_tree(opened, tip)}
    found = find_versions(opened, tip, wanted)
    owners = {}
    with Blobs(opened) as blobs:
        blame = Blame(blobs, found.authors, 10_000)
        for path, versions in found.versions.items():
            text = blobs.read(wanted[path]).decode()
            runs = blame.runs(path, versions, text)
            owners[path.decode()] = [run.author for run in runs for _ in range(run.num_lines)]
    return owners


class Writer:
    # Changes files at random; no line is written twice, so that nobody can be in doubt.
    def __init__(self, repository, seed) -> None:
        self.repository, self.chance, self.number = repository, random.Random(seed), 0

    def lines(self, most):
        count = self.chance.randint(0, most)
        self.number += count
        return [f"line {self.number - n}" for n in range(count)]

    def changed(self, lines, first, last):
        for _ in range(self.chance.randint(1, 3)):
            place = self.chance.randint(first, max(last, first))
            lines[place : place + self.chance.randint(0, 3)] = self.lines(4) or ["  again"]
        return lines

    def commit(self, path, half=None):
        file = self.repository.path / path
        lines = file.read_text().split("\n") if file.exists() else self.lines(30)
        middle = len(lines) // 2
        first, last = {None: (0, len(lines)), 0: (0, middle - 6), 1: (middle + 6, len(lines))}[half]
        text = "\n".join(self.changed(lines, first, last))
        self.repository.commit("m", {path: text}, author=self.chance.choice(PEOPLE))

    def merge(self, path):
        git = self.repository.git
        git("checkout", "-q", "-b", "side")
        for _ in range(self.chance.randint(1, 2)):
            self.commit(path, 0)
        git("checkout", "-q", "main")
        self.commit(path, 1)
        git("merge", "-q", "--no-commit", "side")
        if self.chance.random() < 0.5:  # a merge that says something of its own
            file = self.repository.path / path
            file.write_text(file.read_text() + f"\nmerged {self.number}")
        git("add", "-A")
        git("commit", "-q", "-m", "merge", author=self.chance.choice(PEOPLE))
        git("branch", "-q", "-D", "side")

    def rename(self, path, to):
        lines = (self.repository.path / path).read_text().split("\n")
        text = "\n".join([*lines, *self.lines(2)])
        files = {path: None, to: text}
        self.repository.commit("m", files, author=self.chance.choice(PEOPLE))


@pytest.mark.parametrize("seed", range(4))
def test_lines_are_of_whom_git_blame_says_through_merges_renames_and_rewrites(
    seed, make_repository
):
    repository = make_repository()
    writer = Writer(repository, seed)
    repository.commit("m", {"b.py": "\n".join(f"old {n}" for n in range(40))}, author=EVE)
    for _ in range(3):
        writer.commit("a.py")
    writer.merge("b.py")
    writer.rename("b.py", "c/d.py")
    writer.commit("c/d.py")
    writer.merge("c/d.py")
    repository.commit("m", {"a.py": "\n".join(writer.lines(9) or ["all new"])}, author=BOB)
    owners = blamed(repository)
    assert set(owners) == {"a.py", "c/d.py"}
    for path, names in owners.items():
        assert names == blamed_by_git(repository, path)
    assert len(set(owners["c/d.py"])) > 1


def test_a_merge_that_mixes_two_sides_leaves_lines_to_those_who_wrote_them(make_repository):
    repository = make_repository()
    repository.commit("m", {"a.py": "1\n2\n3\n4\n5\n6\n7\n8\n9\n"})
    repository.git("checkout", "-q", "-b", "side")
    repository.commit("m", {"a.py": "one\n2\n3\n4\n5\n6\n7\n8\n9\n"}, author=BOB)
    repository.git("checkout", "-q", "main")
    repository.commit("m", {"a.py": "1\n2\n3\n4\n5\n6\n7\n8\nnine\n"}, author=EVE)
    repository.git("merge", "-q", "--no-commit", "side")
    repository.write({"a.py": "one\n2\n3\n4\nfive\n6\n7\n8\nnine\n"})
    repository.git("add", "-A")
    repository.git("commit", "-q", "-m", "merge", author="Mia <mia@corp.test>")
    mine = blamed(repository)["a.py"]
    assert mine == [BOB, ADA, ADA, ADA, "Mia <mia@corp.test>", ADA, ADA, ADA, EVE]
    assert mine == blamed_by_git(repository, "a.py")


def test_indenting_a_line_or_giving_it_another_end_makes_it_nobody_elses(make_repository):
    repository = make_repository()
    repository.commit("m", {"a.py": "a = 1\nb = 2\n"})
    repository.commit("m", {"a.py": "if x:\r\n    a = 1\r\n\tb  =  2\r\n"}, author=BOB)
    assert blamed(repository)["a.py"] == [BOB, ADA, ADA]
    assert blamed(repository)["a.py"] == blamed_by_git(repository, "a.py")


def test_lines_of_a_notebook_are_those_of_its_cells(make_repository):
    def notebook(*sources, number=0):
        cells = [
            {"cell_type": "code", "source": [each], "outputs": [], "execution_count": number}
            for each in sources
        ]
        return json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}, indent=number)

    repository = make_repository()
    repository.commit("m", {"a.ipynb": notebook("a = 1", "b = 2")})
    repository.commit("m", {"a.ipynb": notebook("a = 1", "b = 3", number=7)}, author=BOB)
    opened = open_repository(repository.path)
    tip = opened.ask("rev-parse", "HEAD")
    (leaf,) = read_tree(opened, tip)
    found = find_versions(opened, tip, {leaf.path: leaf.blob})
    with Blobs(opened) as blobs:
        blame = Blame(blobs, found.authors, 10_000)
        runs = blame.runs(leaf.path, found.versions[leaf.path], "# %%\na = 1\n\n# %%\nb = 3\n")
    assert runs == (BlameRun(ADA, 1, 4), BlameRun(BOB, 5, 1))


def test_a_version_that_cannot_be_read_is_passed_over():
    versions = (Version(2, "c", (1,)), Version(1, "b", (2,)), Version(0, "a", ()))
    texts = {"a": b"1\n2\n", "b": None, "c": b"1\n2\n3\n"}
    assert find_owners(versions, texts.get) == ([0, 0, 2], [b"1", b"2", b"3"])
    assert find_owners(versions[2:], {"a": None}.get) == ([], [])


def test_lines_nobody_is_known_to_have_written_are_nobodys():
    versions = (Version(1, "b", (1,)), Version(UNKNOWN, "a", ()))
    assert find_owners(versions, {"a": b"1\n", "b": b"1\n2"}.get)[0] == [UNKNOWN, 1]


@pytest.mark.parametrize("seed", range(30))
def test_what_matches_is_equal_in_order_and_as_long_as_it_can_be(seed, monkeypatch):
    chance = random.Random(seed)
    old = [b"%d" % chance.randint(0, 9) for _ in range(chance.randint(0, 30))]
    new = [each for each in old if chance.random() < 0.7]
    for _ in range(chance.randint(0, 6)):
        new.insert(chance.randint(0, len(new)), b"%d" % chance.randint(0, 12))
    if seed % 2:
        monkeypatch.setattr("devtune.data.sources.blame.MAX_CELLS", 0)
    a = b = 0
    for start, new_start, size in matching(old, new):
        assert size
        assert start >= a
        assert new_start >= b
        assert old[start : start + size] == new[new_start : new_start + size]
        a, b = start + size, new_start + size
    if old == new:
        assert a == len(old)


def test_of_two_equal_ends_the_lower_one_is_new():
    old = [b"f", b"{", b"}", b"", b"last"]
    new = [b"f", b"{", b"}", b"", b"g", b"{", b"}", b"", b"last"]
    assert list(matching(old, new)) == [(0, 0, 4), (4, 8, 1)]


def test_a_line_in_place_of_several_is_of_the_first_of_them():
    old, new = [b"a", b"1", b"2", b"3", b"b"], [b"a", b"x", b"b"]
    assert moved(["A", "S", "T", "T", "B"], old, new) == ["A", "S", "B"]
    assert moved(["S", "T"], [b"1", b"2"], [b"x"]) == ["S"]
    assert moved([], [], [b"x"]) == []
    runs = [asdict(each) for each in runs_of(["A", "S", "T", "T", "B"])]
    assert moved_runs(runs, "a\n1\n2\n3\nb\n", "a\nx\nb\n") == [
        {"author": "A", "first_line": 1, "num_lines": 1},
        {"author": "S", "first_line": 2, "num_lines": 1},
        {"author": "B", "first_line": 3, "num_lines": 1},
    ]
    assert moved_runs(runs, "a\n1\n2\n3\nb\n", "a\n1\nx\n3\nb\n") is runs


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"a", [b"a"]),
        (b" a b\r\n\n", [b"ab", b""]),
        (b"a\rb\n", [b"ab"]),
    ],
)
def test_lines_end_in_line_feeds_and_blanks_do_not_count(content, lines):
    assert lines_of(content) == lines

import json
from collections import Counter

import pytest

from devtune.records import Rejected, Source, read_jsonl

BOB = "Bob Example <bob@corp.test>"


def test_the_latest_commits_are_held_out_and_the_tree_is_cut_before_them(make_repository, corpus):
    repository = make_repository()
    first = repository.commit("Add a and b", {"a.py": "a = 1\n", "b.py": "b = 1\n"})
    second = repository.commit("Change b", {"b.py": "b = 2\n"}, author=BOB)
    third = repository.commit("Change b again\n\nWhy not.", {"b.py": "b = 3\n", "c.py": "c = 1\n"})
    found = corpus(repository.source(), held_out=0.3)
    assert found.texts("train") == {"a.py": "a = 1\n", "b.py": "b = 2\n"}
    assert found.texts("held_out") == {"b.py": "b = 3\n", "c.py": "c = 1\n"}
    assert [row.split for row in found.changes] == ["train", "train", "held_out"]
    places = {(row.split, row.provenance.path): row.provenance for row in found.files}
    assert places["train", "a.py"].commit == first
    assert places["train", "b.py"].commit == second
    assert places["train", "b.py"].author == BOB
    assert places["train", "b.py"].date == "2024-01-01T00:01:00+00:00"
    assert places["train", "b.py"].blob == repository.git("rev-parse", f"{second}:b.py")
    assert places["held_out", "b.py"].commit == third
    last = found.changes[-1]
    assert (last.subject, last.body, last.num_files) == ("Change b again", "Why not.", 2)
    assert [(edit.old, edit.new) for edit in last.edits] == [
        ("b = 2\n", "b = 3\n"),
        ("", "c = 1\n"),
    ]
    assert found.outcome.counts == {
        "files_train": 2,
        "files_held_out": 2,
        "changes_train": 2,
        "changes_held_out": 1,
        "edits_train": 3,
        "edits_held_out": 2,
        "discussions_train": 0,
        "discussions_held_out": 0,
        "replays_train": 0,
        "replays_held_out": 0,
    }
    assert found.outcome.summary == (
        "2 files and 3 edits to train on, 2 files and 2 edits held out, from 1 source;"
        " 0 rejected, 0 secrets replaced"
    )


def test_nothing_is_held_out_when_the_share_is_zero(make_repository, corpus):
    repository = make_repository()
    repository.commit("One", {"a.py": "a = 1\n"})
    repository.commit("Two", {"a.py": "a = 2\n"})
    found = corpus(repository.source(), held_out=0)
    assert found.texts("train") == {"a.py": "a = 2\n"}
    assert {row.split for row in found.changes} == {"train"}


def test_a_history_of_one_commit_is_split_by_file_and_its_edits_do_not_leak(
    make_repository, corpus
):
    repository = make_repository()
    repository.commit("Add all", {f"m{number}.py": f"x = {number}\n" for number in range(40)})
    found = corpus(repository.source(), held_out=0.3)
    train, held_out = found.texts("train"), found.texts("held_out")
    assert len(train) + len(held_out) == 40
    assert 4 < len(held_out) < 24
    assert {edit.provenance.path for edit in found.changes[0].edits} == set(train)
    assert {path for path, reason in found.reasons if reason == "held_out_file"} == set(held_out)


def test_renames_and_deletions_keep_their_texts(make_repository, corpus):
    repository = make_repository()
    text = "".join(f"line_{number} = {number}\n" for number in range(50))
    repository.commit("One", {"old.py": text, "gone.py": "g = 1\n", "same.py": text + "s = 1\n"})
    repository.write({"old.py": None, "gone.py": None, "new.py": text + "more = 1\n"})
    repository.git("mv", "same.py", "moved.py")
    repository.commit("Two")
    found = corpus(repository.source())
    edits = {edit.provenance.path: edit for edit in found.changes[-1].edits}
    assert (edits["new.py"].old, edits["new.py"].new) == (text, text + "more = 1\n")
    assert (edits["gone.py"].old, edits["gone.py"].new) == ("g = 1\n", "")
    assert edits["gone.py"].provenance.blob == ""
    assert ("moved.py", "unchanged") in found.reasons
    assert "moved.py" not in found.texts("held_out"), "moving a file makes nothing new"


def test_whatever_is_left_out_has_a_reason(make_repository, corpus):
    repository = make_repository()
    files = {
        "keep.py": "x = 1\n",
        "image.gif": b"GIF89a\0\0",
        "latin.py": b"# caf\xe9\n",
        b"caf\xe9.py": b"x = 1\n",
        "empty.py": b"",
        "big.py": b"x = 1\n" * 2_000_000,
        "long.py": b"x" * 2000,
        "vendor/v.py": b"v = 1\n",
        "uv.lock": b"version = 1\n",
        "made.py": b"# @generated\nx = 1\n",
    }
    (repository.path / "loop").symlink_to("loop")
    repository.commit("One", files)
    head = repository.git("rev-parse", "HEAD")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{head},sub")
    repository.git("commit", "-qm", "Add a submodule")
    repository.num_commits += 1
    repository.commit("Three", {"keep.py": "x = 2\n", "image.gif": b"GIF89a\0\1"})
    found = corpus(repository.source(), held_out=0.1)
    expected = {
        ("image.gif", "binary"),
        ("latin.py", "not_utf8"),
        ("caf\\xe9.py", "path_not_utf8"),
        ("empty.py", "empty"),
        ("big.py", "oversized"),
        ("long.py", "long_line"),
        ("vendor/v.py", "vendored"),
        ("uv.lock", "lock_file"),
        ("made.py", "generated"),
        ("loop", "symlink"),
        ("sub", "submodule"),
    }
    assert found.reasons == expected
    assert found.outcome.rejects["binary"] == 4, "the tree, the held-out tree and two edits"
    assert found.outcome.rejects == Counter(sorted(row.reason for row in found.rejected))
    assert list(found.texts("train")) == ["keep.py"]


def test_large_commits_and_merges_are_counted_once(make_repository, corpus):
    repository = make_repository()
    first = repository.commit("One", {f"m{number}.py": "x = 1\n" for number in range(51)})
    repository.git("switch", "-qc", "side")
    repository.commit("Side", {"side.py": "s = 1\n"}, author=BOB)
    repository.git("switch", "-q", "main")
    repository.git("merge", "-q", "--no-ff", "-m", "Merge side", "side")
    merge = repository.git("rev-parse", "HEAD")
    tip = repository.commit("Two", {"m1.py": "x = 2\n"})
    rules = [{"type": "merge"}, {"type": "too_many_files", "max_files": 50}]
    found = corpus(repository.source(), held_out=0, commit_rules=rules)
    assert found.rejected == [
        Rejected("merge", "app", "", merge),
        Rejected("too_many_files", "app", "", first, "One"),
    ]
    assert [row.subject for row in found.changes] == ["Side", "Two"]
    lenient = corpus(repository.source(), held_out=0, out="lenient")
    assert (lenient.changes[0].num_files, len(lenient.changes[0].edits)) == (51, 51)
    assert lenient.rejected == [Rejected("merge", "app", "", merge)]
    side = next(row for row in found.files if row.provenance.path == "side.py")
    assert side.provenance.author == BOB
    assert found.changes[-1].commit == tip


def test_work_that_was_merged_counts_and_what_the_cut_does_not_reach_is_held_out(
    make_repository, corpus
):
    repository = make_repository()
    repository.commit("Root", {"x.py": "x = 1\n"})
    repository.git("branch", "late")
    for branch in ("early", "late"):
        if branch == "early":
            repository.git("branch", branch)
        repository.git("switch", "-q", branch)
        repository.commit(f"Begin {branch}", {f"{branch}.py": f"{branch} = 1\n"}, author=BOB)
        repository.commit(f"End {branch}", {f"{branch}.py": f"{branch} = 2\n"})
        repository.git("switch", "-q", "main")
        repository.git("merge", "-q", "--no-ff", "-m", f"Merge {branch}", branch)
        repository.num_commits += 1
    found = corpus(repository.source(), held_out=0.2)
    assert [(row.subject, row.split) for row in found.changes] == [
        ("Root", "train"),
        ("Begin early", "train"),
        ("End early", "train"),
        ("Begin late", "held_out"),
        ("End late", "held_out"),
    ]
    assert found.texts("train") == {"x.py": "x = 1\n", "early.py": "early = 2\n"}
    assert found.texts("held_out") == {"late.py": "late = 2\n"}
    assert found.outcome.rejects == {"merge": 2}


def test_an_old_content_that_came_back_is_not_held_out(make_repository, corpus):
    repository = make_repository()
    for number, value in enumerate((1, 2, 3, 1)):
        files = {"x.py": f"x = {value}\n", f"n{number}.py": f"n = {number}\n"}
        repository.commit(f"Set {value}", files)
    found = corpus(repository.source(), held_out=0.25)
    assert found.texts("held_out") == {"n3.py": "n = 3\n"}
    assert found.texts("train")["x.py"] == "x = 3\n"


def test_a_history_whose_cut_has_no_files_is_split_by_file(make_repository, corpus):
    repository = make_repository()
    repository.commit("Nothing yet")
    repository.commit("Add all", {f"m{number}.py": f"x = {number}\n" for number in range(40)})
    found = corpus(repository.source(), held_out=0.3)
    assert {row.split for row in found.changes} == {"train"}
    assert 4 < len(found.texts("held_out")) < 24


def test_line_ends_and_odd_characters_come_back_as_they_were(make_repository, corpus):
    repository = make_repository()
    texts = {"crlf.py": "a\r\nb\r\n", "sep.py": "s = '\u2028\x85\x0b'\n", "z.py": "\ufeff\ufeffx = 1\n"}
    repository.commit("One", dict(texts))
    found = corpus(repository.source(), held_out=0)
    # One mark of the byte order says how a text is stored and is no part of it.
    assert found.texts("train") == {**texts, "z.py": "\ufeffx = 1\n"}
    assert [edit.new for edit in found.changes[0].edits] == list(found.texts("train").values())


def test_a_repository_without_files(make_repository, section, collect_fails):
    repository = make_repository()
    commit = repository.commit("Nothing yet")
    assert collect_fails(section(repository.source())) == (
        f"{repository.path}: no files in it at {commit[:12]}; set another `ref`"
    )

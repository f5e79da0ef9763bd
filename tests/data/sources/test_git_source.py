import json
import re
from collections import Counter

from devtune.data.filters.files import split_by_file
from devtune.jsonl import read_jsonl
from devtune.records import Rejected, Source

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
        "sessions_train": 0,
        "sessions_held_out": 0,
    }
    assert found.outcome.summary == (
        "2 files and 3 edits to train on, 2 files and 2 edits held out, from 1 source;"
        " 0 rejected, 0 secrets and 0 personal values replaced"
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
    texts = {
        "crlf.py": "a\r\nb\r\n",
        "sep.py": "s = '\u2028\x85\x0b'\n",
        "z.py": "\ufeff\ufeffx = 1\n",
    }
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


def test_of_a_monorepo_only_its_sub_paths_are_read(make_repository, corpus):
    repository = make_repository()
    # What the top says of licences and attributes holds below it, though no row is made of it.
    repository.commit("Outside only", {"other/o.py": "outside = 1\n", "LICENSE": MIT})
    repository.commit("Add billing", {"app/a.py": "a = 1\n", "application/no.py": "outside = 2\n"})
    attributes = "app/made/** linguist-generated\n"
    repository.commit("Add top", {".gitattributes": attributes, "app/made/m.py": "m = 1\n"})
    repository.commit("Change both", {"app/a.py": "a = 2\n", "other/o.py": "outside = 3\n"})
    repository.git("mv", "other/o.py", "app/o.py")
    repository.commit("Move in")
    for number in range(5):
        repository.commit(f"Outside {number}", {"other/p.py": f"outside = {number}\n"})
    rules = [{"type": "linguist"}]
    found = corpus(
        repository.source(subpaths=("app",)), held_out=0, held_out_commits=2, file_rules=rules
    )
    paths = {row.provenance.path for row in found.files}
    paths |= {edit.provenance.path for row in found.changes for edit in row.edits}
    paths |= {row.path for row in found.rejected if row.path}
    assert paths == {"app/a.py", "app/o.py", "app/made/m.py"}
    assert {row.provenance.license for row in found.files} == {"MIT"}
    assert ("app/made/m.py", "linguist_generated") in found.reasons
    assert [(row.subject, row.split) for row in found.changes] == [
        ("Add billing", "train"),
        ("Add top", "train"),
        ("Change both", "held_out"),
        ("Move in", "held_out"),
    ]
    moved = found.changes[-1].edits[0]
    assert (moved.old, moved.new) == ("", "outside = 3\n"), "where it came from is not looked at"
    assert found.texts("train") == {"app/a.py": "a = 1\n"}
    assert found.texts("held_out") == {"app/a.py": "a = 2\n", "app/o.py": "outside = 3\n"}
    outside = [row for row in found.rejected if row.reason == "outside_subpaths"]
    assert len(outside) == 6
    (source,) = read_jsonl(found.out / "sources.jsonl", Source)
    assert source.num_held_out_commits == 2


MIT = """\
MIT License

Copyright (c) 2024 Corp

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and \
associated documentation files (the "Software"), to deal in the Software without restriction, \
including without limitation the rights to use, copy, modify, merge, publish, distribute, \
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is \
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or \
substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT \
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND \
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, \
DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT \
OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def test_all_texts_are_those_of_time_t(make_repository, corpus):
    repository = make_repository()
    old = {
        "README.md": "# App\n\nUse `old`.\n",
        "CHANGELOG.md": "## 1.0\n\n- First\n",
        "app.py": "def old():\n    return 1\n",
        "gone.py": "g = 1\n",
    }
    repository.commit("Start", dict(old))
    repository.commit("Say more", {"more.py": "m = 1\n"})
    new = {
        "README.md": "# App\n\nUse `new`.\n",
        "CHANGELOG.md": "## 1.1\n\n- Fixed\n\n## 1.0\n\n- First\n",
        "app.py": "def new():\n    return 2\n",
    }
    repository.commit("Fix it all", {**new, "gone.py": None})
    found = corpus(repository.source(), held_out=0, held_out_commits=1)
    assert found.texts("train") == {**old, "more.py": "m = 1\n"}
    assert found.texts("held_out") == new
    trained = [row for row in (*found.files, *found.changes) if row.split == "train"]
    assert not [text for text in ("`new`", "1.1", "return 2") if text in repr(trained)]


def test_a_submodule_is_named_and_not_followed(make_repository, corpus):
    inner, outer = make_repository("inner"), make_repository("outer")
    commit = inner.commit("Inner", {"secret_inside.py": "x = 1\n"})
    outer.commit("Outer", {"o.py": "o = 1\n"})
    outer.git("submodule", "--quiet", "add", str(inner.path), "libs/inner")
    outer.commit("Add the library", {"p.py": "p = 1\n"})
    found = corpus(outer.source(), held_out=0)
    rows = [row for row in found.rejected if row.reason == "submodule"]
    assert {row.path for row in rows} == {"libs/inner"}
    assert commit in {row.detail for row in rows}, "the tree says which commit it stands at"
    assert "secret_inside" not in repr((found.files, found.changes, found.rejected))
    assert set(found.texts("train")) == {"o.py", "p.py", ".gitmodules"}


def test_authors_are_those_of_the_mailmap_everywhere(make_repository, corpus):
    repository = make_repository()
    repository.commit("Add a number", {"x.py": "x = 1\n"}, author="bobby <bob@old.test>")
    repository.commit("Name Bob", {".mailmap": f"{BOB} <bob@old.test>\n"})
    repository.commit("Add another", {"y.py": "y = 1\n"}, author="bobby <bob@old.test>")
    rules = [{"type": "bot", "authors": ["old.test"]}]
    found = corpus(repository.source(), held_out=0.3, commit_rules=rules)
    assert {row.author for row in found.changes} == {BOB, "Ada Example <ada@corp.test>"}
    authors = {row.provenance.path: row.provenance.author for row in found.files}
    assert authors["x.py"] == authors["y.py"] == BOB
    edits = {
        edit.provenance.path: edit.provenance.author for c in found.changes for edit in c.edits
    }
    assert edits["x.py"] == edits["y.py"] == BOB
    assert len(found.changes) == 3, "the rule saw the name the mailmap gives"


def test_a_source_says_its_weight_licence_owner_and_cut(make_repository, corpus):
    repository = make_repository()
    first = repository.commit(
        "One", {"x.py": "x = 1\n", "mit.py": "# SPDX-License-Identifier: MIT\n"}
    )
    second = repository.commit("Two", {"x.py": "x = 2\n"})
    third = repository.commit("Three", {"y.py": "y = 1\n"})
    values = {"weight": 2.5, "license": "LicenseRef-Ours", "owner": "Team Blue", "name": "core"}
    found = corpus(repository.source(**values), held_out=0, held_out_commits=2)
    assert list(read_jsonl(found.out / "sources.jsonl", Source)) == [
        Source(
            "core", "git", 2.5, "LicenseRef-Ours", "Team Blue", tip=third, cut=first,
            cut_date="2024-01-01T00:00:00+00:00", num_held_out_commits=2,
        )
    ]  # fmt: skip
    licenses = {row.provenance.path: row.provenance.license for row in found.files}
    assert licenses == {"x.py": "LicenseRef-Ours", "mit.py": "MIT", "y.py": "LicenseRef-Ours"}
    (edit,) = next(row for row in found.changes if row.commit == second).edits
    assert edit.provenance.license == "LicenseRef-Ours"


def notebook(*sources, output="a long output"):
    cells = [
        {"cell_type": "code", "source": each, "metadata": {}, "outputs": [{"text": output}]}
        for each in sources
    ]
    metadata = {"kernelspec": {"language": "python", "name": "python3"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells})


def test_a_notebook_is_its_cells_and_what_changes_its_outputs_is_no_edit(make_repository, corpus):
    repository = make_repository()
    repository.commit(
        "Add a notebook", {"n.ipynb": notebook("x = 1", "y = 2"), "e.ipynb": notebook()}
    )
    repository.commit("Run it again", {"n.ipynb": notebook("x = 1", "y = 2", output="other")})
    repository.commit("Change a cell", {"n.ipynb": notebook("x = 1", "y = 3")})
    repository.commit("Break it", {"n.ipynb": "{}", "z.py": "z = 1\n"})
    found = corpus(repository.source(), held_out=0.4)
    (row,) = (row for row in found.files if row.split == "train")
    assert row.text == "# %%\nx = 1\n\n# %%\ny = 2\n"
    assert row.language == "python"
    assert row.provenance.blob == repository.git("rev-parse", "main~2:n.ipynb")
    edits = [(each.old, each.new) for each in found.changes[2].edits]
    assert edits == [(row.text, row.text.replace("2", "3"))]
    assert ("n.ipynb", "unchanged") in found.reasons
    assert ("n.ipynb", "not_a_notebook") in found.reasons
    assert ("e.ipynb", "empty") in found.reasons
    assert "output" not in repr((found.files, found.changes))


def test_the_language_rule_is_asked_of_the_cells_of_a_notebook(make_repository, corpus):
    repository = make_repository()
    repository.commit("Add both", {"n.ipynb": notebook("x = 1"), "x.rs": "fn f() {}\n"})
    rules = [{"type": "language", "allow": ["rust"]}]
    found = corpus(repository.source(), held_out=0, file_rules=rules)
    assert list(found.texts("train")) == ["x.rs"]
    assert ("n.ipynb", "language") in found.reasons


def test_a_repository_says_what_language_a_file_is(make_repository, corpus):
    repository = make_repository()
    files = {".gitattributes": "*.tpl linguist-language=PHP\n", "a.tpl": "<?php f();\n"}
    repository.commit("Add a template", files)
    found = corpus(repository.source(), held_out=0)
    assert {row.provenance.path: row.language for row in found.files}["a.tpl"] == "php"


def test_each_rule_for_commits_names_its_reason(make_repository, corpus):
    repository = make_repository()
    text = "".join(f"line_{number} = {number}\n" for number in range(30))
    repository.commit("Add six modules", {f"m{n}.py": f"{text}m = {n}\n" for n in range(6)})
    repository.commit("Update things", {"m0.py": text}, author="renovate[bot] <bot@corp.test>")
    repository.commit('Revert "Update things"', {"m0.py": text + "m = 0\n"})
    repository.commit("wip", {"m1.py": text})
    for number in range(1, 6):
        repository.git("mv", f"m{number}.py", f"moved_{number}.py")
    repository.commit("Move them all to other names")
    repository.commit(
        "Reformat the first module", {"m0.py": text.replace(" = ", "  =  ") + "m = 0\n"}
    )
    repository.commit("Change one thing", {"m0.py": text + "m = 1\n"})
    rules = [
        {"type": each} for each in ("bot", "revert", "message", "mass_rename", "formatting_only")
    ]
    found = corpus(repository.source(), held_out=0, commit_rules=rules)
    assert {row.commit: row.reason for row in found.rejected if not row.path} == {
        repository.git("rev-parse", f"main~{back}"): reason
        for back, reason in (
            (5, "bot"),
            (4, "revert"),
            (3, "message_length"),
            (2, "mass_rename"),
            (1, "formatting_only"),
        )
    }
    assert [row.subject for row in found.changes] == ["Add six modules", "Change one thing"]


def test_a_session_never_names_what_the_rules_leave_out(make_repository, corpus, canaries):
    repository = make_repository()
    shared = "def total_price(items):\n    return sum(items)\n"
    repository.commit(
        "Start with total_price",
        {
            "app/price.py": shared,
            "app/use.py": "from app.price import total_price\n\nprint(total_price([1]))\n",
            "vendor/price.py": shared,
            "app/price.min.js": "var total_price=1;\n",
            "outside/price.py": shared,
            "app/key.txt": f"total_price token = '{canaries['github']}'\n",
            "app/image.bin": b"total_price\0",
        },
    )
    repository.commit(
        "Let total_price take a discount",
        {"app/price.py": shared.replace("sum(items)", "sum(items) - 1")},
    )
    repository.commit("Count total_price twice", {"app/use.py": "print(2 * total_price([1]))\n"})
    found = corpus(repository.source(subpaths=("app",)), held_out=0.3, replay={"max_commits": 9})
    assert [(row.subject, row.split) for row in found.replays] == [
        ("Let total_price take a discount", "train"),
        ("Count total_price twice", "held_out"),
    ]
    shown = repr(found.replays)
    assert "app/use.py" in shown
    assert "REDACTED_GITHUB_PAT_1" in shown
    for hidden in ("vendor", "min.js", "outside", "image.bin", canaries["github"]):
        assert hidden not in shown
    for row in found.replays:
        assert {place.commit for place in row.provenance} == {row.commit}


def test_a_session_of_an_uncut_history_never_names_what_is_held_out(make_repository, corpus):
    repository = make_repository()
    repository.commit("Nothing yet")
    files = {f"m{number}.py": f"def shared_name():\n    return {number}\n" for number in range(40)}
    repository.commit("Add all", dict(files))
    trained = [name for name in files if split_by_file("app", name, 0.5) == "train"][:2]
    changed = {name: files[name].replace("return", "return 1 +") for name in trained}
    repository.commit("Make shared_name larger by one", dict(changed))
    # No commit leaves enough after it, so files are held out instead.
    found = corpus(repository.source(), held_out=0.5, replay={"max_commits": 9})
    (row,) = found.replays
    shown = {path for path in files if re.search(rf"\b{path}\b", repr(row.actions))}
    assert len(shown) > len(trained), "it searched, and found more than it changed"
    assert shown <= set(found.texts("train"))
    assert len(found.texts("held_out")) > 10


def test_no_more_sessions_are_kept_than_asked_for_and_the_latest_of_each_side(
    make_repository, corpus
):
    repository = make_repository()
    for letter in "abcdefghijkl":
        change = {"limits.py": f"limit = {letter}\n"}
        repository.commit(f"Let the limit in limits.py be {letter}", change)
    found = corpus(repository.source(), held_out=0.5, replay={"max_commits": 2})
    assert [(row.subject[-1], row.split) for row in found.replays] == [
        ("e", "train"),
        ("f", "train"),
        ("k", "held_out"),
        ("l", "held_out"),
    ]
    over = [row for row in found.rejected if row.reason == "over_replay_maximum"]
    assert len(over) == found.outcome.rejects["over_replay_maximum"] == 7
    assert found.outcome.counts["replays_train"] == found.outcome.counts["replays_held_out"] == 2
    assert found.outcome.rejects == dict(Counter(row.reason for row in found.rejected))


def test_a_message_of_megabytes_is_no_task(make_repository, corpus):
    repository = make_repository()
    repository.commit("Add a first file", {"x.py": "x = 1\n"})
    long = repository.commit("Let x be two\n\n" + "word " * 2_000_000, {"x.py": "x = 2\n"})
    name = "Ada " * 10_000
    repository.commit("Let x be three", {"x.py": "x = 3\n"}, author=f"{name}<ada@corp.test>")
    found = corpus(repository.source(), held_out=0)
    assert [(each.reason, each.commit) for each in found.rejected] == [("message_oversized", long)]
    assert max(len(each.author) for each in found.changes) == 1000
    assert [len(each.provenance.author) for each in found.files] == [1000]


def test_the_side_of_a_file_does_not_hang_on_how_a_secret_in_its_name_is_marked(
    make_repository, corpus, canaries
):
    repository = make_repository()
    token = canaries["github"][:-2]
    repository.commit("Add all", {f"{token}{n:02}.py": f"x = {n}\n" for n in range(30)})
    runs = [corpus(repository.source(), held_out=0.5, out=name) for name in ("one", "two")]
    sides = [(run.texts("train"), run.texts("held_out")) for run in runs]
    assert sides[0] == sides[1]
    assert all(len(side) > 5 for side in sides[0])
    edits = [{edit.new for edit in run.changes[0].edits} for run in runs]
    assert edits[0] == edits[1] == set(sides[0][0].values())

import json

import pytest

from devtune.data.filters.tombstones import Tombstone, Tombstones, hash_of
from devtune.data.sources.git import open_repository, resolve
from devtune.data.sources.identity import ids_of
from devtune.data.sources.taint import Taint, as_terms, find_taint, from_terms
from tests.hostile import Step, init, write_history
from tests.site import function, functions

SALT = b"0123456789abcdef" * 4
BOB, EVE = "Bob Builder <bob@corp.test>", "Eve Evening <eve@corp.test>"
HERS = functions("hers", "eve", range(3))


@pytest.fixture
def taint(make_repository):
    def find(maker, kind="author", value=b"eve@corp.test"):
        repository = open_repository(maker.path)
        tip = resolve(repository, None)
        ids = ids_of("app", repository, tip)
        value = b"name:app\0" + value if kind == "path" else value
        scope = hash_of("source", b"name:app", SALT) if kind == "path" else ""
        row = Tombstone(kind, hash_of(kind, value, SALT), scope, hash_of("site", b"", SALT), "")
        return find_taint(repository, tip, ids, Tombstones((row,), SALT))

    return find


def paths(found):
    return {path.decode() for path in found.since}


def test_a_path_is_tainted_from_its_author_on_and_not_before(make_repository, taint):
    maker = make_repository()
    first = maker.commit("Add it", {"a.py": function("a", "ada", 1)})
    hers = maker.commit("Change it", {"a.py": function("a", "eve", 1)}, author=EVE)
    last = maker.commit("Change it back", {"a.py": function("a", "ada", 1)})
    found = taint(maker)
    assert found.commits == {hers}
    assert [found.has_path(b"a.py", each) for each in (first, hers, last)] == [False, True, True]
    assert found.has_path(b"a.py", "0" * 40), "what is not in the history may be anything"
    assert not found.has_path(b"b.py", last)
    assert found.names == ("eve@corp.test", "eve evening")


@pytest.mark.parametrize(
    "moved",
    [
        {"e.py": None, "moved.py": HERS},
        {"e.py": None, "moved.py": HERS + "x = 1\n"},
        {"moved.py": HERS},
        {"moved.py": functions("own", "own", range(9)) + functions("hers", "eve", range(1))},
        {"e.py": None, "moved.py": functions("hers", "eve", range(1)), "other.py": "x = 1\n"},
    ],
    ids=["renamed", "renamed and changed", "copied", "pasted", "split"],
)  # fmt: skip
def test_others_carry_the_taint_on(make_repository, taint, moved):
    maker = make_repository()
    maker.commit("Begin", {"a.py": function("a", "ada", 1)})
    maker.commit("Add hers", {"e.py": HERS}, author=EVE)
    maker.commit("Move it", moved, author=BOB)
    assert paths(taint(maker)) == {"e.py", "moved.py"}


def test_what_others_wrote_first_is_not_hers_because_she_moved_it(make_repository, taint):
    maker = make_repository()
    text = functions("old", "ada", range(3))
    maker.commit("Add it", {"a.py": text})
    maker.commit("Move it", {"a.py": None, "b.py": text}, author=EVE)
    maker.commit("Paste it", {"c.py": function("c", "bob", 1) + "\n\n" + text}, author=BOB)
    assert paths(taint(maker)) == set()


def test_a_file_she_adds_to_is_hers_where_her_lines_are_pasted_and_not_where_others_are(
    make_repository, taint
):
    maker = make_repository()
    shared = functions("shared", "ada", range(3))
    maker.commit("Add it", {"a.py": shared})
    maker.commit("Add to it", {"a.py": shared + "\n\n" + HERS}, author=EVE)
    maker.commit("Paste the one", {"old.py": function("o", "bob", 1) + shared}, author=BOB)
    maker.commit("Paste the other", {"new.py": function("n", "bob", 1) + HERS}, author=BOB)
    assert paths(taint(maker)) == {"a.py", "new.py"}


def test_a_merge_may_move_and_settle_what_she_wrote(make_repository, taint):
    maker = make_repository()
    maker.commit("Begin", {"a.py": function("a", "ada", 1), "b.py": function("b", "ada", 2)})
    maker.git("switch", "-qc", "side")
    maker.commit("Add hers", {"old/e.py": HERS}, author=EVE)
    maker.git("switch", "-q", "main")
    maker.commit("Go on", {"b.py": function("b", "ada", 3)})
    maker.git("merge", "-q", "--no-ff", "--no-commit", "side")
    maker.git("mv", "old", "new")
    maker.commit("Merge the side")
    assert paths(taint(maker)) == {"old/e.py", "new/e.py"}


def test_of_a_merge_she_made_only_what_she_settled_is_hers(make_repository, taint):
    maker = make_repository()
    start = {"a.py": function("a", "ada", 1), "b.py": function("b", "ada", 2)}
    maker.commit("Begin", start)
    maker.git("switch", "-qc", "side")
    maker.commit("Change on the side", {"a.py": function("a", "bob", 5), "c.py": "x = 1\n"})
    maker.git("switch", "-q", "main")
    maker.commit("Change it here", {"b.py": function("b", "ada", 3)})
    maker.git("merge", "-q", "--no-ff", "--no-commit", "side", author=EVE)
    maker.commit("Merge the side", {"b.py": function("b", "eve", 3)}, author=EVE)
    found = taint(maker)
    # Each parent lacks what the other changed; that alone makes nothing hers.
    assert paths(found) == {"b.py"}


def test_a_mailmap_and_trailers_tell_who_wrote_it(make_repository, taint):
    maker = make_repository()
    names = "Eve Evening <eve@corp.test> <eve@home.test>\n"
    maker.commit("Begin", {".mailmap": names, "a.py": "x = 1\n"})
    maker.commit("Add one", {"one.py": function("one", "one", 1)}, author="E <eve@home.test>")
    trailer = "Add two\n\nTogether.\n\nCo-Authored-By: Eve <EVE@corp.test>\n"
    maker.commit(trailer, {"two.py": function("two", "two", 2)}, author=BOB)
    maker.commit("Add three", {"three.py": function("three", "three", 3)}, author=BOB)
    assert paths(taint(maker)) == {"one.py", "two.py"}


def test_a_revert_quotes_what_it_reverts(make_repository, taint):
    maker = make_repository()
    maker.commit("Begin", {"a.py": "x = 1\n"})
    hers = maker.commit("Say something only she says", {"e.py": HERS}, author=EVE)
    by_id = maker.commit(f"Undo it\n\nThis reverts commit {hers}.", {"e.py": None}, author=BOB)
    by_title = maker.commit('Reapply "Say something only she says"', {"e.py": HERS}, author=BOB)
    fixup = maker.commit("fixup! Say something only she says", {"b.py": "y = 1\n"}, author=BOB)
    squash = maker.commit(
        "Take all of it\n\n* Say something only she says\n* Another one", {"c.py": "z = 1\n"},
        author=BOB,
    )  # fmt: skip
    chance = maker.commit("Say something only she says", {"d.py": "v = 1\n"}, author=BOB)
    found = taint(maker)
    assert found.commits == {hers, by_id, by_title, fixup, squash}
    assert chance not in found.commits


def test_an_erased_path_is_followed_to_where_it_went(make_repository, taint):
    maker = make_repository()
    maker.commit("Begin", {"old/a.py": HERS, "b.py": function("b", "ada", 1)})
    maker.commit("Move it", {"old/a.py": None, "new.py": HERS}, author=BOB)
    found = taint(maker, "path", b"old")
    assert (paths(found), found.commits, found.names) == ({"old/a.py", "new.py"}, set(), ())


def test_a_commit_is_erased_with_what_it_wrote(make_repository, taint):
    maker = make_repository()
    maker.commit("Begin", {"a.py": function("a", "ada", 1)})
    wrong = maker.commit("Add it", {"b.py": HERS})
    maker.commit("Add another", {"c.py": function("c", "ada", 1)})
    found = taint(maker, "commit", wrong.encode())
    assert (paths(found), found.commits) == ({"b.py"}, {wrong})


def test_notebooks_are_compared_by_their_cells(make_repository, taint):
    maker = make_repository()
    cell = {"cell_type": "code", "outputs": [], "metadata": {}, "source": HERS.splitlines(True)}
    kernel = {"language_info": {"name": "python"}}
    notebook = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    maker.commit("Begin", {"a.py": "x = 1\n"})
    maker.commit("Add hers", {"e.ipynb": json.dumps(notebook)}, author=EVE)
    maker.commit("Paste it", {"b.py": function("b", "bob", 1) + "\n\n" + HERS}, author=BOB)
    assert paths(taint(maker)) == {"e.ipynb", "b.py"}


def test_without_a_match_nothing_is_tainted(make_repository, taint):
    maker = make_repository()
    maker.commit("Begin", {"a.py": "x = 1\n"})
    assert taint(maker) == Taint()
    assert taint(maker, "path", b"b.py").since == {}


def test_paths_that_are_no_text_are_tainted_as_well(tmp_path, taint):
    git_dir = init(tmp_path / "app")
    steps = [
        Step({(b"x.py",): (b"100644", b"x = 1\n")}),
        Step({(b"\xff.py",): (b"100644", HERS.encode())}, author=b"Eve <eve@corp.test>"),
    ]
    write_history(git_dir, steps)

    class Made:
        path = tmp_path / "app"

    assert set(taint(Made).since) == {b"\xff.py"}


def test_terms_give_back_what_units_need():
    known = Taint(frozenset(), {b"\xff/a": 3}, {"c": 3, "b": 2}, ("eve@corp.test",))
    again = from_terms(as_terms(known), {"c": 3})
    assert again.has_path(b"\xff/a", "c")
    assert again.names == known.names


def test_lines_that_name_an_erased_author_go():
    known = Taint(names=("eve@corp.test",))
    message = "It is better.\n\nReviewed-by: Eve <EVE@corp.test>\nReviewed-by: Bob <bob@corp.test>"
    assert known.without_names(message) == "It is better.\n\nReviewed-by: Bob <bob@corp.test>"
    assert Taint().without_names(message) == message

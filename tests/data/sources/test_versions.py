import json

import pytest

from devtune.data.sources.git import open_repository
from devtune.data.sources.history import read_tree
from devtune.data.sources.versions import UNKNOWN, Histories, Version, find_versions, unpacked
from tests.data.conftest import ADA

BOB = "Bob Example <bob@corp.test>"


def found_in(repository, *paths, **values):
    opened = open_repository(repository.path)
    tip = opened.ask("rev-parse", "HEAD")
    leaves = {leaf.path: leaf.blob for leaf in read_tree(opened, tip)}
    wanted = {path: leaves[path] for path in paths or leaves}
    return find_versions(opened, tip, wanted, **values)


def authors_of(found, path):
    return [found.authors[each.author] for each in found.versions[path]]


def test_versions_lead_back_through_renames_to_the_first(make_repository):
    repository = make_repository()
    long = "".join(f"{number}\n" for number in range(20))
    repository.commit("m", {"a.py": long})
    repository.commit("m", {"a.py": None, "b.py": long}, author=BOB)
    repository.commit("m", {"b.py": None, "c.py": f"{long}more\n"}, author=BOB)
    repository.commit("m", {"c.py": f"{long}most\n"})
    found = found_in(repository)
    # Who only moved it made no version.
    assert authors_of(found, b"c.py") == [ADA, BOB, ADA]
    assert [each.before for each in found.versions[b"c.py"]] == [(1,), (2,), ()]


def test_two_files_that_change_places_keep_their_own_versions(make_repository):
    repository = make_repository()
    first, second = ("".join(f"{x}{n}\n" for n in range(20)) for x in "ab")
    repository.commit("m", {"a.py": first})
    repository.commit("m", {"b.py": second}, author=BOB)
    repository.commit("m", {"a.py": None, "b.py": None, "c.py": first, "d.py": second})
    found = found_in(repository)
    assert authors_of(found, b"c.py") == [ADA]
    assert authors_of(found, b"d.py") == [BOB]


def test_a_version_of_a_merge_was_made_from_those_of_both_sides(make_repository):
    repository = make_repository()
    repository.commit("m", {"a.py": "1\n2\n3\n4\n5\n"})
    repository.git("checkout", "-q", "-b", "side")
    repository.commit("m", {"a.py": "one\n2\n3\n4\n5\n"}, author=BOB)
    repository.git("checkout", "-q", "main")
    repository.commit("m", {"a.py": "1\n2\n3\n4\nfive\n"})
    repository.git("merge", "-q", "-m", "merge", "side", author="Mia <mia@corp.test>")
    (versions,) = found_in(repository).versions.values()
    assert len(versions) == 4
    assert versions[0].before == (2, 1) or versions[0].before == (1, 2)
    assert {each.before for each in versions[1:]} == {(3,), ()}


def test_of_a_file_with_too_many_versions_the_oldest_are_nobodys(make_repository, monkeypatch):
    monkeypatch.setattr("devtune.data.sources.versions.MAX_VERSIONS", 2)
    repository = make_repository()
    for number in range(4):
        repository.commit("m", {"a.py": f"{number}\n"})
    (versions,) = found_in(repository).versions.values()
    assert [each.author for each in versions] == [0, 0]
    assert versions[-1].before == ()


def test_what_a_submodule_was_before_is_no_version(make_repository):
    repository = make_repository()
    inner = make_repository("inner")
    inner.commit("m", {"x.py": "x\n"})
    repository.commit("m", {"b.py": "b\n"})
    repository.git("submodule", "add", "-q", str(inner.path), "a")
    repository.commit("add")
    repository.git("rm", "-q", "a")
    repository.commit("m", {"a": "now a file\n"})
    (version,) = found_in(repository, b"a").versions[b"a"]
    assert version.before == ()


def test_only_the_parts_of_a_monorepo_that_are_read_are_looked_into(make_repository):
    repository = make_repository()
    repository.commit("m", {"a/x.py": "x\n" * 20, "b/y.py": "y\n"})
    repository.commit("m", {"a/x.py": None, "b/x.py": "x\n" * 20}, author=BOB)
    found = found_in(repository, b"b/x.py", subpaths=("b",))
    assert authors_of(found, b"b/x.py") == [BOB]


def test_the_log_is_cut_where_files_too_large_to_compare_are_moved(make_repository, monkeypatch):
    monkeypatch.setattr("devtune.data.sources.sizes.MAX_COMPARED_BYTES", 100)
    repository = make_repository()
    long = "".join(f"{number}\n" for number in range(90))
    repository.commit("m", {"a.py": long})
    repository.commit("m", {"a.py": None, "b.py": f"{long}more\n"}, author=BOB)
    assert authors_of(found_in(repository), b"b.py") == [BOB]


def test_versions_are_the_same_after_a_journey_as_json():
    versions = (Version(3, "a", (1, 2)), Version(UNKNOWN, "b", ()), Version(1, "c", ()))
    histories = Histories({b"x": versions, b"y": versions[1:2]}, list("efghi"))
    packed = json.loads(json.dumps(histories.packed([b"x", b"none", b"y"])))
    assert packed["authors"] == ["h", "f"]
    found, nothing, other = map(unpacked, packed["versions"])
    assert found == (Version(0, "a", (1, 2)), Version(UNKNOWN, "b", ()), Version(1, "c", ()))
    assert nothing == ()
    assert other == versions[1:2]


def test_nothing_is_looked_for_where_nothing_is_asked(make_repository):
    repository = make_repository()
    repository.commit("m", {"a.py": "a\n"})
    opened = open_repository(repository.path)
    assert find_versions(opened, "no such commit", {}).versions == {}


@pytest.mark.parametrize("path", [b"\xff.py", b'a "b".py', b"a\nb.py"])
def test_paths_are_taken_as_they_are(path, make_repository):
    repository = make_repository()
    repository.commit("m", {path: "a\n"})
    repository.commit("m", {path: "b\n"}, author=BOB)
    assert authors_of(found_in(repository), path) == [BOB, ADA]

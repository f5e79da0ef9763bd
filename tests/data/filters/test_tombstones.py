import json
import stat
import threading

import pytest

from devtune.data.filters.tombstones import (
    Tombstone,
    Tombstones,
    add_tombstones,
    hash_of,
    identities_of,
    read_tombstones,
)
from devtune.errors import DevtuneError, RecipeError

SALT = b"0123456789abcdef" * 4
IDS = ("name:app", "root:" + "a" * 40)


def row(kind, value, scope="", salt=SALT):
    where = scope and hash_of("source", scope.encode(), salt)
    site = hash_of("site", b"", salt)
    return Tombstone(kind, hash_of(kind, value.encode(), salt), where, site, "2026-01-01")


@pytest.fixture
def salt_file(tmp_path):
    file = tmp_path / "salt"
    file.write_bytes(SALT)
    file.chmod(0o600)
    return file


def refused(call, *arguments, kind=RecipeError):
    with pytest.raises(kind) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("author", "known_by"),
    [
        ("Eve Example <Eve@Corp.Test>", ("eve@corp.test",)),
        ("Eve <12+eve@users.noreply.github.com>", ("12+eve@users.noreply.github.com", "eve")),
        ("Eve <eve@users.noreply.forge.test>", ("eve@users.noreply.forge.test", "eve")),
        ("Eve Example <>", ("eve example",)),
        ("Eve", ("eve",)),
        ("eve@corp.test", ("eve@corp.test",)),
        ("", ()),
        ("<>", ()),
    ],
)
def test_an_author_is_known_by_an_address_a_login_or_a_name(author, known_by):
    assert identities_of(author) == known_by


def test_what_was_erased_is_known_and_nothing_else():
    commit = "c" * 40
    rows = (row("author", "eve@corp.test"), row("commit", commit), row("repo", IDS[1]))
    found = Tombstones(rows, SALT)
    assert found.has_author("Eve Other <EVE@corp.test>")
    assert not found.has_author("Eve Example <bob@corp.test>")
    assert found.has_commit(commit)
    assert not found.has_commit("d" * 40)
    assert found.has_source(IDS)
    assert not found.has_source(IDS[:1])
    assert not Tombstones(rows, SALT[::-1]).has_author("eve@corp.test")
    assert not Tombstones().has_author("eve@corp.test")


def test_a_directory_is_erased_with_all_that_is_below_it():
    found = Tombstones((row("path", "name:app\0src/old", "name:app"),), SALT)
    is_erased = found.paths(IDS)
    paths = (b"src/old", b"src/old/a/b.py", b"src/older", b"src", b"old/a.py")
    assert [is_erased(path) for path in paths] == [True, True, False, False, False]
    assert not found.paths(("name:other",))(b"src/old")
    assert (found.has_path_in(IDS), found.has_path_in(("name:other",))) == (True, False)


def test_only_tombstones_that_concern_a_source_change_its_fingerprint():
    path, author = row("path", "name:app\0x", "name:app"), row("author", "eve@corp.test")
    commit = row("commit", "c" * 40)
    found = Tombstones((path, author, commit), SALT)
    assert found.concerning(("name:lib",), ("Bob <bob@corp.test>",), ("d" * 40,)) == []
    assert found.concerning(IDS, (), ()) == [path.key]
    assert found.concerning(("name:lib",), ("Eve <eve@corp.test>",), ()) == [author.key]
    assert found.concerning(("name:lib",), (), ("c" * 40,)) == [commit.key]


def test_rows_are_added_once_and_only_their_owner_reads_them(tmp_path):
    file = tmp_path / "site" / "tombstones.jsonl"
    one, two = row("author", "eve"), row("commit", "c" * 40)
    assert add_tombstones(file, [one, one]) == [one]
    assert add_tombstones(file, [one, two]) == [two]
    assert read_tombstones(file) == (one, two)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    assert {"eve", "c" * 40}.isdisjoint(file.read_text(encoding="utf-8").replace('"', " ").split())


def test_what_several_add_at_once_is_all_kept(tmp_path):
    file = tmp_path / "tombstones.jsonl"
    rows = [row("author", f"eve{number}") for number in range(20)]
    threads = [threading.Thread(target=add_tombstones, args=(file, [each])) for each in rows]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert set(read_tombstones(file)) == set(rows)


def test_a_file_that_is_not_there_is_empty(tmp_path, salt_file):
    assert not Tombstones.load(tmp_path / "none", salt_file)
    assert not Tombstones.load(None, None)


def test_tombstones_without_a_salt_are_refused(tmp_path):
    assert refused(Tombstones.load, tmp_path / "none", None) == (
        "collect.tombstones: they are keyed by the salt of the site, and there is none; set"
        " collect.salt"
    )


def test_another_salt_is_refused_instead_of_forgetting_what_was_erased(tmp_path, salt_file):
    file = tmp_path / "tombstones.jsonl"
    add_tombstones(file, [row("author", "eve", salt=SALT[::-1])])
    assert refused(Tombstones.load, file, salt_file) == (
        f"{file}: written under another salt than {salt_file}, so what was erased would come back;"
        " restore the salt"
    )


@pytest.mark.parametrize("damage", ["[]", json.dumps({"kind": "author"}), "\0"])
def test_a_damaged_row_is_refused_instead_of_forgotten(tmp_path, salt_file, damage):
    file = tmp_path / "tombstones.jsonl"
    file.write_text(damage + "\n", encoding="utf-8")
    assert refused(Tombstones.load, file, salt_file) == (
        f"{file}:1: no tombstone, so what was erased could come back; restore the file"
    )
    assert "no tombstone" in refused(add_tombstones, file, [row("author", "eve")])


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    file = tmp_path / "file" / "site" / "tombstones.jsonl"
    assert "set another path" in refused(add_tombstones, file, [row("author", "eve")],
                                         kind=DevtuneError)  # fmt: skip

import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path

import pytest

from devtune.data.collect import identify
from devtune.data.sources import directory_source
from devtune.jsonl import read_jsonl
from devtune.records import Source


def directory(path, **values):
    return {"type": "directory", "path": path, **values}


def test_a_directory_is_walked_in_order_without_following_links(tmp_path, corpus):
    root = tmp_path / "plain"
    for name in ("b/x.py", "a.py", "b.py", ".git/config", "b/__pycache__/x.pyc"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x = 1\n")
    (root / "b" / "up").symlink_to("..")
    (root / "secret").symlink_to("/etc/passwd")
    os.mkfifo(root / "pipe")
    (root / os.fsdecode(b"caf\xe9.py")).write_text("x = 1\n")
    found = corpus(directory(root, name="tools"), held_out=0)
    assert list(found.texts("train")) == ["a.py", "b.py", "b/x.py"]
    assert found.reasons == {
        ("b/up", "symlink"),
        ("secret", "symlink"),
        ("pipe", "special_file"),
        ("caf\\xe9.py", "path_not_utf8"),
    }
    place = found.files[0].provenance
    assert place.source == "tools"
    assert (place.commit, place.author, place.date) == ("", "", "")
    assert place.blob == hashlib.sha1(b"blob 6\0x = 1\n").hexdigest()
    assert found.changes == []


def test_a_directory_is_split_by_file(tmp_path, corpus):
    root = tmp_path / "plain"
    root.mkdir()
    for number in range(200):
        (root / f"m{number}.py").write_text("x = 1\n")
    found = corpus(directory(root), held_out=0.25)
    assert 30 < len(found.texts("held_out")) < 70
    assert len(found.texts("held_out")) + len(found.texts("train")) == 200


def test_large_files_of_a_directory_are_not_read_whole(tmp_path, corpus):
    root = tmp_path / "plain"
    root.mkdir()
    (root / "x.py").write_text("x = 1\n")
    with (root / "sparse.py").open("wb") as file:
        file.truncate(1 << 40)
    assert corpus(directory(root), held_out=0).reasons == {("sparse.py", "oversized")}


def test_what_cannot_be_read_is_rejected(corpus):
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as out:
        root = Path(name)
        root.chmod(0o755)
        (root / "open.py").write_text("x = 1\n")
        (root / "shut").mkdir()
        (root / "closed.py").write_text("x = 1\n")
        (root / "closed.py").chmod(0)
        (root / "shut").chmod(0)
        corpus(
            directory(root), held_out=0, out="warm"
        )  # what is loaded lazily must be loaded as the owner
        user = os.geteuid()
        Path(out).chmod(0o777)
        try:
            os.seteuid(65534 if user == 0 else user)
            found = corpus(directory(root), held_out=0, out=out)
        finally:
            os.seteuid(user)
            (root / "shut").chmod(0o755)
    assert found.reasons == {("closed.py", "unreadable"), ("shut", "unreadable")}
    assert list(found.texts("train")) == ["open.py"]


def test_a_package_is_located_and_not_imported(tmp_path, corpus, monkeypatch):
    (tmp_path / "site" / "pkg" / "inner").mkdir(parents=True)
    (tmp_path / "site" / "pkg" / "__init__.py").write_text("raise SystemExit('imported')\n")
    (tmp_path / "site" / "pkg" / "inner" / "x.py").write_text("x = 1\n")
    (tmp_path / "site" / "pkg-2.1.dist-info").mkdir()
    (tmp_path / "site" / "pkg-2.1.dist-info" / "METADATA").write_text("Name: pkg\nVersion: 2.1\n")
    (tmp_path / "site" / "single.py").write_text("s = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    packages = ({"type": "package", "name": "pkg"}, {"type": "package", "name": "single"})
    found = corpus(*packages, held_out=0)
    rows = [(row.provenance.source, row.provenance.path) for row in found.files]
    assert rows == [("pkg", "__init__.py"), ("pkg", "inner/x.py"), ("single", "single.py")]
    assert [row.provenance.commit for row in found.files] == ["2.1", "2.1", ""]
    assert "pkg" not in sys.modules


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("nosuchpackage", "nosuchpackage: no such package is installed beside devtune;"),
        ("sys", "sys: built into Python, it has no source files; name another one"),
        ("json.decoder", "json.decoder: not a top-level package; name 'json' instead"),
    ],
)
def test_a_package_that_cannot_be_read(section, name, complaint, collect_fails):
    assert collect_fails(section({"type": "package", "name": name})).startswith(complaint)


def test_a_directory_that_is_wrong_is_one_line(section, tmp_path, collect_fails):
    gone, file, empty = tmp_path / "gone", tmp_path / "file", tmp_path / "empty"
    file.write_text("x")
    empty.mkdir()
    assert collect_fails(section(directory(gone))) == (
        f"{gone}: no such directory; correct `path` of the source"
    )
    assert collect_fails(section(directory(file))) == (
        f"{file}: a file, not a directory; correct `path` of the source"
    )
    assert collect_fails(section(directory(empty))) == (
        f"{empty}: no files in it; correct `path` of the source"
    )


def test_the_identity_of_a_directory_follows_its_content(section, tmp_path):
    root = tmp_path / "plain"
    root.mkdir()
    (root / "x.py").write_text("x = 1\n")
    before = identify(section(directory(root)))
    os.utime(root / "x.py", (0, 0))
    assert identify(section(directory(root))) == before
    (root / "x.py").write_text("x = 2\n")
    assert identify(section(directory(root))) != before


def test_a_directory_says_its_weight_licence_and_owner(tmp_path, corpus):
    root = tmp_path / "plain"
    (root / "lib").mkdir(parents=True)
    (root / "x.py").write_text("x = 1\n")
    (root / "lib" / "package.json").write_text('{"license": "Apache-2.0"}')
    (root / "lib" / "y.js").write_text("y = 1\n")
    values = {"weight": 0.5, "license": "LicenseRef-Ours", "owner": "Ada", "name": "tools"}
    found = corpus(directory(root, **values), held_out=0)
    assert list(read_jsonl(found.out / "sources.jsonl", Source)) == [
        Source("tools", "directory", 0.5, "LicenseRef-Ours", "Ada")
    ]
    licenses = {row.provenance.path: row.provenance.license for row in found.files}
    assert licenses["x.py"] == "LicenseRef-Ours"
    assert licenses["lib/y.js"] == "Apache-2.0"


def test_attributes_and_notebooks_of_a_directory_are_read_as_those_of_a_repository(
    tmp_path, corpus
):
    root = tmp_path / "plain"
    root.mkdir()
    (root / ".gitattributes").write_text(
        "made.py linguist-generated\n*.inc linguist-language=PHP\n"
    )
    (root / "made.py").write_text("x = 1\n")
    (root / "a.inc").write_text("<?php f();\n")
    cell = {"cell_type": "code", "source": "x = 1", "outputs": [{"text": "long"}]}
    (root / "n.ipynb").write_text(json.dumps({"nbformat": 4, "metadata": {}, "cells": [cell]}))
    found = corpus(directory(root), held_out=0, file_rules=[{"type": "linguist"}])
    assert ("made.py", "linguist_generated") in found.reasons
    assert {
        row.provenance.path: (row.language, row.text) for row in found.files if row.language
    } == {
        "a.inc": ("php", "<?php f();\n"),
        "n.ipynb": ("python", "# %%\nx = 1\n"),
    }


def test_units_of_any_size_give_the_same_rows(tmp_path, corpus, monkeypatch):
    root = tmp_path / "plain"
    root.mkdir()
    for number in range(10):
        (root / f"m{number}.py").write_text(f"x = {number}\n" if number % 4 else "")
    one = corpus(directory(root), held_out=0.3, out="one")
    monkeypatch.setattr(directory_source, "FILES_PER_UNIT", 3)
    many = corpus(directory(root), held_out=0.3, out="many")
    assert (one.files, one.rejected) == (many.files, many.rejected)
    assert len(many.files) == 7

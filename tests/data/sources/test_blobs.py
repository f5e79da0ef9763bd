import pytest

from devtune.data.sources.blobs import Blobs
from devtune.data.sources.git import open_repository, resolve
from devtune.errors import DevtuneError


def test_blobs_are_read_exactly_and_sized_without_reading(make_repository):
    repository = make_repository()
    files = {"crlf.py": b"a\r\nb\r\n", "empty": b"", "big": b"\0\n" * 5_000_000, "b": b"\xff"}
    repository.commit("One", files)
    opened = open_repository(repository.path)
    with Blobs(opened) as blobs:
        for name, content in files.items():
            blob = repository.git("rev-parse", f"HEAD:{name}")
            assert blobs.size(blob) == len(content)
            assert blobs.read(blob) == content


@pytest.mark.parametrize("damage", ["truncated", "missing", "garbage"])
def test_a_damaged_blob(make_repository, damage, is_damaged):
    repository = make_repository()
    commit = repository.commit("Add x", {"x.py": "x = 1\n" * 1000, "y.py": "y = 1\n"})
    blob = repository.git("rev-parse", "HEAD:x.py")
    repository.spoil(blob, damage)
    opened = open_repository(repository.path)
    with Blobs(opened) as blobs, pytest.raises(DevtuneError) as caught:
        blobs.read(blob)
    assert is_damaged(caught.value, repository.path)
    assert resolve(opened, None) == commit


def test_a_blob_that_is_not_what_its_name_says(make_repository, is_damaged):
    repository = make_repository()
    repository.commit("Add x", {"x.py": "x = 1\n", "y.py": "y = 1\n"})
    x, y = (repository.git("rev-parse", f"HEAD:{each}.py") for each in "xy")
    objects = repository.path / ".git" / "objects"
    file = objects / x[:2] / x[2:]
    file.chmod(0o644)
    file.write_bytes((objects / y[:2] / y[2:]).read_bytes())
    with Blobs(open_repository(repository.path)) as blobs, pytest.raises(DevtuneError) as caught:
        blobs.read(x)
    assert is_damaged(caught.value, repository.path)
    assert f"object {x} holds something else" in str(caught.value)


@pytest.mark.parametrize("name", ["HEAD", "HEAD^{tree}"])
def test_what_is_no_blob_is_not_read_as_one(make_repository, is_damaged, name):
    repository = make_repository()
    repository.commit("Add x", {"x.py": "x = 1\n"})
    other = repository.git("rev-parse", name)
    with Blobs(open_repository(repository.path)) as blobs, pytest.raises(DevtuneError) as caught:
        blobs.size(other)
    assert is_damaged(caught.value, repository.path)
    assert f"object {other} is no file content" in str(caught.value)


def test_a_damaged_pack(make_repository, is_damaged):
    repository = make_repository()
    repository.commit("One", {"x.py": "".join(f"x = {n}\n" for n in range(9999))})
    repository.git("repack", "-adq")
    pack = next((repository.path / ".git" / "objects" / "pack").glob("*.pack"))
    content = bytearray(pack.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 40] = b"\0" * 40
    pack.chmod(0o644)
    pack.write_bytes(content)
    opened = open_repository(repository.path)
    blob = repository.git("rev-parse", "HEAD:x.py")
    with Blobs(opened) as blobs, pytest.raises(DevtuneError) as caught:
        blobs.read(blob)
    assert is_damaged(caught.value, repository.path)


def test_missing_objects_of_a_partial_clone_are_not_fetched(make_repository, tmp_path, is_damaged):
    repository = make_repository()
    repository.commit("One", {"x.py": "x = 1\n"})
    repository.git("config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial"
    url = f"file://{repository.path}"
    repository.git("clone", "-q", "--no-checkout", "--filter=blob:none", url, str(partial))
    blob = repository.git("rev-parse", "HEAD:x.py")
    canary, script = tmp_path / "canary", tmp_path / "trap.sh"
    script.write_text(f'#!/bin/sh\ntouch {canary}\nexec git-upload-pack "$@"\n')
    script.chmod(0o755)
    config = partial / ".git" / "config"
    config.write_text(config.read_text() + f'[remote "origin"]\n\tuploadpack = {script}\n')
    opened = open_repository(partial)
    with Blobs(opened) as blobs, pytest.raises(DevtuneError) as caught:
        blobs.size(blob)
    assert is_damaged(caught.value, partial)
    packs = list((partial / ".git" / "objects" / "pack").glob("*.pack"))
    assert len(packs) == 1
    assert not canary.exists()
    repository.num_commits += 1
    repository.git("-C", str(partial), "cat-file", "-p", blob)
    assert canary.exists(), "the trap works when git is used as usual"

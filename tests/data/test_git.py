import os
import shutil
from pathlib import Path

import pytest

from devtune.data.blobs import Blobs
from devtune.data.git import open_repository, resolve
from devtune.data.history import (
    find_last_changes,
    list_commits,
    read_commits,
    read_tree,
)
from devtune.errors import DevtuneError

BOB = "Bob Example <bob@corp.test>"


def fails_with(path: Path, ref: str | None = None) -> str:
    with pytest.raises(DevtuneError) as caught:
        resolve(open_repository(path), ref)
    message = str(caught.value)
    assert "\n" not in message
    return message


def loose_object(repository: Path, object_id: str) -> Path:
    return repository / ".git" / "objects" / object_id[:2] / object_id[2:]


# --- what is wrong is one line ------------------------------------------------------------------


def test_a_path_that_is_not_there(tmp_path):
    where = tmp_path / "gone"
    assert fails_with(where) == f"{where}: no such directory; correct `path` of the source"


def test_a_path_that_is_a_file(tmp_path):
    where = tmp_path / "file"
    where.write_text("x")
    assert fails_with(where) == (f"{where}: a file, not a repository; correct `path` of the source")


def test_a_directory_that_is_no_repository(tmp_path):
    assert fails_with(tmp_path) == (
        f"{tmp_path}: not the top of a git repository; give its top directory, or use"
        " type: directory"
    )


def test_a_folder_inside_a_repository_is_not_taken_for_the_whole(make_repository):
    repository = make_repository()
    repository.commit("Add x", {"folder/x.py": "x = 1\n"})
    assert "not the top of a git repository" in fails_with(repository.path / "folder")


def test_a_repository_without_commits(make_repository):
    repository = make_repository()
    message = f"{repository.path}: no commits yet; commit something, or use type: directory"
    assert fails_with(repository.path) == message
    assert fails_with(repository.path, "HEAD") == message


def test_an_unborn_branch_beside_others(make_repository):
    repository = make_repository()
    commit = repository.commit("Add x", {"x.py": "x = 1\n"})
    repository.git("switch", "-q", "--orphan", "new")
    assert fails_with(repository.path) == (
        f"{repository.path}: the checked-out branch has no commits yet; name a `ref:`"
    )
    assert resolve(open_repository(repository.path), "main") == commit


@pytest.mark.parametrize("ref", ["nope", "--all", "main..main", "HEAD:x.py", ""])
def test_an_unknown_ref(make_repository, ref):
    repository = make_repository()
    repository.commit("Add x", {"x.py": "x = 1\n"})
    if ref == "":
        assert resolve(open_repository(repository.path), ref)
        return
    assert fails_with(repository.path, ref) == (
        f"{repository.path}: no branch, tag or commit is called {ref!r};"
        " correct `ref` of the source"
    )


def test_a_shallow_clone(make_repository, tmp_path):
    repository = make_repository()
    repository.commit("One", {"x.py": "x = 1\n"})
    repository.commit("Two", {"x.py": "x = 2\n"})
    shallow = tmp_path / "shallow"
    repository.git("clone", "-q", "--depth=1", f"file://{repository.path}", str(shallow))
    assert fails_with(shallow) == (
        f"{shallow}: a shallow clone, its history is cut; run `git fetch --unshallow` there"
    )


def test_a_detached_head_needs_a_ref(make_repository):
    repository = make_repository()
    commit = repository.commit("Add x", {"x.py": "x = 1\n"})
    repository.git("checkout", "-q", "--detach")
    assert fails_with(repository.path) == (
        f"{repository.path}: HEAD is detached, no branch is checked out;"
        " name what to read with `ref: HEAD` or a branch"
    )
    assert resolve(open_repository(repository.path), "HEAD") == commit


def test_a_repository_of_another_user(make_repository, tmp_path, monkeypatch):
    if os.getuid() != 0:
        pytest.skip("only root can give a directory away")
    repository = make_repository()
    commit = repository.commit("Add x", {"x.py": "x = 1\n"})
    for place in (repository.path, repository.path / ".git"):
        os.chown(place, 12345, 12345)
    assert fails_with(repository.path) == (
        f"{repository.path}: owned by another user, so git refuses it; run as its owner, or"
        f" declare it: git config --global --add safe.directory {repository.path}"
    )
    settings = tmp_path / "gitconfig"
    settings.write_text(f"[safe]\n\tdirectory = {repository.path}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    assert resolve(open_repository(repository.path), None) == commit


def test_git_not_installed(make_repository, tmp_path, monkeypatch):
    repository = make_repository()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert fails_with(repository.path) == (
        "git: not found on PATH; install git, or add its directory to PATH"
    )


def test_a_damaged_configuration(make_repository):
    repository = make_repository()
    (repository.path / ".git" / "config").write_text("[core\n")
    message = fails_with(repository.path)
    assert message.startswith(f"{repository.path}: git cannot read it (bad config line 1")


@pytest.mark.parametrize("damage", ["truncated", "missing", "garbage"])
def test_a_damaged_blob(make_repository, damage):
    repository = make_repository()
    commit = repository.commit("Add x", {"x.py": "x = 1\n" * 1000, "y.py": "y = 1\n"})
    blob = repository.git("rev-parse", "HEAD:x.py")
    spoil(loose_object(repository.path, blob), damage)
    opened = open_repository(repository.path)
    with Blobs(opened) as blobs, pytest.raises(DevtuneError) as caught:
        blobs.read(blob)
    assert_damaged(caught.value, repository.path)
    assert resolve(opened, None) == commit


@pytest.mark.parametrize("damage", ["truncated", "missing", "garbage"])
def test_a_damaged_commit_at_the_tip(make_repository, damage):
    repository = make_repository()
    commit = repository.commit("Add x", {"x.py": "x = 1\n"})
    spoil(loose_object(repository.path, commit), damage)
    assert "damaged or incomplete (" in fails_with(repository.path)


@pytest.mark.parametrize("damage", ["truncated", "missing", "garbage"])
@pytest.mark.parametrize("what", ["{first}", "{first}^{{tree}}"])
def test_a_damaged_commit_or_tree_in_the_history(make_repository, damage, what):
    repository = make_repository()
    first = repository.commit("One", {"x.py": "x = 1\n"})
    tip = repository.commit("Two", {"x.py": "x = 2\n"})
    spoil(
        loose_object(repository.path, repository.git("rev-parse", what.format(first=first))), damage
    )
    opened = open_repository(repository.path)
    with pytest.raises(DevtuneError) as caught:
        list(read_commits(opened, tip))
    assert_damaged(caught.value, repository.path)


def test_a_damaged_pack(make_repository):
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
    assert_damaged(caught.value, repository.path)


def spoil(file: Path, damage: str) -> None:
    content = file.read_bytes()
    file.chmod(0o644)
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(content[: len(content) // 2] if damage == "truncated" else b"garbage")


def assert_damaged(error: DevtuneError, where: Path) -> None:
    message = str(error)
    assert message.startswith(f"{where}: damaged or incomplete (")
    assert message.endswith("run `git fsck` there and restore it from a good clone")
    assert "\n" not in message


# --- what is right is read ----------------------------------------------------------------------


def test_refs_of_every_kind_name_a_commit(make_repository):
    repository = make_repository()
    first = repository.commit("One", {"x.py": "x = 1\n"})
    repository.git("tag", "-a", "v1", "-m", "v1")
    second = repository.commit("Two", {"x.py": "x = 2\n"})
    opened = open_repository(repository.path)
    refs = {"main": second, "HEAD": second, "v1": first, first: first, first[:10]: first}
    assert {ref: resolve(opened, ref) for ref in refs} == refs
    assert resolve(opened, None) == second


def test_bare_repositories_worktrees_and_submodules_are_repositories(make_repository, tmp_path):
    repository = make_repository()
    commit = repository.commit("One", {"x.py": "x = 1\n"})
    bare, tree, outer = tmp_path / "app.git", tmp_path / "tree", make_repository("outer")
    repository.git("clone", "-q", "--bare", str(repository.path), str(bare))
    repository.git("worktree", "add", "-q", "-b", "other", str(tree))
    outer.git("submodule", "--quiet", "add", str(repository.path), "inner")
    for path in (bare, tree, outer.path / "inner", repository.path / ".git"):
        opened = open_repository(path)
        assert resolve(opened, None) == commit
        assert [leaf.path for leaf in read_tree(opened, commit)] == [b"x.py"]
        assert [each.subject for each in read_commits(opened, commit)] == ["One"]


def test_history_is_first_parent_oldest_first_without_merges(make_repository):
    repository = make_repository()
    repository.commit("One", {"x.py": "x = 1\n"})
    repository.git("switch", "-qc", "side")
    repository.commit("Side", {"side.py": "s = 1\n"}, author=BOB)
    repository.git("switch", "-q", "main")
    repository.commit("Two", {"x.py": "x = 2\n"})
    repository.git("merge", "-q", "--no-ff", "-m", "Merge side", "side")
    tip = repository.commit("Three", {"x.py": "x = 3\n"})
    opened = open_repository(repository.path)
    commits = list(read_commits(opened, tip))
    assert [each.subject for each in commits] == ["One", "Two", "Three"]
    assert [each.id for each in commits] == list_commits(opened, tip)
    assert len(list_commits(opened, tip, merges=True)) == 1
    wanted = {leaf.path: leaf.blob for leaf in read_tree(opened, tip)}
    last = find_last_changes(opened, tip, wanted)
    assert last[b"side.py"].author == BOB
    assert last[b"x.py"].id == tip


def test_a_commit_has_its_message_date_and_author_through_mailmap(make_repository):
    repository = make_repository()
    old = "bobby <bob@old.test>"
    repository.commit("One", {"x.py": "x = 1\n", ".mailmap": f"{BOB} <bob@old.test>\n"})
    tip = repository.commit("Fix the x\n\nIt was\nwrong.\n", {"x.py": "x = 2\n"}, author=old)
    (repository.path / ".mailmap").write_text("Mallory <m@evil.test> <bob@old.test>\n")
    commit = list(read_commits(open_repository(repository.path), tip))[-1]
    assert (commit.subject, commit.body) == ("Fix the x", "It was\nwrong.")
    assert commit.date == "2024-01-01T00:01:00+00:00"
    assert commit.author == BOB, "the committed .mailmap counts, not the one lying around"


def test_renames_deletions_and_modes_are_seen(make_repository):
    repository = make_repository()
    text = "".join(f"line {number}\n" for number in range(50))
    repository.commit("One", {"a.py": text, "b.py": "b = 1\n"})
    repository.write({"a.py": None, "b.py": None, "c.py": text + "more\n"})
    (repository.path / "link").symlink_to("c.py")
    tip = repository.commit("Two")
    entries = {each.path: each for each in list(read_commits_of(repository, tip))[-1].entries}
    assert entries[b"c.py"].old_path == b"a.py"
    assert entries[b"b.py"].mode == "000000"
    assert entries[b"link"].mode == "120000"


def test_odd_paths_messages_and_encodings_survive(make_repository):
    repository = make_repository()
    repository.commit("One", {b"caf\xe9.py": "x = 1\n", "new\nline :x.py": "y = 1\n"})
    repository.commit(":100644 \x01\n\n:000000 100644 fake\n", {"tab\t.py": "z = 1\n"})
    repository.git("config", "i18n.commitEncoding", "ISO-8859-1")
    tip = repository.commit("Ünïcode".encode("latin-1"))
    commits = list(read_commits_of(repository, tip))
    assert [entry.path for entry in commits[0].entries] == [b"caf\xe9.py", b"new\nline :x.py"]
    assert commits[1].subject == ":100644 \x01"
    assert commits[1].body == ":000000 100644 fake"
    assert [entry.path for entry in commits[1].entries] == [b"tab\t.py"]
    assert (commits[2].subject, commits[2].entries) == ("Ünïcode", ())
    opened = open_repository(repository.path)
    assert [leaf.path for leaf in read_tree(opened, tip)] == [
        b"caf\xe9.py",
        b"new\nline :x.py",
        b"tab\t.py",
    ]


def test_a_commit_whose_bytes_are_no_utf8_is_read_with_marks(make_repository, tmp_path):
    repository = make_repository()
    tree = repository.git("rev-parse", repository.commit("One", {"x.py": "x = 1\n"}) + "^{tree}")
    raw = tmp_path / "raw"
    person = b"Ad\xe9 <a@corp.test> 99999999999999999 +0000"
    raw.write_bytes(
        b"tree %b\nauthor %b\ncommitter %b\n\ncaf\xe9\n" % (tree.encode(), person, person)
    )
    tip = repository.git("hash-object", "-w", "--literally", "-t", "commit", str(raw))
    commit = next(read_commits_of(repository, tip))
    assert (commit.subject, commit.author) == ("caf\ufffd", "Ad\ufffd <a@corp.test>")
    assert commit.date == "", "the year is beyond what a date can say"


def read_commits_of(repository, tip):
    return read_commits(open_repository(repository.path), tip)


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


# --- nothing of the repository is run -----------------------------------------------------------


def test_nothing_the_repository_configures_is_executed(make_repository, tmp_path, monkeypatch):
    repository = make_repository()
    canary, script = tmp_path / "canary", tmp_path / "trap.sh"
    script.write_text(f'#!/bin/sh\necho "$0 $@" >> {canary}\ncat\n')
    script.chmod(0o755)
    attributes = "*.py filter=trap diff=trap merge=trap\n"
    repository.commit("One", {"x.py": "x = 1\n", ".gitattributes": attributes})
    tip = repository.commit("Two", {"x.py": "x = 2\n"})
    (repository.path / ".git" / "info" / "attributes").write_text(attributes)
    arm(repository.path, script)
    for name in ("GIT_EXTERNAL_DIFF", "GIT_PAGER", "PAGER", "GIT_SSH_COMMAND", "GIT_ASKPASS"):
        monkeypatch.setenv(name, str(script))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'core.fsmonitor={script}'")
    opened = open_repository(repository.path)
    assert resolve(opened, None) == tip
    assert len(list(read_commits(opened, tip))) == 2
    wanted = {leaf.path: leaf.blob for leaf in read_tree(opened, tip)}
    assert len(find_last_changes(opened, tip, wanted)) == 2
    with Blobs(opened) as blobs:
        assert blobs.read(wanted[b"x.py"]) == b"x = 2\n"
    assert not canary.exists(), canary.read_text()
    monkeypatch.undo()
    repository.git("status")
    assert canary.exists(), "the trap works when git is used as usual"


def arm(repository: Path, script: Path) -> None:
    hooks = repository / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"):
        shutil.copy(script, hooks / name)
    settings = "".join(
        f"[{section}]\n\t{key} = {script}\n"
        for section, key in (
            ("core", "fsmonitor"),
            ("core", "pager"),
            ("core", "sshCommand"),
            ("core", "askPass"),
            ("core", "editor"),
            ("core", "gitProxy"),
            ("core", "alternateRefsCommand"),
            ("pager", "log"),
            ("pager", "diff-tree"),
            ("pager", "cat-file"),
            ("diff", "external"),
            ('diff "trap"', "textconv"),
            ('diff "trap"', "command"),
            ('filter "trap"', "clean"),
            ('filter "trap"', "smudge"),
            ('filter "trap"', "process"),
            ("gpg", "program"),
            ("credential", "helper"),
        )
    )
    with (repository / ".git" / "config").open("a") as config:
        config.write(settings + "[log]\n\tshowSignature = true\n")


def test_missing_objects_of_a_partial_clone_are_not_fetched(make_repository, tmp_path):
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
    assert_damaged(caught.value, partial)
    packs = list((partial / ".git" / "objects" / "pack").glob("*.pack"))
    assert len(packs) == 1
    assert not canary.exists()
    repository.num_commits += 1
    repository.git("-C", str(partial), "cat-file", "-p", blob)
    assert canary.exists(), "the trap works when git is used as usual"


def test_the_repository_is_left_byte_for_byte_as_it_was(make_repository):
    repository = make_repository()
    tip = repository.commit("One", {"x.py": "x = 1\n"})

    def state() -> dict[str, tuple[int, bytes]]:
        return {
            str(each): (each.stat().st_mtime_ns, each.read_bytes())
            for each in sorted(repository.path.rglob("*"))
            if each.is_file()
        }

    before = state()
    opened = open_repository(repository.path)
    list(read_commits(opened, resolve(opened, None)))
    with Blobs(opened) as blobs:
        blobs.read(read_tree(opened, tip)[0].blob)
    assert state() == before

import os
import resource
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from devtune.data.sources.blobs import Blobs
from devtune.data.sources.git import (
    MAX_MAILMAP_BYTES,
    MAX_MEMORY_BYTES,
    open_repository,
    resolve,
)
from devtune.data.sources.history import (
    find_known,
    find_last_changes,
    find_touching,
    read_commits,
    read_folder,
    read_heads,
    read_tree,
)
from devtune.errors import DevtuneError


def fails_with(path: Path, ref: str | None = None) -> str:
    with pytest.raises(DevtuneError) as caught:
        resolve(open_repository(path), ref)
    message = str(caught.value)
    assert "\n" not in message
    return message


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
def test_a_damaged_commit_at_the_tip(make_repository, damage):
    repository = make_repository()
    commit = repository.commit("Add x", {"x.py": "x = 1\n"})
    repository.spoil(commit, damage)
    assert "damaged or incomplete (" in fails_with(repository.path)


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
        assert [each.subject for each in read_commits(opened, commit, [commit])] == ["One"]


def test_nothing_the_repository_configures_is_executed(make_repository, tmp_path, monkeypatch):
    repository = make_repository()
    canary, script = tmp_path / "canary", tmp_path / "trap.sh"
    script.write_text(f'#!/bin/sh\necho "$0 $@" >> {canary}\ncat\n')
    script.chmod(0o755)
    attributes = "*.py filter=trap diff=trap merge=trap\n"
    first = repository.commit("One", {"x.py": "x = 1\n", ".gitattributes": attributes})
    tip = repository.commit("Two", {"x.py": "x = 2\n"})
    (repository.path / ".git" / "info" / "attributes").write_text(attributes)
    arm(repository.path, script)
    for name in ("GIT_EXTERNAL_DIFF", "GIT_PAGER", "PAGER", "GIT_SSH_COMMAND", "GIT_ASKPASS"):
        monkeypatch.setenv(name, str(script))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'core.fsmonitor={script}'")
    opened = open_repository(repository.path)
    assert resolve(opened, None) == tip
    assert [each.id for each in read_heads(opened, tip)] == [first, tip]
    assert len(list(read_commits(opened, tip, [first, tip]))) == 2
    assert find_touching(opened, tip, ("x.py",)) == {first, tip}
    wanted = {leaf.path: leaf.blob for leaf in read_tree(opened, tip)}
    assert find_known(opened, first, set(wanted.values())) == {wanted[b".gitattributes"]}
    assert read_folder(opened, tip, ".") == read_tree(opened, tip)
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
    assert [each.id for each in read_heads(opened, resolve(opened, None))] == [tip]
    assert len(list(read_commits(opened, tip, [tip]))) == 1
    with Blobs(opened) as blobs:
        blobs.read(read_tree(opened, tip)[0].blob)
    assert state() == before


def test_a_damaged_index_is_nobodys_business(make_repository):
    repository = make_repository()
    tip = repository.commit("One", {"x.py": "x = 1\n"})
    (repository.path / ".git" / "index").write_bytes(b"DIRC\0")
    opened = open_repository(repository.path)
    assert [each.id for each in read_commits(opened, tip, [tip])] == [tip]


def test_what_ended_git_is_told_and_not_what_it_grumbled_about_before(make_repository):
    repository = make_repository()
    first = repository.commit("One", {"x.py": "x = 1\n"})
    tip = repository.commit("Two", {"x.py": "x = 2\n"})
    repository.spoil(first, "missing")
    (repository.path / ".git" / "objects" / "info" / "alternates").write_text("/nowhere\n")
    with pytest.raises(DevtuneError) as caught:
        list(read_heads(open_repository(repository.path), tip))
    assert first in str(caught.value)
    assert "nowhere" not in str(caught.value)


@pytest.mark.parametrize(("place", "tree"), [(".git/.mailmap", ".git"), (".mailmap", ".")])
def test_a_mailmap_that_is_in_no_commit_names_nobody(make_repository, place, tree):
    repository = make_repository()
    tip = repository.commit("One", {"x.py": "x = 1\n"})
    (repository.path / place).write_text("Nobody <no@corp.test> <ada@corp.test>\n")
    repository.git("config", "core.worktree", str(repository.path / tree))
    (head,) = read_heads(open_repository(repository.path), tip)
    assert head.author == "Ada Example <ada@corp.test>"


def test_a_large_mailmap_names_nobody(make_repository):
    repository = make_repository()
    line = "Ada Lovelace <ada@corp.test>\n"
    repository.commit("One", {".mailmap": line})
    small = repository.git("rev-parse", "HEAD")
    large = repository.commit("Two", {".mailmap": line * (MAX_MAILMAP_BYTES // len(line) + 1)})
    opened = open_repository(repository.path)
    assert {each.author for each in read_heads(opened, small)} == {"Ada Lovelace <ada@corp.test>"}
    assert {each.author for each in read_heads(opened, large)} == {"Ada Example <ada@corp.test>"}


def test_no_git_may_take_all_memory(make_repository):
    if sys.platform != "linux":
        pytest.skip("only Linux bounds another process")
    repository = make_repository()
    repository.commit("One", {"x.py": "x = 1\n"})
    with tempfile.TemporaryFile() as complaints:
        child = open_repository(repository.path).converse(
            "cat-file", "--batch", complaints=complaints
        )
        limits = resource.prlimit(child.pid, resource.RLIMIT_DATA)
        child.communicate()
    assert limits == (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES)


def test_a_git_that_ends_without_a_word_is_told_by_its_code(make_repository, tmp_path, monkeypatch):
    repository = make_repository()
    tip = repository.commit("One", {"x.py": "x = 1\n"})
    opened = open_repository(repository.path)
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "git"
    script.write_text("#!/bin/sh\necho hint: slow down >&2\nkill -SEGV $$\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    with pytest.raises(DevtuneError) as caught:
        read_tree(opened, tip)
    assert f"(git ended with code -11, at {tip}); run `git fsck`" in str(caught.value)


def test_what_was_derived_from_objects_is_not_read(make_repository):
    repository = make_repository()
    tip = repository.commit("One", {"x.py": "x = 1\n"})
    repository.git("repack", "-adq")
    objects = repository.path / ".git" / "objects"
    for file in (objects / "info" / "commit-graph", objects / "pack" / "multi-pack-index"):
        file.mkdir()
    opened = open_repository(repository.path)
    assert [each.id for each in read_heads(opened, tip)] == [tip]


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("packed-refs", b"garbage\n", "git cannot read it (unexpected line in"),
        ("HEAD", b"garbage\n", "git cannot read it (not a git repository"),
        ("HEAD", b"", "git cannot read it (not a git repository"),
    ],
)
def test_damaged_refs(make_repository, file, content, told):
    repository = make_repository()
    repository.commit("One", {"x.py": "x = 1\n"})
    (repository.path / ".git" / file).write_bytes(content)
    assert told in fails_with(repository.path)


def test_a_branch_that_names_no_commit(make_repository):
    repository = make_repository()
    repository.commit("One", {"x.py": "x = 1\n"})
    blob = repository.git("rev-parse", "HEAD:x.py")
    (repository.path / ".git" / "refs" / "heads" / "main").write_text(f"{blob}\n")
    message = fails_with(repository.path)
    assert "damaged or incomplete (refs/heads/main names what is no commit);" in message


def test_the_complaint_that_names_an_object_is_told(make_repository):
    repository = make_repository()
    tip = repository.commit("One", {"x.py": "x = 1\n" * 1000})
    tree = repository.git("rev-parse", "HEAD^{tree}")
    repository.spoil(tree, "garbage")
    with pytest.raises(DevtuneError) as caught:
        read_tree(open_repository(repository.path), tip)
    assert tree in str(caught.value)

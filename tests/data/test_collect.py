import hashlib
import io
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from devtune.data.collect import collect, identify
from devtune.data.git_source import count_held_out
from devtune.errors import DevtuneError
from devtune.progress import Progress
from devtune.recipe import CollectSection
from devtune.records import Change, Rejected, SourceFile, read_jsonl

ADA = "Ada Example <ada@corp.test>"
BOB = "Bob Example <bob@corp.test>"


class Corpus:
    def __init__(self, section, out, style="quiet") -> None:
        self.out = out
        self.outcome = collect(section, out, Progress(style, io.StringIO()))
        self.files = list(read_jsonl(out / "files.jsonl", SourceFile))
        self.changes = list(read_jsonl(out / "changes.jsonl", Change))
        self.rejected = list(read_jsonl(out / "rejected.jsonl", Rejected))
        self.reasons = {(row.path, row.reason) for row in self.rejected}

    def texts(self, split):
        return {row.provenance.path: row.text for row in self.files if row.split == split}


@pytest.fixture
def section(policy_file):
    def make(*sources: dict[str, Any], **values):
        return CollectSection(sources=sources, exclude=policy_file, **values)

    return make


@pytest.fixture
def corpus(section, tmp_path):
    def make(*sources: dict[str, Any], **values):
        return Corpus(section(*sources, **values), tmp_path / "corpus")

    return make


def git(repository, **values):
    return {"type": "git", "path": repository.path, **values}


def directory(path, **values):
    return {"type": "directory", "path": path, **values}


def fails_with(section) -> str:
    with pytest.raises(DevtuneError) as caught:
        collect(section, Path("never-written"), Progress("quiet"))
    message = str(caught.value)
    assert "\n" not in message
    assert not Path("never-written").exists()
    return message


# --- a repository -------------------------------------------------------------------------------


def test_the_latest_commits_are_held_out_and_the_tree_is_cut_before_them(make_repository, corpus):
    repository = make_repository()
    first = repository.commit("Add a and b", {"a.py": "a = 1\n", "b.py": "b = 1\n"})
    second = repository.commit("Change b", {"b.py": "b = 2\n"}, author=BOB)
    third = repository.commit("Change b again\n\nWhy not.", {"b.py": "b = 3\n", "c.py": "c = 1\n"})
    found = corpus(git(repository), held_out=0.3)
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
    }
    assert found.outcome.summary == (
        "2 files and 3 edits to train on, 2 files and 2 edits held out, from 1 source;"
        " 0 rejected, 0 secrets replaced"
    )


@pytest.mark.parametrize(
    ("num_commits", "share", "expected"),
    [
        (20, 0.15, 3),
        (21, 0.15, 4),
        (30, 0.1, 3),
        (2, 0.01, 1),
        (2, 0.99, 1),
        (1, 0.5, 0),
        (9, 0, 0),
    ],
)
def test_how_many_commits_are_held_out(num_commits, share, expected):
    assert count_held_out(num_commits, share) == expected


def test_nothing_is_held_out_when_the_share_is_zero(make_repository, corpus):
    repository = make_repository()
    repository.commit("One", {"a.py": "a = 1\n"})
    repository.commit("Two", {"a.py": "a = 2\n"})
    found = corpus(git(repository), held_out=0)
    assert found.texts("train") == {"a.py": "a = 2\n"}
    assert {row.split for row in found.changes} == {"train"}


def test_a_history_of_one_commit_is_split_by_file_and_its_edits_do_not_leak(
    make_repository, corpus
):
    repository = make_repository()
    repository.commit("Add all", {f"m{number}.py": f"x = {number}\n" for number in range(40)})
    found = corpus(git(repository), held_out=0.3)
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
    found = corpus(git(repository))
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
    found = corpus(git(repository), held_out=0.1)
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
    assert found.outcome.rejects == dict(
        sorted(
            {
                reason: sum(row.reason == reason for row in found.rejected)
                for _, reason in expected
            }.items()
        )
    )
    assert list(found.texts("train")) == ["keep.py"]


def test_large_commits_and_merges_are_counted_once(make_repository, corpus):
    repository = make_repository()
    repository.commit("One", {f"m{number}.py": "x = 1\n" for number in range(51)})
    repository.git("switch", "-qc", "side")
    repository.commit("Side", {"side.py": "s = 1\n"}, author=BOB)
    repository.git("switch", "-q", "main")
    repository.git("merge", "-q", "--no-ff", "-m", "Merge side", "side")
    merge = repository.git("rev-parse", "HEAD")
    tip = repository.commit("Two", {"m1.py": "x = 2\n"})
    found = corpus(git(repository), held_out=0)
    large, merged = found.changes[0], Rejected("merge", "app", "", merge)
    assert (large.num_files, large.edits) == (51, ())
    assert merged in found.rejected
    assert [row.detail for row in found.rejected if row.reason == "commit_too_large"] == [
        "51 files"
    ]
    side = next(row for row in found.files if row.provenance.path == "side.py")
    assert side.provenance.author == BOB
    assert found.changes[-1].commit == tip


def test_line_ends_and_odd_characters_come_back_as_they_were(make_repository, corpus):
    repository = make_repository()
    texts = {"crlf.py": "a\r\nb\r\n", "bom.py": "\ufeffx = 1\n", "sep.py": "s = '\u2028\x85\x0b'\n"}
    repository.commit("One", dict(texts))
    assert corpus(git(repository), held_out=0).texts("train") == texts


def test_a_second_reading_gives_the_same_bytes(make_repository, section, tmp_path, canaries):
    repository = make_repository()
    for number in range(6):
        secret = canaries["github"][:-1] + str(number)
        repository.commit(f"Change {number}", {f"m{number % 3}.py": f"t = '{secret}'\n"})
    rows = [Corpus(section(git(repository)), tmp_path / name).out for name in ("one", "two")]
    for name in ("files.jsonl", "changes.jsonl", "rejected.jsonl"):
        assert (rows[0] / name).read_bytes() == (rows[1] / name).read_bytes()


# --- secrets ------------------------------------------------------------------------------------


def test_no_byte_of_the_corpus_holds_a_secret(make_repository, corpus, canaries, tmp_path, capfd):
    repository = make_repository()
    token, key = canaries["github"], canaries["pem"]
    aws = (
        f"aws_access_key_id = {canaries['aws_id']}\naws_secret_access_key = {canaries['aws_key']}\n"
    )
    repository.commit("Start", {"deploy.ini": aws, "a.py": f"# é 日本\nt = '{token}'\n"})
    repository.commit(f"Rotate\n\nThe old key was\n{key}\n", {"a.py": "t = read()\n"})
    repository.commit(f"Post to {canaries['slack']}", {"b.py": f"P = '{canaries['password']}'\n"})
    repository.commit("Name it", {f"notes/{token}.md": "x\n"}, author=f"{token} <bot@corp.test>")
    url = f"url = 'postgres://svc:{canaries['password']}@db.corp/prod'\n"
    repository.commit("Held out", {"c.py": url, "k.py": f'K = """{key}"""\n'})
    repository.commit("Gone", {f"vendor/{token}.py": "x = 1\n"})
    found = corpus(git(repository), held_out=0.3)
    printed = "".join(capfd.readouterr()) + repr(found.outcome)
    written = b"".join(each.read_bytes() for each in found.out.iterdir()) + printed.encode()
    pieces = [*canaries["pem"].splitlines()[1:-1], *(canaries[k] for k in canaries if k != "pem")]
    assert not [piece for piece in pieces if piece.encode() in written]
    assert b"REDACTED_PRIVATE_KEY_1" in written
    assert found.texts("train")["b.py"] == "P = 'REDACTED_GENERIC_CREDENTIAL_URI_1'\n"
    assert ("vendor/REDACTED_GITHUB_PAT_1.py", "vendored") in found.reasons
    assert found.outcome.counts["secret_github_pat"] == 1
    assert found.outcome.counts["secret_private_key"] == 1
    assert f"{found.outcome.counts['secret_private_key'] + 5} secrets" in found.outcome.summary


def test_a_secret_of_one_source_is_replaced_in_another(tmp_path, corpus, canaries):
    for name, text in (
        ("one", f"p = '{canaries['password']}'\n"),
        ("two", f"u = 'https://bot:{canaries['password']}@git.corp.internal/x'\n"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.py").write_text(text)
    found = corpus(directory(tmp_path / "one"), directory(tmp_path / "two"), held_out=0)
    assert found.files[0].text == "p = 'REDACTED_GENERIC_CREDENTIAL_URI_1'\n"


def test_an_error_does_not_name_a_secret(make_repository, section, canaries):
    repository = make_repository()
    repository.commit("One", {"x.bin": b"\0" + canaries["github"].encode()})
    assert canaries["github"] not in fails_with(section(git(repository)))


# --- a directory --------------------------------------------------------------------------------


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


def test_what_cannot_be_read_is_rejected(section, tmp_path):
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        (root / "open.py").write_text("x = 1\n")
        (root / "shut").mkdir()
        (root / "closed.py").write_text("x = 1\n")
        (root / "closed.py").chmod(0)
        (root / "shut").chmod(0)
        wanted = section(directory(root), held_out=0)
        Corpus(wanted, tmp_path / "warm")  # what is loaded lazily must be loaded as the owner
        user = os.geteuid()
        out = tempfile.mkdtemp()
        Path(out).chmod(0o777)
        try:
            os.seteuid(65534 if user == 0 else user)
            found = Corpus(wanted, Path(out))
        finally:
            os.seteuid(user)
            (root / "shut").chmod(0o755)
    assert found.reasons == {("closed.py", "unreadable"), ("shut", "unreadable")}
    assert list(found.texts("train")) == ["open.py"]


# --- a package ----------------------------------------------------------------------------------


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
def test_a_package_that_cannot_be_read(section, name, complaint):
    assert fails_with(section({"type": "package", "name": name})).startswith(complaint)


# --- errors and identity ------------------------------------------------------------------------


def test_a_directory_that_is_wrong_is_one_line(section, tmp_path):
    gone, file, empty = tmp_path / "gone", tmp_path / "file", tmp_path / "empty"
    file.write_text("x")
    empty.mkdir()
    assert fails_with(section(directory(gone))) == (
        f"{gone}: no such directory; correct `path` of the source"
    )
    assert fails_with(section(directory(file))) == (
        f"{file}: a file, not a directory; correct `path` of the source"
    )
    assert fails_with(section(directory(empty))) == (
        f"{empty}: no files in it; correct `path` of the source"
    )


def test_a_source_of_which_nothing_is_kept_says_why(section, tmp_path, policy_file):
    root = tmp_path / "plain"
    root.mkdir()
    for name, content in (("a.gif", b"\0"), ("b.gif", b"\0"), ("c.py", b"")):
        (root / name).write_bytes(content)
    assert fails_with(section(directory(root))) == (
        "plain: nothing to train on: all 3 files were rejected (binary 2, empty 1);"
        f" correct the source, or the policy in {policy_file}"
    )


def test_a_corpus_that_is_all_held_out_says_so(section, tmp_path):
    root = tmp_path / "plain"
    root.mkdir()
    (root / "x.py").write_text("x = 1\n")
    assert fails_with(section(directory(root), held_out=0.999999)) == (
        "collect.held_out: all of the corpus is held out, nothing is left to train on;"
        " lower it or add a source"
    )


def test_a_repository_without_files(make_repository, section):
    repository = make_repository()
    commit = repository.commit("Nothing yet")
    assert fails_with(section(git(repository))) == (
        f"{repository.path}: no files in it at {commit[:12]}; set another `ref`"
    )


def test_two_sources_of_one_name(section, tmp_path):
    for place in ("one/app", "two/app"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "x.py").write_text("x = 1\n")
    both = section(directory(tmp_path / "one/app"), directory(tmp_path / "two/app"))
    message = "collect.sources: two are called 'app'; give one another `name`"
    assert fails_with(both) == message
    with pytest.raises(DevtuneError, match="two are called"):
        identify(both)


def test_the_identity_of_a_repository_is_its_commit_and_ref(make_repository, section):
    repository = make_repository()
    first = repository.commit("One", {"x.py": "x = 1\n"})
    assert identify(section(git(repository))) == {"app": f"{first} (checked-out branch)"}
    second = repository.commit("Two", {"x.py": "x = 2\n"})
    assert identify(section(git(repository, ref="main", name="core"))) == {
        "core": f"{second} (main)"
    }


def test_the_identity_of_a_directory_follows_its_content(section, tmp_path):
    root = tmp_path / "plain"
    root.mkdir()
    (root / "x.py").write_text("x = 1\n")
    before = identify(section(directory(root)))
    os.utime(root / "x.py", (0, 0))
    assert identify(section(directory(root))) == before
    (root / "x.py").write_text("x = 2\n")
    assert identify(section(directory(root))) != before


def test_identify_fails_where_collect_would(make_repository, section, tmp_path):
    bad = tmp_path / "exclude.yaml"
    bad.write_text("vendors: []\n")
    (tmp_path / "empty").mkdir()
    repository = make_repository()
    repository.commit("One", {"x.py": "x = 1\n"})
    wrong_policy = CollectSection.model_validate({"sources": [git(repository)], "exclude": bad})
    for wrong in (
        section(git(repository, ref="nope")),
        section(directory(tmp_path / "gone")),
        section(directory(tmp_path / "empty")),
        section({"type": "package", "name": "nosuchpackage"}),
        wrong_policy,
    ):
        with pytest.raises(DevtuneError) as caught:
            identify(wrong)
        assert str(caught.value) == fails_with(wrong)


def test_a_bare_repository_goes_by_its_name_without_the_ending(make_repository, section, tmp_path):
    repository = make_repository()
    commit = repository.commit("One", {"x.py": "x = 1\n"})
    bare = tmp_path / "core.git"
    repository.git("clone", "-q", "--bare", str(repository.path), str(bare))
    sources = ({"type": "git", "path": bare}, {"type": "git", "path": repository.path / ".git"})
    expected = f"{commit} (checked-out branch)"
    assert identify(section(*sources)) == {"core": expected, "app": expected}


def test_every_row_is_one_line_of_json(make_repository, corpus):
    repository = make_repository()
    repository.commit("One", {"new\nline.py": "x = 1\r\n"})
    lines = (corpus(git(repository), held_out=0).out / "files.jsonl").read_text().splitlines()
    assert [json.loads(line)["provenance"]["path"] for line in lines] == ["new\nline.py"]

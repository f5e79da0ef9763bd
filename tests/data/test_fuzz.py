import os
import random
import shutil
import subprocess
import tempfile
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from devtune.errors import DevtuneError
from devtune.jsonl import read_jsonl
from devtune.records import (
    SPLITS,
    Change,
    Rejected,
    Sample,
    Source,
    SourceFile,
)
from tests import hostile, poison
from tests.world import World

FORBIDDEN = {"invalid_conversation", "turns_not_found", "empty_answer"}
HISTORY = [hostile.ordinary(number) for number in range(6)]
NUM_BYTES = 50_000_000
# Each example takes a second: they are not made smaller, and are the same in every run.
LASTING = settings(
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory, tekken_file):
    found = World(tmp_path_factory.mktemp("world"), tekken_file)
    with pytest.MonkeyPatch.context() as patch:
        # The one place devtune writes to beside its output: rules, made of no text it reads.
        patch.setenv("XDG_CACHE_HOME", str(Path.home() / ".cache"))
        patch.setenv("HOME", str(found.root / "home"))
        patch.setenv("TMPDIR", str(found.root / "temporary"))
        patch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
        patch.setattr(tempfile, "tempdir", None)
        assert tempfile.gettempdir() == str(found.root / "temporary")
        yield found


def git(git_dir, *arguments):
    command = ("git", "-c", "core.commitGraph=false", *arguments)
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_DIR": str(git_dir),
        "GIT_GRAFT_FILE": os.devnull,
    }
    environment |= {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    answer = subprocess.run(command, env=environment, cwd=git_dir, capture_output=True, check=True)
    return answer.stdout


def tree_of(git_dir, commit):
    """Every (path as it is written down, blob) of a tree."""
    for line in git(git_dir, "ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0")[:-1]:
        header, path = line.split(b"\t", 1)
        yield path.decode("utf-8", "backslashreplace"), header.split()[2].decode()


def assert_every_file_has_a_row(git_dir, corpus):
    (source,) = (
        each for each in read_jsonl(corpus / "sources.jsonl", Source) if each.kind == "git"
    )
    kept = list(read_jsonl(corpus / "files.jsonl", SourceFile))
    for split, commit in zip(SPLITS, (source.cut, source.tip), strict=True):
        wanted = list(tree_of(git_dir, commit))
        if split == "held_out":
            known = git(git_dir, "rev-list", "--objects", source.cut, "--").decode(
                "utf-8", "replace"
            )
            old = {line.split(" ")[0] for line in known.splitlines()}
            wanted = [(path, blob) for path, blob in wanted if blob not in old]
        found = Counter(
            each.provenance.path
            for each in kept
            if each.provenance.source == "app" and each.split == split
        )
        found.update(
            each.path
            for each in read_jsonl(corpus / "rejected.jsonl", Rejected)
            if each.source == "app" and each.commit == commit and each.path
        )
        missing = Counter(path for path, _ in wanted if poison.SECRET not in path) - found
        assert not missing, missing


def assert_every_commit_has_a_row(git_dir, corpus):
    (source,) = (
        each for each in read_jsonl(corpus / "sources.jsonl", Source) if each.kind == "git"
    )
    changes = {each.commit: each for each in read_jsonl(corpus / "changes.jsonl", Change)}
    rejected = [each for each in read_jsonl(corpus / "rejected.jsonl", Rejected) if each.commit]
    whole = {each.commit for each in rejected if not each.path}
    commits = set(git(git_dir, "rev-list", source.tip, "--").decode().split())
    assert changes.keys() | whole >= commits
    parts = Counter(each.commit for each in rejected if each.path)
    for commit, change in changes.items():
        assert len(change.edits) + parts[commit] >= change.num_files


def assert_every_sample_is_counted(out, outcomes):
    made = Counter(
        each.sample_id
        for split in SPLITS
        for each in read_jsonl(out / "samples" / f"{split}.jsonl", Sample)
    )
    assert all(number == 1 for number in made.values())
    rendered, rejected = outcomes[2].counts, outcomes[2].rejects
    assert rendered["train"] + rendered["held_out"] + sum(rejected.values()) == made.total()
    for stage, outcome in zip(("corpus", "samples", "dataset"), outcomes, strict=True):
        rows = Counter(each.reason for each in read_jsonl(out / stage / "rejected.jsonl", Rejected))
        assert rows == Counter(outcome.rejects)


def outcomes_of(world, section):
    """Run the line; None where every file was left out, as a hostile `.gitattributes` may ask."""
    try:
        return world.run(section)
    except DevtuneError as error:
        if "\n" in str(error) or "nothing to train on" not in str(error):
            raise
        return None


def check(world, steps, drawn, exports, is_bare, workers=1):
    section = world.section("app", "docs", "export")
    git_dir = world.write(steps, drawn, exports, is_bare, is_armed=True)
    before = world.listing()
    outcomes = outcomes_of(world, section)
    assert not world.marker.exists()
    assert world.listing() == before
    if outcomes is None:
        return
    assert not FORBIDDEN & outcomes[2].rejects.keys(), outcomes[2].rejects
    assert_every_file_has_a_row(git_dir, world.out / "corpus")
    assert_every_commit_has_a_row(git_dir, world.out / "corpus")
    assert_every_sample_is_counted(world.out, outcomes)
    rows = b"".join(each.read_bytes() for each in world.out.rglob("*.jsonl"))
    assert poison.SECRET.encode() not in rows
    first = world.digests()
    world.write(steps, drawn, exports, is_bare, is_armed=False)
    world.run(section, workers)
    assert world.digests() == first, "what is no object has a say, or chance has"


DRAWN = (
    hostile.histories(),
    st.lists(hostile.files(), max_size=5),
    st.lists(st.sampled_from(poison.EXPORTS), max_size=3),
    st.booleans(),
)


@settings(LASTING, max_examples=3)
@given(*DRAWN)
def test_hostile_sources_become_valid_samples_and_nothing_else(
    world, steps, drawn, exports, is_bare
):
    check(world, steps, drawn, exports, is_bare)


@pytest.mark.slow
@pytest.mark.timeout(6 * 3600)
@settings(LASTING, max_examples=300)
@given(*DRAWN)
def test_three_hundred_hostile_sources(world, steps, drawn, exports, is_bare):
    check(world, steps, drawn, exports, is_bare, workers=2)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("has_rules", [True, False])
def test_everything_hostile_at_once(world, monkeypatch, has_rules):
    own = {} if has_rules else {"file_rules": (), "commit_rules": ()}
    section = world.section
    monkeypatch.setattr(world, "section", lambda *names: section(*names, **own))
    check(world, hostile.everything(), (), poison.EXPORTS, is_bare=False, workers=2)


def test_the_traps_work_when_git_is_used_as_usual(world):
    git_dir = world.write(HISTORY, is_armed=True)
    (git_dir / "index").unlink()
    (git_dir / "info" / "grafts").unlink(missing_ok=True)
    command = ("git", "-C", str(world.app), "checkout", "-f")
    subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert world.marker.exists()
    world.marker.unlink()


# --- damage -------------------------------------------------------------------------------------

DAMAGES = {
    "empty": lambda content, chance: b"",
    "half": lambda content, chance: content[: len(content) // 2],
    "garbage": lambda content, chance: chance.randbytes(50),
    "flipped": lambda content, chance: flipped(content, chance),
    "longer": lambda content, chance: content + chance.randbytes(20),
    "missing": lambda content, chance: None,
}


def flipped(content, chance):
    changed = bytearray(content or b"x")
    for _ in range(chance.choice([1, 1, 3, 20])):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


class Pristine:
    """A sound repository, loose or packed, and what its corpus is."""

    def __init__(self, world, is_packed) -> None:
        self.world, self.copy = world, world.root / f"sound-{is_packed}"
        world.write(HISTORY)
        if is_packed:
            for words in (["repack", "-adq"], ["pack-refs", "--all"]):
                git(world.app / ".git", *words)
            git(world.app / ".git", "-c", "core.commitGraph=true", "commit-graph", "write")
            git(world.app / ".git", "multi-pack-index", "write")
        shutil.copytree(world.app, self.copy)
        world.collect(world.section("app"))
        self.digests = world.digests()
        files = (each.relative_to(self.copy) for each in self.copy.rglob("*") if each.is_file())
        self.files = sorted(files)

    def spoil(self, file, damage, chance):
        """Put the repository back, but for one file of it."""
        shutil.rmtree(self.world.app)
        shutil.copytree(self.copy, self.world.app)
        place = self.world.app / file
        content = DAMAGES[damage](place.read_bytes(), chance)
        place.unlink()
        if content is not None:
            place.write_bytes(content)


@pytest.fixture(scope="module")
def pristine(world):
    return {is_packed: Pristine(world, is_packed) for is_packed in (False, True)}


def assert_told_or_the_same(pristine, world):
    try:
        world.collect(world.section("app"))
    except DevtuneError as error:
        told = str(error)
        assert told.startswith(f"{world.app}: ")
        assert "\n" not in told
        assert "; " in told
        assert "no reason given" not in told
        return told
    assert world.digests() == pristine.digests
    return ""


def check_damage(world, pristine, is_packed, damage, seed):
    chance = random.Random(seed)
    sound = pristine[is_packed]
    sound.spoil(chance.choice(sound.files), damage, chance)
    assert_told_or_the_same(sound, world)


DAMAGED = (st.booleans(), st.sampled_from(sorted(DAMAGES)), st.integers(0, 1 << 32))


@settings(LASTING, max_examples=6)
@given(*DAMAGED)
def test_damage_is_told_in_one_line_or_changes_nothing(world, pristine, is_packed, damage, seed):
    check_damage(world, pristine, is_packed, damage, seed)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(LASTING, max_examples=300)
@given(*DAMAGED)
def test_three_hundred_damages(world, pristine, is_packed, damage, seed):
    check_damage(world, pristine, is_packed, damage, seed)


@pytest.mark.parametrize("name", ["HEAD", "HEAD~2", "HEAD^{tree}", "HEAD:app", "HEAD:app/m0.py"])
@pytest.mark.parametrize("damage", ["half", "garbage", "missing"])
def test_a_damaged_object_is_named_in_one_line(world, pristine, name, damage):
    sound = pristine[False]
    tip, spoilt = git(sound.copy / ".git", "rev-parse", "HEAD", name).decode().split()
    file = f".git/objects/{spoilt[:2]}/{spoilt[2:]}"
    sound.spoil(file, damage, random.Random(0))
    told = assert_told_or_the_same(sound, world)
    assert told.startswith(f"{world.app}: damaged or incomplete (")
    assert spoilt in told or tip in told
    assert told.endswith("); run `git fsck` there and restore it from a good clone")


# --- size ---------------------------------------------------------------------------------------


def frugal(world, patch):
    """Let every git end that asks for more than 45 MB."""
    script = world.root / "frugal" / "git"
    script.parent.mkdir(exist_ok=True)
    script.write_text(f'#!/bin/sh\nulimit -d 45000\nexec {shutil.which("git")} "$@"\n')
    script.chmod(0o755)
    patch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")


def test_fifty_megabytes_are_never_held_whole(world, monkeypatch):
    world.write(HISTORY)
    world.run(world.section("app", "docs"))  # what is loaded once is not counted
    names = (".gitattributes", ".mailmap", "LICENSE", "big.ipynb", "big.py", "package.json")
    content = b"count_3_0 stops at the limit\n" * (NUM_BYTES // 29)
    steps = list(HISTORY)
    added = {(each.encode(),): (b"100644", content) for each in names}
    steps[1] = hostile.Step({**steps[1].edits, **added}, steps[1].message)
    moved = {(b"big.py",): None, (b"moved.py",): (b"100644", content + b"more\n")}
    steps[3] = hostile.Step({**steps[3].edits, **moved}, steps[3].message)
    world.write(steps)
    (world.root / "docs" / "large.md").write_bytes(content)
    frugal(world, monkeypatch)
    del content, added, moved, steps
    tracemalloc.start()
    try:
        outcome = world.run(world.section("app", "docs"))[0]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < NUM_BYTES / 2
    assert outcome.rejects["oversized"] >= len(names)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_long_chain_of_large_versions_is_read_one_by_one(world):
    world.write(HISTORY)
    world.run(world.section("app"))
    lines = [f"total_{number} = {number} + {number % 7}\n" for number in range(30_000)]
    size = sum(map(len, lines))
    num_versions = 120_000_000 // size
    git_dir = world.write(HISTORY)
    with subprocess.Popen(
        ("git", "fast-import", "--quiet"), env=os.environ | {"GIT_DIR": str(git_dir)},
        stdin=subprocess.PIPE,
    ) as child:  # fmt: skip
        for number in range(num_versions):
            lines[number * 7] = f"changed_{number} = {number}\n"
            text = "".join(lines).encode()
            said = b"Let line %d be changed for good" % number
            parent = b"from refs/heads/main^0\n" if not number else b""
            child.stdin.write(
                b"commit refs/heads/main\ncommitter A <a@b> %d +0000\ndata %d\n%b\n%b"
                b"M 100644 inline chain.py\ndata %d\n%b\n"
                % (1704900000 + number, len(said), said, parent, len(text), text)
            )
    assert child.returncode == 0
    tracemalloc.start()
    try:
        outcome = world.run(world.section("app"))[0]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert outcome.counts["edits_train"] > num_versions / 2
    assert peak < 100_000_000

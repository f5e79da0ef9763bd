import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from devtune.errors import DevtuneError
from devtune.train.checkpoints import Checkpoints, files_of, has_space, no_space

FILES = {
    "adapter_model.safetensors": b"weights" * 100,
    "trainer_state.json": b"{}",
    "global_step/mp_rank_00_model_states.pt": b"an engine's own",
    "empty": b"",
}


def save(checkpoints, step, **facts):
    """What a rank does at a step: write apart, hash, commit."""
    staged = checkpoints.staged(step)
    for name, content in FILES.items():
        (staged / name).parent.mkdir(parents=True, exist_ok=True)
        (staged / name).write_bytes(content + str(step).encode() if content else b"")
    names = files_of(staged)
    hashes = {name: hashlib.sha256((staged / name).read_bytes()).hexdigest() for name in names}
    return checkpoints.commit(step, hashes, facts)


@pytest.fixture
def saved(tmp_path):
    """Steps 2, 4 and 6 are committed."""
    checkpoints = Checkpoints(tmp_path / "checkpoints", "me")
    for step in (2, 4, 6):
        save(checkpoints, step, total_batch=8)
    return checkpoints


def newest(checkpoints):
    told = []
    found = checkpoints.newest(told.append)
    return (found.step if found else None), told


def names(folder):
    return sorted(each.name for each in folder.iterdir())


def test_the_newest_of_what_was_committed_is_found_with_its_facts(saved):
    found = saved.newest(print)
    assert found.step == 6
    assert found.facts == {"total_batch": 8}
    assert found.num_bytes == sum(len(each) + 1 for each in FILES.values() if each)
    assert [each.step for each in saved.committed()] == [6, 4, 2]
    assert (saved.root / "latest").read_text() == "checkpoint-6\n"


def test_where_nothing_was_committed_nothing_is_found(tmp_path):
    checkpoints = Checkpoints(tmp_path / "checkpoints", "me")
    assert newest(checkpoints) == (None, [])
    checkpoints.sweep()
    assert checkpoints.committed() == []


def test_what_is_staged_is_seen_by_nobody(saved):
    (saved.staged(8)).mkdir(parents=True)
    (saved.staged(8) / "manifest.json").write_text("{}")
    assert newest(saved) == (6, [])


def test_a_hundred_follows_ninety_eight(saved):
    save(saved, 98)
    save(saved, 100)
    assert newest(saved) == (100, [])


def test_the_oldest_are_removed_and_the_best_one_stays(saved):
    save(saved, 8)
    saved.prune(2, also=2)
    assert [each.step for each in saved.committed()] == [8, 6, 2]
    saved.prune(1)
    assert names(saved.root) == ["checkpoint-8", "latest", "staging-me"]


def test_what_killed_jobs_left_is_swept(saved):
    left = ("staging-other/checkpoint-8", "removed-other-checkpoint-1", "staging-me/checkpoint-9")
    for name in left:
        (saved.root / name).mkdir(parents=True)
        (saved.root / name / "weights").write_bytes(b"torn")
    (saved.root / "latest.new").write_text("check")
    (saved.root / "notes.txt").write_text("mine")
    saved.sweep()
    kept = ["checkpoint-2", "checkpoint-4", "checkpoint-6", "latest", "notes.txt"]
    assert names(saved.root) == kept


def flip_a_bit(folder):
    file = folder / "adapter_model.safetensors"
    content = bytearray(file.read_bytes())
    content[50] ^= 1
    file.write_bytes(content)
    return r"adapter_model.safetensors is not what was written \(sha256 differs\)"


def zero(folder):
    file = folder / "adapter_model.safetensors"
    file.write_bytes(bytes(file.stat().st_size))
    return r"adapter_model.safetensors is not what was written \(sha256 differs\)"


def truncate(folder):
    file = folder / "global_step" / "mp_rank_00_model_states.pt"
    os.truncate(file, 3)
    return "global_step/mp_rank_00_model_states.pt has 3 bytes, not 16"


def remove_a_file(folder):
    (folder / "trainer_state.json").unlink()
    return "trainer_state.json is missing"


def add_a_file(folder):
    (folder / "global_step" / "more.pt").write_bytes(b"x")
    return "global_step/more.pt was added to it"


def add_a_folder_elsewhere(folder):
    (folder / "global_step9").symlink_to("/")
    return "global_step9 was added to it"


def make_unreadable(folder):
    (folder / "empty").unlink()
    (folder / "empty").symlink_to("/proc/self/mem")  # of no bytes, and reading it is an error
    return r"empty cannot be read \(.*/empty: .*\)"


def remove_the_manifest(folder):
    (folder / "manifest.json").unlink()
    return "its manifest.json is missing"


def cut_the_manifest(folder):
    os.truncate(folder / "manifest.json", 40)
    return "its manifest.json is damaged"


def empty_the_manifest(folder):
    (folder / "manifest.json").write_text("[]")
    return "its manifest.json is damaged"


def forget_sizes(folder):
    content = json.loads((folder / "manifest.json").read_text())
    del content["files"]["trainer_state.json"]["bytes"]
    (folder / "manifest.json").write_text(json.dumps(content))
    return "its manifest.json is damaged"


def take_that_of_another_step(folder):
    (folder / "manifest.json").write_bytes(
        (folder.parent / "checkpoint-4/manifest.json").read_bytes()
    )
    return "its manifest.json is damaged"


FAULTS = [
    flip_a_bit, zero, truncate, remove_a_file, add_a_file, add_a_folder_elsewhere, make_unreadable,
    remove_the_manifest, cut_the_manifest, empty_the_manifest, forget_sizes,
    take_that_of_another_step,
]  # fmt: skip


@pytest.mark.parametrize("damage", FAULTS)
def test_a_damaged_one_is_skipped_in_one_line_for_the_one_before_it(damage, saved):
    fault = damage(saved.root / "checkpoint-6")
    step, told = newest(saved)
    assert step == 4
    assert len(told) == 1
    with pytest.raises(
        DevtuneError, match=f"^checkpoint-6 is skipped: {fault}; going on from the "
    ):
        raise DevtuneError(told[0])
    assert newest(saved) == (4, [])


def test_where_all_are_damaged_each_is_told_of_and_none_is_taken(saved):
    for step in (2, 4, 6):
        flip_a_bit(saved.root / f"checkpoint-{step}")
    step, told = newest(saved)
    assert step is None
    assert [each.split(" ")[0] for each in told] == ["checkpoint-6", "checkpoint-4", "checkpoint-2"]
    assert [each.endswith("no other is left: beginning anew") for each in told] == [
        False,
        False,
        True,
    ]


def test_a_damaged_one_takes_no_place_of_a_whole_one(saved):
    flip_a_bit(saved.root / "checkpoint-6")
    assert newest(saved)[0] == 4
    save(saved, 5)  # asked to stop before the step of the damaged one
    saved.prune(2)
    assert [each.step for each in saved.committed()] == [5, 4]
    assert names(saved.root) == ["checkpoint-4", "checkpoint-5", "latest", "staging-me"]


def test_a_damaged_one_is_kept_aside_until_the_next_is_committed(saved):
    flip_a_bit(saved.root / "checkpoint-6")
    newest(saved)
    saved.sweep()
    assert "skipped-checkpoint-6" in names(saved.root)
    save(saved, 6)
    flip_a_bit(saved.root / "checkpoint-6")
    assert newest(saved)[0] == 4
    save(saved, 6)
    saved.prune(5)
    assert [each.step for each in saved.committed()] == [6, 4, 2]
    assert "skipped-checkpoint-6" not in names(saved.root)


@pytest.mark.parametrize("text", [None, "", "checkpoint-2\n", "checkpoint-99\n", "\0\xff"])
def test_what_latest_says_does_not_matter(text, saved):
    (saved.root / "latest").unlink()
    if text is not None:
        (saved.root / "latest").write_text(text)
    assert newest(saved) == (6, [])


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
def test_files_follow_the_umask_however_a_library_wrote_them(umask, tmp_path):
    checkpoints = Checkpoints(tmp_path / "checkpoints", "me")
    before = os.umask(umask)
    try:
        staged = checkpoints.staged(1)
        staged.mkdir(parents=True)
        for name, mode in (("closed", 0o600), ("open", 0o666)):
            (staged / name).touch()
            (staged / name).chmod(mode)
        found = checkpoints.commit(1, dict.fromkeys(("closed", "open"), "0" * 64), {})
    finally:
        os.umask(before)
    for name in ("closed", "open", "manifest.json"):
        assert (found.path / name).stat().st_mode & 0o777 == 0o666 & ~umask, name


def test_a_pickle_nobody_reads_is_not_committed(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("training_args.bin", "weights", "sub/weights"):
        (tmp_path / name).touch()
    assert files_of(tmp_path) == ["sub/weights", "weights"]
    assert not (tmp_path / "training_args.bin").exists()


def test_a_disk_without_room_for_a_checkpoint_is_one_line(tmp_path):
    assert has_space(tmp_path, 1)
    assert not has_space(tmp_path, 10**18)
    line = (
        r": no space left for a checkpoint: 1,000,000,000,000.0 MB are needed, [\d,.]+ MB free;"
        r" free space there and run the command again, it goes on from the last checkpoint$"
    )
    assert re.search(line, str(no_space(tmp_path, 10**18)))


ROOM = """
set -e
mount -t tmpfs none {root} || exit 77
exec {python} - {root} <<'END'
import subprocess, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_checkpoints import Checkpoints, names, save
checkpoints = Checkpoints(Path(sys.argv[1]), "me")
save(checkpoints, 2)
held = checkpoints.root / "checkpoint-2" / "held"
held.mkdir()
subprocess.run(["mount", "-t", "tmpfs", "none", held], check=True)
save(checkpoints, 4)
checkpoints.prune(1)
checkpoints.sweep()
save(checkpoints, 6)
print([each.step for each in checkpoints.committed()], names(checkpoints.root)[-2])
END
"""


def test_what_a_disk_does_not_let_go_ends_no_training(tmp_path):
    script = ROOM.format(root=tmp_path, python=sys.executable, tests=str(Path(__file__).parent))
    answer = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if answer.returncode == 77 or "unshare:" in answer.stderr:
        pytest.skip("no mounts of one's own here")
    assert answer.stdout == "[6, 4] removed-me-checkpoint-2\n", answer.stderr


SEEN = ("open", "os.", "shutil.")


def in_a_process(work, deadly=None):
    """Run `work` in a child that kills itself at its event number `deadly`; was it killed?"""
    child = os.fork()
    if child == 0:
        count = 0

        def count_down(event, _):
            nonlocal count
            if event.startswith(SEEN):
                count += 1
                if count == deadly:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count_down)
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL)
    return os.waitstatus_to_exitcode(status) != 0


@pytest.fixture
def memory(tmp_path):
    """A folder whose files need not reach a disk: a kill leaves the same, hundreds are quick."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def kills(folder, prepare, work):
    """Yield what is left by a kill at each file-system event of `work`, one after the other."""
    for number in range(1, 1000):
        root = folder / str(number)
        prepare(Checkpoints(root, "first"))
        if not in_a_process(lambda root=root: work(Checkpoints(root, "first")), number):
            return
        yield number, root
    raise AssertionError("it never ran through")


def commit_and_prune(checkpoints):
    save(checkpoints, 6)
    checkpoints.prune(2)


def two(checkpoints):
    save(checkpoints, 2)
    save(checkpoints, 4)


def damaged(checkpoints):
    two(checkpoints)
    save(checkpoints, 6)
    flip_a_bit(checkpoints.root / "checkpoint-6")


def resume_and_save_again(checkpoints):
    checkpoints.sweep()
    assert checkpoints.newest(lambda _: None).step == 4
    commit_and_prune(checkpoints)


@pytest.mark.parametrize(
    ("prepare", "work"), [(two, commit_and_prune), (damaged, resume_and_save_again)]
)
def test_killed_at_any_event_the_old_or_the_new_one_is_there_and_whole(prepare, work, memory):
    number, seen = 0, set()
    for number, root in kills(memory, prepare, work):
        again = Checkpoints(root, "second")
        again.sweep()
        found = again.newest(lambda _: None)
        seen.add(found.step)
        orphans = {name for name in names(root) if not name.startswith(("checkpoint-", "latest"))}
        assert orphans <= {"skipped-checkpoint-6"}, number
        save(again, found.step + 2)
        again.prune(2)
        assert [each.step for each in again.committed()] == [found.step + 2, found.step]
        assert newest(again) == (found.step + 2, [])
        left = ["latest", "staging-second"]
        assert names(root) == sorted(f"checkpoint-{found.step + n}" for n in (0, 2)) + left, number
    assert number > 50
    assert seen == {4, 6}


def test_the_one_that_is_to_be_the_result_must_be_whole(saved):
    assert saved.of_step(4).step == 4
    flip_a_bit(saved.root / "checkpoint-4")
    line = (
        r"checkpoint-4: is to be the result and adapter_model.safetensors is not what was written"
        r" \(sha256 differs\); move .*/checkpoints away and run the command again: it begins anew$"
    )
    with pytest.raises(DevtuneError, match=line):
        saved.of_step(4)
    with pytest.raises(DevtuneError, match="checkpoint-8: is to be the result and its manifest.js"):
        saved.of_step(8)

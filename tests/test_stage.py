import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from devtune.errors import DevtuneError
from devtune.fingerprint import identity_of
from devtune.pipeline import GitSource
from devtune.scratch import Busy
from devtune.stage import MANIFEST, Outcome, run_stage, verify_files
from devtune.steps.families import DocstringToFunction


def write_numbers(out):
    (out / "deep").mkdir()
    (out / "numbers.txt").write_text("1 2 3\n", encoding="utf-8")
    (out / "deep" / "more.txt").write_text("4\n", encoding="utf-8")
    return Outcome("three numbers", counts={"rows": 3}, rejects={"odd": 2})


def not_called(out):
    raise AssertionError("the work was done again")


def run(out, section=None, work=write_numbers, inputs=None, **options):
    return run_stage("build", section or {"rows": 3}, inputs or {}, out, work, **options)


def refusal(*args, **kwargs):
    with pytest.raises(DevtuneError) as caught:
        run(*args, **kwargs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_manifest_says_what_was_done(tmp_path):
    manifest, done = run(tmp_path / "out")
    assert done
    assert manifest == json.loads((tmp_path / "out" / MANIFEST).read_text(encoding="utf-8"))
    assert sorted(manifest["files"]) == ["deep/more.txt", "numbers.txt"]
    assert manifest["files"]["numbers.txt"]["bytes"] == 6
    assert manifest["counts"] == {"rows": 3}
    assert manifest["rejects"] == {"odd": 2}
    assert manifest["versions"]["devtune"]
    assert manifest["started"] <= manifest["finished"]
    assert not list(tmp_path.glob("*.partial"))


def test_a_second_run_does_nothing(tmp_path):
    first, _ = run(tmp_path / "out")
    before = {each: each.stat().st_mtime_ns for each in (tmp_path / "out").rglob("*")}
    second, done = run(tmp_path / "out", work=not_called)
    assert not done
    assert second == first
    assert before == {each: each.stat().st_mtime_ns for each in (tmp_path / "out").rglob("*")}


def test_a_changed_section_is_refused_naming_the_key_and_both_values(tmp_path):
    run(tmp_path / "out", {"rows": 3, "steps": [{"min": 1}]})
    message = refusal(tmp_path / "out", {"rows": 3, "steps": [{"min": 2}]}, not_called)
    assert "build.steps.0.min was 1, is now 2" in message
    assert "rows" not in message
    assert run(tmp_path / "out", {"rows": 3, "steps": [{"min": 1}]}, not_called)[1] is False


def test_a_section_that_differs_in_nothing_written_still_has_a_reason(tmp_path):
    run(tmp_path / "out", {"rows": 3})
    message = refusal(tmp_path / "out", {"rows": 3, "new": None}, not_called)
    assert "written by another version of devtune" in message


def test_a_directory_of_another_stage_is_named(tmp_path):
    run_stage("collect", {}, {}, tmp_path / "out", write_numbers)
    assert "it was written by collect" in refusal(tmp_path / "out", work=not_called)


def test_a_changed_input_is_refused_by_name(tmp_path):
    run_stage("collect", {"a": 1}, {}, tmp_path / "one", write_numbers)
    run_stage("collect", {"a": 2}, {}, tmp_path / "two", write_numbers)
    run(tmp_path / "out", inputs={"corpus": tmp_path / "one"})
    message = refusal(tmp_path / "out", inputs={"corpus": tmp_path / "two"}, work=not_called)
    assert "its input corpus/ is another one" in message


def test_the_content_of_a_prompt_belongs_to_the_identity_and_its_place_does_not(tmp_path):
    first, second = tmp_path / "a.jinja", tmp_path / "b.jinja"
    first.write_text("Write {{ name }}", encoding="utf-8")
    second.write_text("Write {{ name }}", encoding="utf-8")
    steps = [DocstringToFunction(type="docstring_to_function", prompt=p) for p in (first, second)]
    assert identity_of(steps[0]) == identity_of(steps[1])
    run(tmp_path / "out", identity_of(steps[0]))
    second.write_text("Please write {{ name }}", encoding="utf-8")
    message = refusal(tmp_path / "out", identity_of(steps[1]), not_called)
    assert "build.prompt was " in message


def test_a_directory_is_known_by_what_its_stage_says(tmp_path):
    source = GitSource(type="git", path=tmp_path, name="app")
    identity = identity_of(source, {"commit": "c0ffee"})
    found = {"commit": "c0ffee"}
    said = {"license": "", "owner": "", "weight": 1.0, "subpaths": []}
    assert identity == {"type": "git", "ref": None, "name": "app", **said, "found": found}


def test_a_crash_leaves_only_a_partial_directory_and_a_rerun_is_equal(tmp_path):
    def crash(out):
        (out / "half.txt").write_text("half", encoding="utf-8")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(tmp_path / "out", work=crash)
    assert [each.name for each in tmp_path.iterdir()] == ["out.partial"]
    again, _ = run(tmp_path / "out")
    clean, _ = run(tmp_path / "clean")
    assert again["files"] == clean["files"]


def test_a_fault_the_user_can_mend_leaves_nothing(tmp_path):
    def fail(out):
        (out / "half.txt").write_text("half", encoding="utf-8")
        raise DevtuneError("no such commit; correct the ref")

    assert refusal(tmp_path / "out", work=fail) == "no such commit; correct the ref"
    assert list(tmp_path.iterdir()) == []


def test_resumable_work_finds_what_it_left_and_other_work_does_not(tmp_path):
    def stop(out):
        (out / "checkpoint").write_text("7", encoding="utf-8")
        raise DevtuneError("stopped")

    def finish(out):
        seen = (out / "checkpoint").exists()
        return Outcome("", metrics={"resumed": seen})

    refusal(tmp_path / "a", work=stop, resumable=True)
    assert run(tmp_path / "a", work=finish, resumable=True)[0]["metrics"] == {"resumed": True}
    refusal(tmp_path / "b", work=stop, resumable=True)
    manifest, _ = run(tmp_path / "b", {"rows": 4}, finish, resumable=True)
    assert manifest["metrics"] == {"resumed": False}


def test_a_left_over_symlink_is_removed_without_following_it(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / "link").symlink_to(kept)
    run(tmp_path / "out")
    assert (kept / "file").exists()
    assert not (tmp_path / "out" / "link").exists()


def test_an_input_that_is_absent_or_unfinished_is_named(tmp_path):
    corpus = tmp_path / "corpus"
    message = refusal(tmp_path / "out", inputs={"corpus": corpus}, work=not_called)
    assert message == f"{corpus}: is not there; run the stage that writes it first"
    (tmp_path / "corpus.partial").mkdir()
    message = refusal(tmp_path / "out", inputs={"corpus": corpus}, work=not_called)
    assert message == f"{corpus}: is not finished; run the stage that writes it first"
    assert not (tmp_path / "out.partial").exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"fingerprint": "x"}', "\x00"])
def test_a_damaged_manifest_is_one_line_and_nothing_is_touched(tmp_path, content):
    run(tmp_path / "out")
    (tmp_path / "out" / MANIFEST).write_text(content, encoding="utf-8")
    assert f"{tmp_path / 'out' / MANIFEST}: damaged" in refusal(tmp_path / "out", work=not_called)
    assert (tmp_path / "out" / "numbers.txt").exists()


def test_a_directory_of_somebody_else_is_not_touched(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").touch()
    assert "not devtune's: move it away" in refusal(tmp_path / "out", work=not_called)
    assert (tmp_path / "out" / "thesis.txt").exists()


def test_a_file_in_the_way_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    message = refusal(tmp_path / "file" / "out", work=not_called)
    assert "a part of the path is a file; set another path" in message
    assert (tmp_path / "file").is_file()


def test_two_at_once_do_not_lose_each_others_work(tmp_path):
    started, finish = threading.Event(), threading.Event()

    def slow(out):
        started.set()
        assert finish.wait(10)
        return write_numbers(out)

    results = []
    thread = threading.Thread(target=lambda: results.append(run(tmp_path / "out", work=slow)))
    thread.start()
    assert started.wait(10)
    with pytest.raises(Busy, match="another devtune is at work here; wait for it"):
        run(tmp_path / "out", work=not_called)
    assert (tmp_path / "out.partial").is_dir()
    finish.set()
    thread.join()
    assert results[0][1] is True
    assert run(tmp_path / "out", work=not_called)[1] is False


def test_a_crowd_makes_each_result_once(tmp_path):
    # No pause between the runs: some processes find a directory its owner is just renaming.
    code = f"""
        from pathlib import Path
        from devtune.scratch import Busy
        from devtune.stage import Outcome, run_stage
        def work(out):
            (out / "once.txt").write_text("x")
            return Outcome("")
        made = 0
        for number in range(40):
            while True:
                try:
                    out = Path({str(tmp_path)!r}, str(number))
                    made += run_stage("build", {{}}, {{}}, out, work)[1]
                    break
                except Busy:
                    pass
        print(made)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    crowd = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert sum(int(each.communicate(timeout=60)[0]) for each in crowd) == 40
    assert sorted(int(each.name) for each in tmp_path.iterdir()) == list(range(40))


def test_a_flipped_byte_a_short_file_and_a_missing_one_are_found(tmp_path):
    out = tmp_path / "out"
    run(out)
    verify_files(out)
    for content in (b"1 2 4\n", b"1 2"):
        (out / "numbers.txt").write_bytes(content)
        with pytest.raises(DevtuneError, match=r"numbers.txt: damaged; move .* away"):
            verify_files(out)
    (out / "numbers.txt").unlink()
    with pytest.raises(DevtuneError, match=r"numbers.txt: missing; move .* away"):
        verify_files(out)


def test_files_follow_the_umask(tmp_path):
    def secretive(out):
        (out / "weights").touch(mode=0o600)
        (out / "deep").mkdir(mode=0o700)
        return Outcome("")

    before = os.umask(0o027)
    try:
        run(tmp_path / "out", work=secretive)
    finally:
        os.umask(before)
    assert (tmp_path / "out" / "weights").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "out" / MANIFEST).stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "out" / "deep").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o750


def test_private_files_do_not_follow_the_umask(tmp_path):
    def careless(out):
        assert out.stat().st_mode & 0o777 == 0o700
        (out / "rows").write_text("x")
        (out / "deep").mkdir()
        return Outcome("")

    before = os.umask(0)
    try:
        run_stage("collect", {}, {}, tmp_path / "out", careless, permissions=0o700)
    finally:
        os.umask(before)
    found = {each: each.stat().st_mode & 0o777 for each in (tmp_path / "out").rglob("*")}
    assert {each.name: mode for each, mode in found.items()} == {
        "rows": 0o600, MANIFEST: 0o600, "deep": 0o700,
    }  # fmt: skip
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700


def test_what_a_killed_run_left_open_is_closed_before_work_goes_on(tmp_path):
    (tmp_path / "out.partial").mkdir(mode=0o755)

    def look(out):
        assert out.stat().st_mode & 0o777 == 0o700
        return Outcome("")

    run_stage("collect", {}, {}, tmp_path / "out", look)


@pytest.fixture
def open_to_all(tmp_path, monkeypatch):
    # As FAT and some network mounts do it, none of which can be mounted for a test.
    monkeypatch.setattr(Path, "chmod", lambda path, mode: None)
    (tmp_path / "out.partial").mkdir(mode=0o755)
    return tmp_path / "out"


@pytest.mark.parametrize("permissions", [0o700, 0o750])
def test_a_file_system_that_lets_in_more_than_the_result_is_refused(permissions, open_to_all):
    def work(out):
        (out / "rows.txt").write_text("private")
        return Outcome("")

    with pytest.raises(DevtuneError) as caught:
        run_stage("collect", {}, {}, open_to_all, work, permissions=permissions)
    assert str(caught.value) == (
        f"{open_to_all}.partial: this file system lets everyone read what is written to it; set"
        " another run_dir, or `readable_by: everyone` and an umask that lets them"
    )
    assert list(open_to_all.parent.rglob("*.txt")) == []


def test_a_file_system_that_keeps_nobody_out_will_do_where_everyone_may_read(open_to_all):
    run_stage("collect", {}, {}, open_to_all, lambda out: Outcome(""), permissions=0o755)
    assert (open_to_all / MANIFEST).is_file()


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_without_permissions_the_umask_says_whether_such_a_file_system_will_do(umask, open_to_all):
    before = os.umask(umask)
    try:
        if umask == 0o077:
            with pytest.raises(DevtuneError, match="lets everyone read"):
                run(open_to_all)
        else:
            run(open_to_all)
    finally:
        os.umask(before)
    assert open_to_all.exists() == (umask == 0o022)


def test_a_run_killed_in_the_middle_is_done_again_equal(tmp_path):
    code = f"""
        import time
        from pathlib import Path
        from devtune.stage import run_stage
        def work(out):
            (out / "numbers.txt").write_text("1 2")
            print("working", flush=True)
            time.sleep(60)
        run_stage("build", {{"rows": 3}}, {{}}, Path({str(tmp_path)!r}) / "out", work)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "working\n"
        process.send_signal(signal.SIGKILL)
    assert [each.name for each in tmp_path.iterdir()] == ["out.partial"]
    killed, done = run(tmp_path / "out")
    clean, _ = run(tmp_path / "clean")
    assert done
    assert killed["files"] == clean["files"]


def mounted(tmp_path, mount, work):
    # A mount of its own, which ends with the process; skips where the kernel does not allow it.
    code = f"""
        from pathlib import Path
        from devtune.errors import DevtuneError
        from devtune.stage import Outcome, run_stage
        def work(out):
            {work}
            return Outcome("")
        room = Path({str(tmp_path)!r}) / "room"
        try:
            run_stage("build", {{}}, {{}}, room / "out", work)
        except DevtuneError as error:
            print(error)
        print([each.name for each in room.iterdir()])
    """
    (tmp_path / "room").mkdir()
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(code), encoding="utf-8")
    command = f"{mount} || exit 77; exec {sys.executable} {script}"
    answer = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", command],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if answer.returncode == 77 or "unshare:" in answer.stderr:
        pytest.skip("no mounts of one's own here")
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.splitlines()


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    room = tmp_path / "room"
    message, left = mounted(
        tmp_path,
        f"mount -t tmpfs -o size=64k none {room}",
        '(out / "big").write_bytes(bytes(1_000_000))',
    )
    assert f"{room}/out.partial" in message
    assert "no space left on the device; free space there or set another run_dir" in message
    assert left == "[]"


def test_a_read_only_disk_is_one_line(tmp_path):
    room = tmp_path / "room"
    mount = f"mount --bind {room} {room} && mount -o remount,bind,ro {room}"
    message, left = mounted(tmp_path, mount, "pass")
    assert message == f"{room}/out.partial: the file system is read-only; set another run_dir"
    assert left == "[]"


def test_a_fault_before_the_lock_leaves_another_runs_scratch_alone(tmp_path):
    scratch = tmp_path / "out.partial"
    scratch.mkdir()
    (scratch / "theirs").touch()
    (tmp_path / "out").mkdir()
    refusal(tmp_path / "out", work=not_called)
    assert (scratch / "theirs").exists()


def test_an_error_of_the_system_keeps_its_own_place(tmp_path):
    def refuse(out):
        raise OSError(errno.EACCES, "Permission denied", str(Path("/somewhere/else")))

    message = refusal(tmp_path / "out", work=refuse)
    assert message.startswith("/somewhere/else: permission denied")


def test_a_place_nothing_can_be_made_in_is_not_taken_for_another_devtune():
    out = Path("/proc/devtune-test/corpus")
    with pytest.raises(DevtuneError, match="^/proc/devtune-test: no such file or directory"):
        run_stage("collect", {}, {}, out, lambda _: Outcome(""))


def test_a_manifest_that_was_half_published_is_not_signed_as_a_file(tmp_path):
    out = tmp_path / "samples"

    def lose(scratch):
        (scratch / "kept.txt").write_text("whole", encoding="utf-8")
        (scratch / "manifest.json.new").write_text("{", encoding="utf-8")
        raise DevtuneError("killed while it was published")

    with pytest.raises(DevtuneError, match="killed"):
        run(out, work=lose, resumable=True)
    manifest, done = run(out, resumable=True)
    assert done
    assert set(manifest["files"]) == {"kept.txt", "numbers.txt", "deep/more.txt"}
    verify_files(out)

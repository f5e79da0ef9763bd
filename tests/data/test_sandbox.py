import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from devtune.data import sandbox
from devtune.errors import DevtuneError


def why_not():
    try:
        sandbox.prove()
    except DevtuneError as error:
        return str(error)
    return ""


needs_sandbox = pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is one")


@pytest.fixture
def run(tmp_path):
    tree = tmp_path / "tree"
    (tree / "tests").mkdir(parents=True)
    (tree / "tests" / "a.txt").write_text("inside\n", encoding="utf-8")

    def call(command, timeout_seconds=60, readable=()):
        return sandbox.run(tree, command, timeout_seconds, readable)

    return call


@needs_sandbox
def test_a_command_finds_the_tree_at_a_fixed_place(run):
    assert run("pwd; cat tests/a.txt") == sandbox.Ended("/workspace\ninside\n", 0)


@needs_sandbox
def test_both_streams_and_the_exit_code_are_kept(run):
    assert run("echo out; echo err >&2; exit 3") == sandbox.Ended("out\nerr\n", 3)


@needs_sandbox
def test_what_it_writes_is_gone_with_it(run, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    assert run("echo x > new; rm -r tests; echo y > /tmp/z; ls") == sandbox.Ended("new\n", 0)
    assert sorted(tmp_path.rglob("*")) == before
    assert run("cat tests/a.txt; ls /tmp").output == "inside\n"


@needs_sandbox
def test_nothing_but_system_programs_can_be_read(run, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hidden", encoding="utf-8")
    home = Path.home()
    for path in (secret, home, "/etc/passwd", "/root", "/home", "/var", "/sys"):
        assert run(f"cat '{path}' || ls '{path}'").exit_code != 0
    assert run("ls /etc").output.split() in ([], ["alternatives"], ["alternatives", "ld.so.cache"])
    assert run("echo x > /usr/x; echo y > /original/y; ls /original").output.split()[-1] == "tests"


@needs_sandbox
def test_the_environment_is_not_handed_in(run, monkeypatch):
    monkeypatch.setenv("DEVTUNE_SECRET", "hidden")
    output = run("env").output
    assert "hidden" not in output
    assert "HOME=/tmp\n" in output


@needs_sandbox
def test_there_is_no_network(run):
    readable = [Path(sys.executable).resolve().parents[1]]
    code = "import socket; print([name for _, name in socket.if_nameindex()])"
    assert run(f'python3 -c "{code}"', readable=readable).output == "['lo']\n"


@needs_sandbox
def test_processes_of_this_machine_are_not_seen(run):
    assert str(os.getpid()) not in run("ls /proc | grep '^[0-9]'").output.split()


@needs_sandbox
def test_a_slow_command_is_ended_with_all_it_started(run):
    assert run("sleep 1000 & echo early; sleep 1000", timeout_seconds=1) is None


@needs_sandbox
def test_a_command_that_leaves_something_running_has_ended(run):
    assert run("(sleep 1000 &) ; echo done") == sandbox.Ended("done\n", 0)


@needs_sandbox
def test_a_command_that_never_stops_printing_is_ended(run):
    assert run("yes", timeout_seconds=1) is None


@needs_sandbox
def test_a_long_output_is_cut_in_its_middle_and_says_so(run):
    output = run("head -c 20000 /dev/zero | tr '\\0' a; printf z").output
    half = sandbox.MAX_OUTPUT_BYTES // 2
    assert output == (
        "a" * half + "\n\n[... 12,001 of 20,001 bytes left out ...]\n\n" + "a" * (half - 1) + "z"
    )


@needs_sandbox
def test_a_character_that_is_cut_is_left_out(run):
    output = run("for i in $(seq 4000); do printf 'aéé'; done").output
    assert "\N{REPLACEMENT CHARACTER}" not in output


@needs_sandbox
def test_further_directories_can_be_read_and_their_programs_run(run, tmp_path):
    (tmp_path / "extra" / "bin").mkdir(parents=True)
    program = tmp_path / "extra" / "bin" / "hello"
    program.write_text("#!/bin/sh\necho hello\n", encoding="utf-8")
    program.chmod(0o755)
    assert run("hello", readable=[tmp_path / "extra"]).output == "hello\n"
    assert run("hello").exit_code != 0


@needs_sandbox
def test_a_sandbox_the_kernel_refuses_is_one_line(tmp_path, monkeypatch):
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: No permissions' >&2\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    sandbox.prove.cache_clear()
    with pytest.raises(DevtuneError) as caught:
        sandbox.run(tmp_path, "true", 1)
    sandbox.prove.cache_clear()
    assert str(caught.value) == (
        "bwrap: No permissions; allow user namespaces here (bubblewrap 0.8 or newer), or leave out"
        " `collect.replay.test_command`"
    )


def test_a_missing_sandbox_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    sandbox.prove.cache_clear()
    with pytest.raises(DevtuneError) as caught:
        sandbox.run(tmp_path, "true", 1)
    sandbox.prove.cache_clear()
    assert str(caught.value) == (
        "bwrap: not found on PATH; install bubblewrap, or leave out `collect.replay.test_command`"
    )


@needs_sandbox
def test_the_sandbox_is_what_keeps_a_command_in():
    # The same outside: what the tests above look for is there to be found.
    real = subprocess.run(["ls", "/etc/passwd"], capture_output=True, check=True)
    assert real.stdout == b"/etc/passwd\n"
    assert shutil.which("bwrap")

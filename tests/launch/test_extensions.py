import subprocess
import sys
from pathlib import Path

import pytest

from devtune.launch.extensions import VARIABLE, extensions

HOLD = """
from devtune.launch.extensions import extensions
with extensions():
    print("held", flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture
def lock():
    """The lock a build leaves behind when its process is killed."""
    with extensions() as environment:
        build = Path(environment[VARIABLE], "shm_comm")
    build.mkdir()
    (build / "lock").touch()
    return build / "lock"


def test_a_lock_that_a_killed_job_left_does_not_hold_up_the_next(lock):
    with extensions():
        assert not lock.exists()


def test_a_lock_stays_while_another_job_may_be_building(lock):
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout.readline() == "held\n"
        lock.touch()
        with extensions():
            assert lock.exists()
    finally:
        other.communicate("\n")
    with extensions():
        assert not lock.exists()


def test_where_no_folder_can_be_made_torch_takes_its_own(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    with extensions() as environment:
        assert environment == {}


def test_a_folder_the_user_names_is_left_as_it_is(tmp_path, monkeypatch):
    (tmp_path / "mine" / "op").mkdir(parents=True)
    (tmp_path / "mine" / "op" / "lock").touch()
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine"))
    with extensions() as environment:
        assert environment == {}
    assert (tmp_path / "mine" / "op" / "lock").exists()

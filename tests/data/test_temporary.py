import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from devtune.data.temporary import spill_here, temporary_files_in, unnamed_file
from devtune.stage import Outcome, run_stage
from tests.data.conftest import Maker
from tests.data.sources.test_discussion_source import issue

QUICKSTART = Path(__file__).resolve().parents[2] / "recipes" / "quickstart" / "recipe.yaml"
FUNCTION = '''def add_{0}(first, second):
    """Add the two numbers and then the number {0}."""
    total = first + second
    result = total + {0}
    return result
'''
LINE = """
import os
import sys
from pathlib import Path

import dill  # tries out where temporary files may lie

from devtune.config import load
from devtune.progress import Progress
from devtune.run import run_line

temporary, opened = Path(os.environ["TMPDIR"]), []


def note(event, arguments):
    if event == "open" and str(arguments[0]).startswith(str(temporary)):
        opened.append(arguments[0])


sys.addaudithook(note)
before = temporary.stat().st_mtime_ns
run_line(load(sys.argv[1], sys.argv[2:]), Progress("quiet"), ("collect", "build", "render"))
print(opened, temporary.stat().st_mtime_ns == before)
"""


def open_files():
    found = (Path(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd"))  # noqa: PTH208
    return [os.readlink(each) for each in found if each.is_symlink()]  # noqa: PTH115


def test_temporary_files_lie_in_the_folder_and_go_with_it(tmp_path):
    folder = tmp_path / "temporary"
    with temporary_files_in(folder):
        assert folder.stat().st_mode & 0o777 == 0o700
        made = Path(tempfile.mkdtemp())
        assert made.parent == folder
        told = subprocess.run(["sh", "-c", "echo $TMPDIR"], capture_output=True, text=True).stdout
        assert told.strip() == str(folder)
    assert not folder.exists()


def test_a_database_without_a_name_spills_into_the_folder(tmp_path):
    folder = tmp_path / "it's temporary"
    with temporary_files_in(folder):
        base = sqlite3.connect("", isolation_level=None)
        spill_here(base)
        base.executescript("PRAGMA cache_size=1; CREATE TABLE rows (text TEXT); BEGIN;")
        base.executemany("INSERT INTO rows VALUES (?)", [("x" * 1000,)] * 1000)
        assert [each for each in open_files() if each.startswith(str(folder))]
        base.close()


def test_what_was_set_before_is_set_again(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", "/somewhere")
    before = tempfile.tempdir
    with pytest.raises(KeyError), temporary_files_in(tmp_path / "temporary"):
        raise KeyError
    assert os.environ["TMPDIR"] == "/somewhere"
    assert tempfile.tempdir == before


def test_an_unnamed_file_is_read_by_a_program_and_has_no_name(tmp_path):
    with unnamed_file() as file:
        file.write(b"given")
        file.seek(0)
        assert subprocess.run(["cat"], stdin=file, capture_output=True).stdout == b"given"
        place = os.readlink(f"/proc/self/fd/{file.fileno()}")  # noqa: PTH115
        assert place.endswith("(deleted)")
    assert not Path(place).exists()


@pytest.fixture
def recipe(tmp_path, tekken_file):
    """Overrides for a small line over a repository, its tracker and a directory."""
    maker = Maker(tmp_path / "app")
    for number in range(8):
        maker.commit(f"Add sum number {number}", {f"app/s{number}.py": FUNCTION.format(number)})
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "sums.py").write_text(FUNCTION.format(99), encoding="utf-8")
    tracker = tmp_path / "tracker.json"
    tracker.write_text(json.dumps([issue(1, "2024-01-01T00:01:30Z")]), encoding="utf-8")

    def place(out):
        shutil.copyfile(tekken_file, out / "tekken.json")
        return Outcome("")

    run_stage("import", {}, {}, tmp_path / "base", place)
    sources = (
        f"{{type: git, path: {tmp_path}/app}}, {{type: directory, path: {tmp_path}/docs}},"
        f" {{type: forge, path: {tracker}, repository: app}}"
    )
    return [
        f"run_dir={tmp_path}/run", f"import.out={tmp_path}/base", f"collect.sources=[{sources}]",
        "render.max_length=4000", "collect.held_out_commits=1", "collect.replay={}",
    ]  # fmt: skip


@pytest.mark.parametrize("workers", [1, 2])
def test_no_stage_that_reads_texts_writes_where_all_users_look(workers, recipe, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    found = subprocess.run(
        [sys.executable, "-c", LINE, QUICKSTART, *recipe, f"executor.workers={workers}"],
        env={**os.environ, "TMPDIR": str(temporary)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert (tmp_path / "run" / "dataset" / "train.parquet").is_file()
    assert list(temporary.iterdir()) == []
    if workers == 1:  # several meet at sockets there
        assert found.stdout == "[] True\n"

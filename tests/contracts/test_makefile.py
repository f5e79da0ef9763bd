import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def words(tmp_path, *arguments):
    """The words of the command that `make quickstart` would run, with a stand-in for devtune."""
    stand_in = tmp_path / "bin" / "devtune"
    stand_in.parent.mkdir()
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    stand_in.chmod(0o755)
    ready = tmp_path / "ready"
    ready.touch()
    answer = subprocess.run(
        ["make", "-s", "-C", str(ROOT), "quickstart", f"BIN={stand_in.parent}", f"READY={ready}",
         *arguments],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return answer.stdout.splitlines()


def test_quickstart_without_a_repository_runs_the_recipe_as_it_is(tmp_path):
    assert words(tmp_path) == ["run", "recipes/quickstart/recipe.yaml"]


@pytest.mark.parametrize(
    ("inside", "kind"), [(".git/HEAD", "git"), ("HEAD", "git"), ("code.py", "directory")]
)
def test_quickstart_takes_a_repository_a_bare_one_or_a_directory(inside, kind, tmp_path):
    file = tmp_path / "mine" / inside
    file.parent.mkdir(parents=True)
    file.touch()
    repository = tmp_path / "mine"
    assert words(tmp_path, f"REPO={repository}")[2:] == [
        "--set",
        "run_dir=runs/quickstart-mine",
        "--set",
        f'collect.sources=[{{type: {kind}, path: "{repository}"}}]',
    ]

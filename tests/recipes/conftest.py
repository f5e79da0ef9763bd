"""A small git repository and the quickstart recipe pointed at it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "recipes" / "quickstart" / "recipe.yaml"

FUNCTION = '''def {name}(values):
    """Return the {word} of all values, or {start} when there are none."""
    result = {start}
    for value in values:
        print("folding", value)
        result = {expression}
    return result
'''
WORDS = {
    "total": ("sum", 0, "result + value"),
    "product": ("product", 1, "result * value"),
    "largest": ("maximum", 0, "max(result, value)"),
    "smallest": ("minimum", 0, "min(result, value)"),
    "longest": ("greatest length", 0, "max(result, len(value))"),
    "squares": ("sum of squares", 0, "result + value * value"),
    "parity": ("parity", 0, "(result + value) % 2"),
    "joined": ("concatenation", "''", "result + str(value)"),
    "counted": ("number", 0, "result + 1"),
    "doubled": ("doubled sum", 0, "result + 2 * value"),
}


def git(repository, *arguments, date):
    identity = {
        "GIT_AUTHOR_NAME": "Ada Example", "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada Example", "GIT_COMMITTER_EMAIL": "ada@example.org",
        "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date,
    }  # fmt: skip
    subprocess.run(
        ["git", "-C", str(repository), *arguments],
        check=True, capture_output=True, env={**os.environ, **identity},
    )  # fmt: skip


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    """Ten commits: each adds a documented function and corrects the one before."""
    directory = tmp_path_factory.mktemp("source") / "folding"
    directory.mkdir()
    git(directory, "init", "-q", "-b", "main", date="2026-01-01T00:00:00Z")
    text = ""
    for day, (name, (word, start, expression)) in enumerate(WORDS.items(), 1):
        text = text.replace("    result = 0\n", "    result = int(0)\n")
        function = FUNCTION.format(name=name, word=word, start=start, expression=expression)
        text = f"{text}\n\n{function}".lstrip()
        (directory / "folds.py").write_text(text, encoding="utf-8")
        (directory / f"{name}.py").write_text(function.replace(name, f"{name}_of"), "utf-8")
        date = f"2026-01-{day:02d}T12:00:00Z"
        git(directory, "add", "-A", date=date)
        git(directory, "commit", "-qm", f"Add a fold that gives the {word}", date=date)
    return directory


@pytest.fixture
def devtune(tmp_path):
    """Run the command line; `prefix` goes before it."""

    def run(*arguments, prefix=(), check=True):
        command = [*prefix, sys.executable, "-m", "devtune", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    return run


def overrides(run_dir, repository, *more):
    source = f'[{{type: git, path: "{repository}"}}]'
    values = [f"run_dir={run_dir}", f"collect.sources={source}", *more]
    return [part for value in values for part in ("--set", value)]

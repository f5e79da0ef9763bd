"""The tests a commit changes, run on its tree in the sandbox.

Reads trees and blobs; writes the tree to a temporary directory, by its own hand: no filter, hook
or attribute of git takes part, no link is made or followed, nothing is written outside of it.
"""

import json
import os
import re
import shlex
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from devtune.data import sandbox
from devtune.data.languages import language_of
from devtune.data.sources.blobs import Blobs
from devtune.data.sources.git import Repository
from devtune.data.sources.history import Commit, read_tree
from devtune.data.sources.raw import ABSENT, Leaf
from devtune.pipeline import ReplaySection
from devtune.records import Action

MAX_FILE_BYTES = 8_000_000
"""Larger files are not in the tree tests run on."""
MAX_TREE_BYTES = 500_000_000
MAX_FILES = 100_000
FILES = "{files}"
_DIRECTORIES = frozenset({"test", "tests", "__tests__", "spec", "testing"})
_NAME = re.compile(r"test_.*|.*[._-](test|tests|spec)\.\w+|.*(Test|Tests|Spec)\.\w+")
# Times differ from run to run, and equal input is to give equal bytes.
_SECONDS = re.compile(r"\b\d{1,9}\.\d{1,9}(?= ?(?:s|ms|sec|secs|seconds)\b)")

_COMPOUND = re.compile(r"[;&|\n]")


def is_test(path: str) -> bool:
    """Whether a path is that of a test, by its name or its directory."""
    *above, name = path.split("/")
    is_one = bool(_NAME.fullmatch(name)) or not _DIRECTORIES.isdisjoint(above)
    return bool(language_of(path)) and is_one


def try_tests(
    repository: Repository,
    section: ReplaySection,
    commit: Commit,
    parent: str,
    is_shown: Callable[[str], bool],
    is_erased: Callable[[str], bool] = lambda _: False,
) -> list[Action] | str:
    """Return the run of the tests that `commit` changes; none where it changes none.

    A string says why there is nothing to show: they fail, take too long, or name what is hidden.
    """
    leaves = {
        path: leaf
        for path, leaf in _leaves(repository, commit, parent).items()
        if not is_erased(path.decode("utf-8", "replace"))
    }
    changed = (each.path for each in commit.entries if each.path in leaves)
    tests = [path for each in changed if is_test(path := each.decode("utf-8", "replace"))]
    if not tests or section.test_command is None:
        return []
    command = section.test_command.replace(FILES, " ".join(map(shlex.quote, tests)))
    with tempfile.TemporaryDirectory(prefix="devtune-") as directory:
        if reason := write_tree(repository, leaves.values(), Path(directory)):
            return reason
        ended = sandbox.run(
            Path(directory), command, section.test_timeout_seconds, section.test_directories
        )
    if ended is None:
        return f"over {section.test_timeout_seconds} seconds"
    output = _SECONDS.sub("0.01", ended.output)
    if ended.exit_code != 0:
        last = next((line for line in reversed(output.splitlines()) if line.strip()), "")
        return f"exit code {ended.exit_code}: {last[:200]}"
    hidden = (leaf.path.decode("utf-8", "replace") for leaf in leaves.values())
    if named := next((each for each in hidden if each in output and not is_shown(each)), ""):
        return f"names {named}"
    # Both streams stand in the output; the redirection must hold for all of the command.
    shown = f"({command})" if _COMPOUND.search(command) else command
    arguments = json.dumps({"command": f"{shown} 2>&1"}, ensure_ascii=False)
    return [Action("run", arguments, output)]


def _leaves(repository: Repository, commit: Commit, parent: str) -> dict[bytes, Leaf]:
    """Return the tree of `parent` with the files of `commit` in it."""
    leaves = {leaf.path: leaf for leaf in read_tree(repository, parent)}
    for entry in commit.entries:
        leaves.pop(entry.old_path, None)
    for entry in commit.entries:
        if entry.mode != ABSENT:
            leaves[entry.path] = Leaf(entry.mode, entry.blob, entry.path)
    return leaves


def write_tree(repository: Repository, leaves: Iterable[Leaf], directory: Path) -> str | None:
    """Write the regular files of a tree; a string says why it cannot be written.

    Links and submodules are left out, as are large files. `directory` is empty.
    """
    num_bytes = num_files = 0
    with Blobs(repository) as blobs:
        for leaf in leaves:
            if not leaf.mode.startswith("100") or (size := blobs.size(leaf.blob)) > MAX_FILE_BYTES:
                continue
            num_bytes, num_files = num_bytes + size, num_files + 1
            if num_bytes > MAX_TREE_BYTES or num_files > MAX_FILES:
                return "the tree is too large"
            parts = leaf.path.split(b"/")
            if any(part.lower() in (b"", b".", b"..", b".git") for part in parts):
                return "a path leads out of the tree"
            try:
                _write(directory, parts, blobs.read(leaf.blob), leaf.mode == "100755")
            except OSError as error:
                return f"a file cannot be written: {error.strerror}"
    return None


def _write(directory: Path, parts: list[bytes], content: bytes, is_executable: bool) -> None:
    file = directory / os.fsdecode(b"/".join(parts))
    file.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(file, flags, 0o755 if is_executable else 0o644), "wb") as out:
        out.write(content)

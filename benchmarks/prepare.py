"""Preparing a history by the usual parts and by devtune, side by side on the same commits.

Reads a git repository; works in a temporary directory and prints a table.
Usage: python benchmarks/prepare.py REPOSITORY [--commits N]

The usual parts are GitPython for the history, detect-secrets for secrets, datasketch for
near-duplicates and Python's own `ast` for documented functions, put together as their
documentation shows. They look at each file version once, as devtune does.
"""

import argparse
import ast
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import git
from datasketch import MinHash, MinHashLSH
from detect_secrets.core.scan import scan_file
from detect_secrets.settings import default_settings

from devtune.data.filters.exclusions import load_policy

ROOT = Path(__file__).resolve().parents[1]
EXCLUDE = ROOT / "data_prep" / "policy" / "exclude.yaml"
MAX_BYTES, MAX_LINE, MEAN_LINE = 1_000_000, 1000, 100
WORD = re.compile(r"\w+|[^\w\s]+")


def main() -> None:
    """Cut the history to the latest commits, do the work both ways, and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--commits", type=int, default=150)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        repository = cut_history(options.repository, options.commits, folder)
        print(f"{options.repository.name}: the latest {options.commits} first-parent steps")
        usual = Usual(repository)
        print_head()
        with measured("usual: history, filters", usual) as megabytes:
            megabytes.append(usual.read() / 1e6)
        for name, step in usual.steps():
            with measured(f"usual: {name}", usual):
                step()
        first = Ours(repository, folder, "first")
        later = Ours(repository, folder, "later")
        for name, side in (("devtune", first), ("devtune later", later)):
            for stage in ("collect", "build"):
                with measured(f"{name}: {stage}", side):
                    side.run(stage)
        for stage in ("collect", "build"):
            with measured(f"done already: {stage}", None):
                later.run(stage)
        conclude(usual, first, later, megabytes[0])


def cut_history(source: Path, num_commits: int, folder: Path) -> Path:
    """Copy the latest commits into a repository of their own, the oldest of them as its root."""
    target = folder / "repository"
    quiet: dict[str, Any] = {"check": True, "capture_output": True}
    subprocess.run(("git", "init", "-q", "-b", "main", target), **quiet)
    wanted = f"HEAD~{num_commits}..HEAD"
    export = ("git", "fast-export", "--signed-tags=strip", "--tag-of-filtered-object=drop", wanted)
    found = subprocess.run(export, cwd=source, **quiet).stdout
    stream = re.sub(rb"^(commit|reset) \S+$", rb"\1 refs/heads/main", found, flags=re.MULTILINE)
    subprocess.run(("git", "fast-import", "--quiet"), cwd=target, input=stream, **quiet)
    subprocess.run(("git", "repack", "-adq"), cwd=target, **quiet)
    return target


class Usual:
    """The usual parts, one after another over what the first of them read."""

    seconds = 0.0

    def __init__(self, repository: Path) -> None:
        self.repository = git.Repo(repository)
        self.policy = load_policy(EXCLUDE)
        self.texts: dict[str, tuple[str, str]] = {}
        self.num_secrets = self.num_duplicates = self.num_functions = 0

    def read(self) -> int:
        """Read both sides of every change and the tree; return the bytes that were kept."""
        looked: set[str] = set()
        for commit in self.repository.iter_commits(no_merges=True):
            before = commit.parents[0] if commit.parents else git.NULL_TREE
            for change in commit.diff(before, R=bool(commit.parents)):
                for blob in (change.a_blob, change.b_blob):
                    self._keep(blob, looked)
        for blob in self._tip():
            self._keep(blob, looked)
        return sum(len(text.encode()) for _, text in self.texts.values())

    def _tip(self) -> list[Any]:
        tree = self.repository.head.commit.tree
        return [each for each in tree.traverse() if each.type == "blob"]

    def _keep(self, blob: Any, looked: set[str]) -> None:
        if blob is None or blob.hexsha in looked or blob.mode not in (0o100644, 0o100755):
            return
        looked.add(blob.hexsha)
        if self.policy.reject_path(blob.path) or blob.size > MAX_BYTES:
            return
        try:
            text = blob.data_stream.read().decode("utf-8")
        except UnicodeDecodeError:
            return
        lengths = [len(line) for line in text.split("\n")]
        is_long = max(lengths) > MAX_LINE or sum(lengths) / len(lengths) > MEAN_LINE
        letters = sum(each.isalnum() for each in text)
        if "\0" in text or not text.strip() or is_long or letters < 0.25 * len(text):
            return
        head = "\n".join(text.split("\n")[:5])
        if not any(each.search(head) for each in self.policy.generated_headers):
            self.texts[blob.hexsha] = (blob.path, text)

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """What is done with the texts."""
        return [
            ("secrets", self.scan),
            ("near-duplicates", self.deduplicate),
            ("functions", self.extract),
        ]

    def scan(self) -> None:
        """Look for secrets, a file at a time."""
        with default_settings(), tempfile.TemporaryDirectory() as place:
            for path, text in self.texts.values():
                file = Path(place) / f"text{Path(path).suffix}"
                file.write_text(text, encoding="utf-8")
                self.num_secrets += len(list(scan_file(str(file))))

    def deduplicate(self) -> None:
        """Find near-duplicates in the files of the tip."""
        index = MinHashLSH(threshold=0.7, num_perm=256, params=(25, 10))
        blobs = self._tip()
        for key in dict.fromkeys(each.hexsha for each in blobs if each.hexsha in self.texts):
            words = WORD.findall(self.texts[key][1])
            sketch = MinHash(num_perm=256)
            for start in range(max(len(words) - 4, 1)):
                sketch.update(" ".join(words[start : start + 5]).encode())
            self.num_duplicates += bool(index.query(sketch))
            index.insert(key, sketch)

    def extract(self) -> None:
        """Count the documented functions of the tip."""
        blobs = self._tip()
        for key in dict.fromkeys(each.hexsha for each in blobs if each.path.endswith(".py")):
            if key not in self.texts:
                continue
            try:
                nodes = ast.walk(ast.parse(self.texts[key][1]))
            except SyntaxError:
                continue
            found = (each for each in nodes if isinstance(each, ast.FunctionDef))
            self.num_functions += sum(ast.get_docstring(each) is not None for each in found)


class Ours:
    """devtune's two stages as a user runs them, each in a process of its own, on one worker.

    The first run of a user compiles the rules for secrets; later runs find them compiled.
    """

    seconds = 0.0

    def __init__(self, repository: Path, folder: Path, name: str) -> None:
        self.run_dir = folder / name
        self.recipe = folder / f"{name}.json"
        self.environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
        pipeline = ROOT / "data_prep" / "pipelines" / "instruct.yaml"
        prompts = ROOT / "data_prep" / "prompts"
        recipe = {
            "use": [str(ROOT / "recipes" / "quickstart" / "recipe.yaml"), str(pipeline)],
            "run_dir": str(self.run_dir),
            "executor": {"type": "local", "workers": 1},
            "collect": {
                "sources": [{"type": "git", "path": str(repository)}],
                "held_out": 0,
                "held_out_commits": 0,
                "replay": None,
                "commit_rules": [],
                # The usual parts know nothing of these.
                "blame": False,
                "personal_data": None,
            },
            "build": {
                "steps": [
                    {"type": "near_duplicate_files"},
                    {
                        "type": "docstring_to_function",
                        "prompt": str(prompts / "docstring_to_function.jinja"),
                    },
                ]
            },
        }
        self.recipe.write_text(json.dumps(recipe), encoding="utf-8")

    def run(self, stage: str) -> None:
        """Run one stage."""
        command = (sys.executable, "-m", "devtune", stage, self.recipe, "--quiet")
        subprocess.run(command, check=True, env=self.environment)

    def counts(self, stage: str) -> dict[str, Any]:
        """Return what the manifest of a stage says."""
        return json.loads((self.run_dir / stage / "manifest.json").read_text())


def print_head() -> None:
    """Print the head of the table."""
    print(f"{'':<28} {'wall s':>8} {'CPU s':>8}")


@contextmanager
def measured(name: str, side: Any) -> Iterator[list[float]]:
    """Print wall and CPU seconds of a block, children included, and add the CPU to its side."""
    wall, before = time.monotonic(), cpu_seconds()
    yield (found := [])
    _ = found
    spent = cpu_seconds() - before
    print(f"{name:<28} {time.monotonic() - wall:8.1f} {spent:8.1f}", flush=True)
    if side is not None:
        side.seconds += spent


def cpu_seconds() -> float:
    """CPU time of this process and of its children that have ended."""
    uses = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)


def conclude(usual: Usual, first: Ours, later: Ours, megabytes: float) -> None:
    """Print what both found, their speeds, and the ratios."""
    corpus, samples = first.counts("corpus"), first.counts("samples")
    found = sum(n for name, n in corpus["counts"].items() if name.startswith("secret_"))
    print(f"usual:   {usual.num_secrets} findings, {usual.num_duplicates} near-duplicates,")
    print(f"         {usual.num_functions} documented functions in {len(usual.texts)} versions")
    duplicates = samples["rejects"].get("near_duplicate", 0)
    print(f"devtune: {found} secrets, {duplicates} near-duplicates,")
    print(f"         {samples['counts']['train']} functions kept, and every edit as rows")
    print(f"source:  {megabytes:.1f} MB of kept, distinct file versions")
    for name, side in (("usual", usual), ("devtune", first), ("later", later)):
        ratio = usual.seconds / side.seconds
        speed = megabytes / side.seconds
        print(f"{name + ':':<9}{side.seconds:.1f} CPU s, {speed:.2f} MB/s a core, {ratio:.1f}x")


if __name__ == "__main__":
    main()

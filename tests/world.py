"""A place with hostile sources, where all of the data half runs and nothing else may change.

Reads the shipped pipeline; writes below the directory it is given.
"""

import hashlib
import os
import shutil
from pathlib import Path

from pydantic import TypeAdapter
from ruamel.yaml import YAML

from devtune.data.collect import collect
from devtune.data.instruct import build
from devtune.data.render import render
from devtune.pipeline import BuildSection, CollectSection, LocalExecutor, RenderSection
from devtune.progress import Progress
from tests import hostile, traps

PIPELINE = Path(__file__).resolve().parents[1] / "data_prep" / "pipelines" / "instruct.yaml"
QUIET = Progress("quiet")
RENDER = RenderSection(max_length=100_000)


class World:
    """A directory with sources, a home and a place for results; all else in it must stay."""

    def __init__(self, root, tekken_file) -> None:
        self.root, self.out, self.marker = root, root / "out", root / "executed"
        self.app, self.base = root / "app", root / "base"
        for each in ("home", "temporary", "base"):
            (root / each).mkdir()
        shutil.copyfile(tekken_file, self.base / "tekken.json")
        self.trap = root / "trap.sh"
        self.trap.write_text(f"#!/bin/sh\n: > {self.marker}\ncat\n")
        self.trap.chmod(0o755)
        self.build = TypeAdapter(BuildSection).validate_python(_shipped("build"))

    def write(self, steps, drawn=(), exports=(), is_bare=False, is_armed=False):
        """Write the sources anew; return the git directory."""
        for name in ("app", "docs", "export"):
            shutil.rmtree(self.root / name, ignore_errors=True)
        git_dir = hostile.init(self.app, is_bare)
        commits = hostile.write_history(git_dir, steps)
        if is_armed:
            traps.furnish(self.app, git_dir, self.trap)
            traps.lie(git_dir, commits)
        hostile.write_directory(self.root / "docs", drawn)
        hostile.write_export(self.root / "export", exports, commits[4])
        return git_dir

    def section(self, *names, **values):
        """Return the shipped rules for some of the sources."""
        known = {
            "app": {"type": "git", "path": self.app, "license": "LicenseRef-Ours"},
            "docs": {"type": "directory", "path": self.root / "docs"},
            "export": {"type": "forge", "path": self.root / "export", "repository": "app"},
        }
        sources = [known[each] for each in names]
        fewer = {"held_out_commits": 2, "sources": sources}
        return CollectSection.model_validate({**_shipped("collect"), **fewer, **values})

    def collect(self, section, workers=1):
        """Make the corpus; return what the stage says of it."""
        shutil.rmtree(self.out, ignore_errors=True)
        (self.out / "corpus").mkdir(parents=True)
        return collect(section, _local(workers), self.out / "corpus", QUIET)

    def run(self, section, workers=1):
        """Run all three stages; return what each says of itself."""
        outcomes = [self.collect(section, workers)]
        corpus, samples, dataset = (self.out / each for each in ("corpus", "samples", "dataset"))
        samples.mkdir()
        outcomes.append(build(self.build, _local(workers), corpus, samples, QUIET))
        dataset.mkdir()
        outcomes.append(render(RENDER, _local(workers), samples, self.base, corpus, dataset, QUIET))
        return outcomes

    def digests(self):
        """Return the hash of every file that was written."""
        files = sorted(each for each in self.out.rglob("*") if each.is_file())
        return {
            str(each.relative_to(self.out)): hashlib.sha256(each.read_bytes()).hexdigest()
            for each in files
        }

    def listing(self):
        """Return kind, size and time of change of everything but the results."""
        found = {}
        for folder, names, files in os.walk(os.fsencode(self.root)):
            if folder == os.fsencode(self.root):
                names[:] = [each for each in names if each != b"out"]
            for name in (*names, *files):
                place = folder + b"/" + name
                if os.path.lexists(place):  # not where a path is longer than any call takes
                    known = os.lstat(place)
                    found[place] = (known.st_mode, known.st_size, known.st_mtime_ns)
        return found


def _local(workers):
    return LocalExecutor(type="local", workers=workers)


def _shipped(part):
    return _located(YAML(typ="safe", pure=True).load(PIPELINE.read_text())[part])


def _located(value):
    if isinstance(value, dict):
        return {key: _located(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_located(each) for each in value]
    is_path = isinstance(value, str) and value.startswith("../")
    return PIPELINE.parent / value if is_path else value

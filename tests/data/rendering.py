"""Samples, a base and a corpus as stages leave them, rendered as the line does it.

Writes below the directory it is given.
"""

import shutil
from functools import partial

from devtune.data.render import render
from devtune.jsonl import write_jsonl
from devtune.pipeline import LocalExecutor, RenderSection
from devtune.progress import Progress
from devtune.records import Source
from devtune.stage import Outcome, run_stage

SOURCE = Source("app", "git", 1.0, "MIT", "Team Sums", "aa" * 20, "cc" * 20, "2025-06-30", 7)


def run(directory, tekken_file, train, held_out, workers=1, pairs=None, max_length=10_000):
    """Return the manifest of the dataset and where it is."""
    files = {
        "samples": {"train.jsonl": train, "held_out.jsonl": held_out},
        "base": {},
        "corpus": {"sources.jsonl": [SOURCE]},
    }
    if pairs is not None:
        files["samples"]["preferences.jsonl"] = pairs
    for name, rows in files.items():
        run_stage(name, {}, {}, directory / name, partial(_fill, rows, tekken_file))
    inputs = {name: directory / name for name in ("samples", "base", "corpus")}
    section = RenderSection(max_length=max_length)
    executor = LocalExecutor(type="local", workers=workers)

    def work(out):
        return render(section, executor, *inputs.values(), out, Progress("quiet"))

    out = directory / "dataset"
    manifest, _ = run_stage("render", {}, inputs, out, work, permissions=0o700)
    return manifest, out


def _fill(files, tekken_file, out):
    for name, rows in files.items():
        write_jsonl(out / name, rows)
    if not files:
        shutil.copyfile(tekken_file, out / "tekken.json")
    return Outcome("")

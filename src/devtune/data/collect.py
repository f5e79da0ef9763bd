"""Repositories, directories and exports become the corpus, every text cleared of secrets.

Reads the sources of a recipe; writes `sources.jsonl`, `files.jsonl`, `changes.jsonl`,
`discussions.jsonl`, `replays.jsonl` and `rejected.jsonl`.
"""

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devtune.data.parts import Run, run_parts
from devtune.data.sealed import open_key, seal, unseal
from devtune.data.secrets import Marker, Redactor, compile_rules
from devtune.data.sources.opening import Reader, open_sources
from devtune.data.writing import (
    FILES,
    Rewriting,
    Tally,
    append_rejected,
    concatenate,
    keep_latest_replays,
)
from devtune.errors import DevtuneError
from devtune.pipeline import CollectSection, Executor
from devtune.progress import Progress
from devtune.records import SPLITS, Source, to_json, write_jsonl
from devtune.stage import Outcome

SCRATCH, RULES = "scratch", "rules"


@dataclass(frozen=True, slots=True)
class Reading:
    """The first half of the work: rows of one unit, secrets marked, and what was learned."""

    readers: tuple[Reader, ...]
    key: bytes
    rules_dir: Path

    def __call__(self, unit: Any, out: Path) -> None:
        """Read one unit into `out`."""
        index, inner = unit
        marker, tally = Marker(self.key, self.rules_dir), Tally()
        with ExitStack() as stack:
            files = {
                kind: stack.enter_context((out / name).open("wb")) for kind, name in FILES.items()
            }
            for row in self.readers[index].rows(inner, marker):
                tally.add(row)
                files[type(row)].write(to_json(row))
        tally.write(out)
        seal(marker.learned.values(), self.key, out)


def collect(section: CollectSection, executor: Executor, out: Path, progress: Progress) -> Outcome:
    """Write the corpus of `section` into `out`; equal sources give equal bytes.

    Texts are read once and every secret in them marked. When all are read, a value that one text
    gave away is replaced in all of them. No secret touches the disk in clear.
    Raises `DevtuneError` for a source that cannot be read or of which nothing is kept.
    """
    opened = open_sources(section)
    scratch = out / SCRATCH
    scratch.mkdir(parents=True, exist_ok=True)
    key = open_key(scratch)
    readers, sources, units = _plan(opened.readers)
    run = Run(scratch, executor, progress, "collect")
    compile_rules(scratch / RULES)
    parts = run_parts("read", units, Reading(readers, key, scratch / RULES), run)
    tally = _count(parts, units, sources)
    redactor = Redactor(unseal(parts, key))
    written = parts
    if redactor.counts:
        rewriting = Rewriting(tuple(parts), key)
        written = run_parts("replace secrets", list(range(len(parts))), rewriting, run)
    concatenate(written, out)
    write_jsonl(out / "sources.jsonl", sources)
    append_rejected(out, opened.rejected)
    for row in opened.rejected:
        tally.add(row)
    if section.replay:
        dropped = keep_latest_replays(out, section.replay.max_commits)
        tally.counts.subtract(dropped)
        tally.rejects.update({"over_replay_maximum": sum(dropped.values())})
    shutil.rmtree(scratch)
    return _outcome(tally, redactor, len(sources))


def identify(section: CollectSection) -> dict[str, str]:
    """Return what each source is now, by name: its commit and ref, or a hash of its content.

    Raises `DevtuneError` for every source and policy `collect` could not work with.
    """
    return {reader.name: reader.identify() for reader in open_sources(section).readers}


def _plan(readers: tuple[Reader, ...]) -> tuple[tuple[Reader, ...], list[Source], list[Any]]:
    """Plan each source; a unit says whose it is, and what its reader made of it."""
    ready: list[Reader] = []
    known: dict[str, Source] = {}
    units: list[Any] = []
    for index, reader in enumerate(readers):
        planned, source, inner = reader.plan(known)
        ready.append(planned)
        known[source.name] = source
        units += [(index, each) for each in inner]
    return tuple(ready), list(known.values()), units


def _count(parts: list[Path], units: list[Any], sources: list[Source]) -> Tally:
    """Count all rows; raises when a source gave none, or none are left to train on."""
    whole = Tally()
    for index, source in enumerate(sources):
        tally = Tally()
        for part, (owner, _) in zip(parts, units, strict=True):
            if owner == index:
                tally.read(part)
        if source.kind != "forge":
            _require_kept(tally, source.name)
        whole.counts += tally.counts
        whole.rejects += tally.rejects
    if not (whole.counts["files_train"] or whole.counts["edits_train"]):
        raise DevtuneError(
            "collect.held_out: all of the corpus is held out, nothing is left to train on;"
            " lower it or add a source"
        )
    return whole


def _require_kept(tally: Tally, name: str) -> None:
    if any(tally.counts[f"{kind}_{split}"] for kind in ("files", "edits") for split in SPLITS):
        return
    reasons = ", ".join(f"{reason} {number}" for reason, number in sorted(tally.rejects.items()))
    raise DevtuneError(
        f"{name}: nothing to train on: all {tally.rejects.total()} files and commits were rejected"
        f" ({reasons}); correct the source, or the rules under collect"
    )


def _outcome(tally: Tally, redactor: Redactor, num_sources: int) -> Outcome:
    counts = {
        f"{kind}_{split}": tally.counts[f"{kind}_{split}"]
        for kind in ("files", "changes", "edits", "discussions", "replays")
        for split in SPLITS
    }
    found = redactor.counts
    sides = [
        f"{counts['files_' + split]} files and {counts['edits_' + split]} edits" for split in SPLITS
    ]
    summary = (
        f"{sides[0]} to train on, {sides[1]} held out, from {num_sources}"
        f" {'source' if num_sources == 1 else 'sources'}; {tally.rejects.total()} rejected,"
        f" {sum(found.values())} secrets replaced"
    )
    secrets = {f"secret_{kind}": number for kind, number in found.items()}
    rejects = {reason: number for reason, number in sorted(tally.rejects.items()) if number}
    return Outcome(summary, {**counts, **secrets}, rejects)

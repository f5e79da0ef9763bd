"""Repositories, directories and exports become the corpus, every text cleared of secrets.

Reads the sources of a recipe; writes `sources.jsonl`, `files.jsonl`, `changes.jsonl`,
`discussions.jsonl`, `replays.jsonl`, `sessions.jsonl`, `rejected.jsonl`, `redactions.jsonl` and
`privacy.json`.
"""

import shutil
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from devtune.data.filters.remains import Remains, as_terms, from_terms, united
from devtune.data.filters.tombstones import ERASED, Tombstones, digest_of
from devtune.data.parts import TEMPORARY, Run, run_parts
from devtune.data.privacy.marking import Marker
from devtune.data.privacy.personal import load_personal_policy
from devtune.data.privacy.redaction import Redactor
from devtune.data.privacy.rules import compiled_rules
from devtune.data.privacy.salt import read_salt
from devtune.data.privacy.summary import summarise, write_summary
from devtune.data.sealed import (
    open_key,
    seal,
    seal_value,
    sealed_file,
    unseal,
    unseal_value,
)
from devtune.data.sources.opening import Reader, open_sources
from devtune.data.temporary import temporary_files_in
from devtune.data.writing import (
    FILES,
    Tally,
    append_rejected,
    keep_latest_replays,
    write_rows,
)
from devtune.errors import DevtuneError
from devtune.fingerprint import hash_file
from devtune.jsonl import to_json, write_jsonl
from devtune.pipeline import CollectSection, Executor
from devtune.progress import Progress
from devtune.records import SPLITS, Source
from devtune.stage import Outcome

SCRATCH, TERMS, REMAINS = "scratch", "terms", "remains"
TOMBSTONES = "collect.tombstones"
"""What tombstones are called among the sources of a fingerprint."""
REDACTIONS = "redactions.jsonl"


@dataclass(frozen=True, slots=True)
class Reading:
    """The first half of the work: rows of one unit, secrets marked, and what was learned.

    Executors write down what they are given, so the key and the terms are not in here.
    """

    readers: tuple[Reader, ...]
    scratch: Path
    rules_dir: Path
    personal: Path | None
    """Policy file of personal data."""

    def __call__(self, unit: str, out: Path) -> None:
        """Read one unit into `out`; what a text alone does not give away is sealed with it."""
        key = open_key(self.scratch)
        index, inner = unseal_value(unit, key)
        terms = _terms(self.scratch / TERMS / f"{index:06}", key)
        remains = _remains(self.scratch / TERMS / REMAINS, key)
        policy = load_personal_policy(self.personal) if self.personal else None
        marker, tally = Marker(key, self.rules_dir, policy), Tally()
        with ExitStack() as stack:
            files = {
                kind: stack.enter_context(sealed_file(out / name, key))
                for kind, name in FILES.items()
            }
            rows = self.readers[index].rows(inner, terms, marker)
            for row in (kept for each in rows for kept in remains.without(each)):
                tally.add(row)
                files[type(row)].write(to_json(row))
        tally.write(out)
        seal(marker.learned.values(), key, out)


@lru_cache(maxsize=4)
def _terms(file: Path, key: bytes) -> Any:
    return unseal_value(file.read_text(encoding="ascii"), key)


@lru_cache(maxsize=1)
def _remains(file: Path, key: bytes) -> Remains:
    return Remains(from_terms(unseal_value(file.read_text(encoding="ascii"), key)))


def collect(section: CollectSection, executor: Executor, out: Path, progress: Progress) -> Outcome:
    """Write the corpus of `section` into `out`; equal sources give equal bytes.

    Texts are read once and every secret in them marked. When all are read, a value that one text
    gave away is replaced in all of them. No file of the run holds a secret in clear at any time.
    Raises `DevtuneError` for a source that cannot be read or of which nothing is kept.
    """
    opened, salt = open_sources(section), read_salt(section.salt)
    scratch = out / SCRATCH
    scratch.mkdir(parents=True, exist_ok=True)
    key = open_key(scratch)
    with temporary_files_in(scratch / TEMPORARY):
        sources, units = _plan(opened.readers, scratch)
    run = Run(scratch, executor, progress, "collect")
    reading = Reading(opened.readers, scratch, compiled_rules(scratch), section.personal_data)
    parts = run_parts("read", [seal_value(each, key) for each in units], reading, run)
    tally = _count(parts, units, sources)
    redactor = Redactor(unseal(parts, key), salt)
    shown = progress.track("collect", parts, len(parts), "parts written")
    places = write_rows(shown, key, redactor, out)
    write_jsonl(out / REDACTIONS, places)
    write_jsonl(out / "sources.jsonl", sources)
    append_rejected(out, opened.rejected)
    for row in opened.rejected:
        tally.add(row)
    if section.replay:
        dropped = keep_latest_replays(out, section.replay.max_commits)
        tally.counts.subtract(dropped)
        tally.rejects.update({"over_replay_maximum": sum(dropped.values())})
    summary = summarise(tally.counts, tally.rejects, redactor.learned.values(), places)
    write_summary(out, {**summary, "policy": _policy(section)})
    shutil.rmtree(scratch)
    return _outcome(tally, summary["values"], len(sources))


def identify(section: CollectSection) -> dict[str, str]:
    """Return what each source is now, by name: its commit and ref, or a hash of its content.

    Tombstones that leave out something of them count as one more. Raises `DevtuneError` for every
    source and policy `collect` could not work with.
    """
    tombstones = Tombstones.load(section.tombstones, section.salt)
    readers = open_sources(section).readers
    found = {reader.name: reader.identify() for reader in readers}
    keys = [key for reader in readers for key in reader.concerned_by(tombstones)]
    return {**found, TOMBSTONES: digest_of(keys)} if keys else found


def _plan(readers: tuple[Reader, ...], scratch: Path) -> tuple[list[Source], list[Any]]:
    """Plan each source and leave its terms; a unit says whose it is, and what to read."""
    key, folder = open_key(scratch), scratch / TERMS
    folder.mkdir(exist_ok=True)
    known: dict[str, Source] = {}
    units: list[Any] = []
    for index, reader in enumerate(readers):
        source, terms, inner = reader.plan(known)
        (folder / f"{index:06}").write_text(seal_value(terms, key), encoding="ascii")
        known[source.name] = source
        units += [(index, each) for each in inner]
    runs = as_terms(united(reader.writing() for reader in readers))
    (folder / REMAINS).write_text(seal_value(runs, key), encoding="ascii")
    return list(known.values()), units


def _count(parts: list[Path], units: list[Any], sources: list[Source]) -> Tally:
    """Count all rows; raises when a source gave none, or none are left to train on."""
    whole = Tally()
    for index, source in enumerate(sources):
        tally = Tally()
        for part, (owner, _) in zip(parts, units, strict=True):
            if owner == index:
                tally.read(part)
        if source.kind != "forge" and not tally.rejects[ERASED]:
            _require_kept(tally, source)
        whole.counts += tally.counts
        whole.rejects += tally.rejects
    if not any(whole.counts[f"{kind}_train"] for kind in ("files", "edits", "sessions")):
        raise DevtuneError(
            "collect.held_out: all of the corpus is held out, nothing is left to train on;"
            " lower it or add a source"
        )
    return whole


def _require_kept(tally: Tally, source: Source) -> None:
    is_log = source.kind == "sessions"
    kinds, what = (("sessions",), "logs") if is_log else (("files", "edits"), "files and commits")
    if any(tally.counts[f"{kind}_{split}"] for kind in kinds for split in SPLITS):
        return
    reasons = ", ".join(f"{reason} {number}" for reason, number in sorted(tally.rejects.items()))
    raise DevtuneError(
        f"{source.name}: nothing to train on: all {tally.rejects.total()} {what} were rejected"
        f" ({reasons}); correct the source, or the rules under collect"
    )


def _policy(section: CollectSection) -> dict[str, Any]:
    personal = hash_file(section.personal_data) if section.personal_data else ""
    return {"personal_data": personal, "salted": section.salt is not None}


def _outcome(tally: Tally, found: Mapping[str, Counter[str]], num_sources: int) -> Outcome:
    counts = {
        f"{kind}_{split}": tally.counts[f"{kind}_{split}"]
        for kind in ("files", "changes", "edits", "discussions", "replays", "sessions")
        for split in SPLITS
    }
    sides = [
        f"{counts['files_' + split]} files and {counts['edits_' + split]} edits"
        + (f" and {number} sessions" if (number := counts[f"sessions_{split}"]) else "")
        for split in SPLITS
    ]
    summary = (
        f"{sides[0]} to train on, {sides[1]} held out, from {num_sources}"
        f" {'source' if num_sources == 1 else 'sources'}; {tally.rejects.total()} rejected,"
        f" {found['secret'].total()} secrets and {found['personal'].total()} personal values"
        " replaced"
    )
    if excluded := tally.rejects["excluded_repository"]:
        summary += f"; {excluded} left out by exclude_repositories"
    values = {
        f"{layer}_{kind}": number
        for layer, kinds in found.items()
        for kind, number in sorted(kinds.items())
    }
    rejects = {reason: number for reason, number in sorted(tally.rejects.items()) if number}
    return Outcome(summary, {**counts, **values}, rejects)

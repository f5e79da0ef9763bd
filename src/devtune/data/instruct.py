"""corpus/ → samples/: the steps of a pipeline, families first, then selection.

Reads a corpus; writes `train.jsonl`, `held_out.jsonl`, `rejected.jsonl`, `duplicates.jsonl`,
`contamination.jsonl`, and `preferences.jsonl` where pairs are asked for.
"""

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson

from devtune.data.choosing import CONTAMINATION, choose_samples
from devtune.data.making import MADE, NEEDS_GRAPH, REJECTED, Making
from devtune.data.parts import Run, run_parts
from devtune.data.pool import Pool
from devtune.data.preferring import write_preferences
from devtune.data.preparing import DUPLICATES, GRAPH, draw_graph, find_duplicates
from devtune.data.sides import find_unfit
from devtune.errors import DevtuneError
from devtune.fingerprint import hash_file
from devtune.jsonl import read_jsonl, to_json, write_jsonl
from devtune.pipeline import BuildSection, Executor
from devtune.progress import Progress
from devtune.records import SPLITS, Rejected, Source
from devtune.stage import Outcome
from devtune.steps.families import FamilyStep
from devtune.steps.preferences import Preferences
from devtune.steps.selection import Decontaminate, NearDuplicateFiles, SelectionStep

SCRATCH = "scratch"
SORTED_LINE = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


def build(
    section: BuildSection, executor: Executor, corpus: Path, out: Path, progress: Progress
) -> Outcome:
    """Run the pipeline and write its samples; raises when nothing is left to train on."""
    run = Run(out / SCRATCH, executor, progress, "build")
    run.scratch.mkdir(parents=True, exist_ok=True)
    families = tuple(step for step in section.steps if isinstance(step, FamilyStep))
    selection = [step for step in section.steps if isinstance(step, SelectionStep)]
    dropped, duplicates = _near_duplicates(selection, corpus, out, run)
    graph = run.scratch / GRAPH
    if any(step.type in NEEDS_GRAPH for step in families):
        draw_graph(corpus, graph, run)
    sources = read_jsonl(corpus / "sources.jsonl", Source)
    weights = {source.name: source.weight for source in sources}
    making = Making(section.steps, corpus, graph, dropped, weights)
    parts = run_parts("samples", making.units(), making, run)
    pool = Pool.of(parts)
    write_jsonl(out / CONTAMINATION, ())
    choose_samples(selection, pool, corpus, out, run)
    reasons, done = _write(pool, duplicates, out)
    for step in section.steps:
        if isinstance(step, Preferences):
            kept = {row.sample_id for row in pool.rows.values() if row.split == "train"}
            unfit = find_unfit(selection, pool, out, run)
            reasons.update(unfit.write(out))
            done.update(write_preferences(step, parts, kept, unfit.ids, out))
    counts = Counter(f"{row.split}.{row.family}" for row in pool.rows.values())
    _require_training(counts, reasons, corpus)
    for split in SPLITS:
        counts[split] = sum(row.split == split for row in pool.rows.values())
    shutil.rmtree(run.scratch)
    return Outcome(
        summary=f"{counts['train']} samples to train on, {counts['held_out']} held out, "
        f"{reasons.total()} rejected",
        counts=dict(sorted({**counts, **done}.items())),
        rejects=dict(sorted(reasons.items())),
        metrics={"notes": pool.notes} if pool.notes else {},
    )


def identify(section: BuildSection) -> dict[str, str]:
    """Return hashes of the texts that decontamination compares with, by path."""
    found: dict[str, str] = {}
    for step in section.steps:
        if not isinstance(step, Decontaminate):
            continue
        for number, path in enumerate((*step.texts, *filter(None, [step.benchmarks]))):
            found[f"decontaminate {number} {path.name}"] = _hash_of(path)
    return found


def _hash_of(path: Path) -> str:
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    whole = hashlib.sha256()
    for file in files:
        whole.update(f"{file.relative_to(path)}\0{hash_file(file)}\0".encode())
    return whole.hexdigest()


def _near_duplicates(
    steps: Iterable[SelectionStep], corpus: Path, out: Path, run: Run
) -> tuple[frozenset[int], list[Rejected]]:
    write_jsonl(out / DUPLICATES, ())
    for step in steps:
        if isinstance(step, NearDuplicateFiles):
            return find_duplicates(step, corpus, out, run)
    return frozenset(), []


def _require_training(counts: Mapping[str, int], reasons: Counter[str], corpus: Path) -> None:
    if any(name.startswith("train.") for name in counts):
        return
    worst = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common(3))
    raise DevtuneError(
        f"{corpus}: no training sample came out of it ({worst or 'no code files'});"
        " add sources or loosen the pipeline"
    )


def _write(
    pool: Pool, duplicates: Iterable[Rejected], out: Path
) -> tuple[Counter[str], Counter[str]]:
    """Write what stays and what went, in the order it was made.

    Returns the reasons of what went, and what was done to what stays.
    """
    reasons: Counter[str] = Counter()
    done: Counter[str] = Counter()
    folded = _folded_provenance(pool)
    with ExitStack() as stack:
        files = {
            name: stack.enter_context((out / f"{name}.jsonl").open("wb"))
            for name in (*SPLITS, "rejected")
        }
        for row in duplicates:
            reasons[row.reason] += 1
            files["rejected"].write(to_json(row))
        for part in pool.parts:
            for line in (part / REJECTED).open("rb"):
                reasons[orjson.loads(line)["reason"]] += 1
                files["rejected"].write(line)
        for position, made in _lines(pool):
            sample = made["sample"]
            if position in pool.rows:
                _add_provenance(sample, folded.get(position, []))
                done.update(_done_to(sample))
                files[made["split"]].write(orjson.dumps(sample, option=SORTED_LINE))
                continue
            where = sample["provenance"][0]
            reason = pool.dropped[position]
            reasons[reason] += 1
            row = Rejected(
                reason, where["source"], where["path"], where["commit"], sample["sample_id"]
            )
            files["rejected"].write(to_json(row))
    return reasons, done


def _done_to(sample: Any) -> Iterator[str]:
    """Name what was done to a sample, and why turns of it are not trained."""
    yield from (f"transformed.{each}" for each in sample["transformations"])
    for message in sample["messages"]:
        if message["mask_reason"]:
            yield f"masked.{message['mask_reason']}"


def _lines(pool: Pool) -> Iterator[tuple[int, Any]]:
    for part, base in zip(pool.parts, pool.bases, strict=True):
        with (part / MADE).open("rb") as lines:
            for number, line in enumerate(lines):
                yield base + number, orjson.loads(line)


def _folded_provenance(pool: Pool) -> dict[int, list[Any]]:
    """The places of samples that were folded, by the position of the one that stays."""
    found: dict[int, list[Any]] = {}
    if pool.folded:
        for position, made in _lines(pool):
            if position in pool.folded:
                kept = pool.folded[position]
                found.setdefault(kept, []).extend(made["sample"]["provenance"])
    return found


def _add_provenance(sample: Any, places: list[Any]) -> None:
    for place in places:
        if place not in sample["provenance"]:
            sample["provenance"].append(place)

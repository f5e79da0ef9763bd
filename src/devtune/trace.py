"""Where one sample is from, and what taught a model: every token back to its commit.

Reads the directories of a run; writes nothing. Rows stream: memory holds the sample that was asked
for, or one entry for each commit.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from devtune.errors import DevtuneError
from devtune.jsonl import read_jsonl
from devtune.records import (
    PREFERENCES,
    SPLITS,
    Contamination,
    Preference,
    Provenance,
    Rejected,
    Sample,
    Source,
)
from devtune.report.lineage import Part, find_lineage, find_part, open_dataset
from devtune.report.origins import read_origins
from devtune.report.rows import read_facts, rendered_pair
from devtune.stage import MANIFEST, QUICK_BYTES, read_manifest, verify_files

NUM_NAMED = 3
"""Samples named when a prefix could mean several."""
READ_WHOLE = ("dataset", "samples")
"""Read from end to end anyway, so all their bytes are checked against what was signed."""
RECORDED = ("stage", "fingerprint", "started", "finished", "git_commit", "versions")
_SAMPLE_ID = re.compile(r"[0-9a-f]{16}(?= |\Z)")


@dataclass(slots=True)
class Found:
    """All rows that name one sample."""

    family: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    rejected: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    contamination: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


@dataclass(slots=True)
class Taught:
    """What one commit of one source amounts to in training."""

    source: str
    commit: str
    date: str = ""
    authors: list[str] = field(default_factory=list[str])
    num_samples: int = 0
    num_trained_tokens: int = 0

    def add(self, places: Sequence[Provenance], num_trained_tokens: int) -> None:
        """Count one sample with its places in this commit."""
        self.num_samples += 1
        self.num_trained_tokens += num_trained_tokens
        for each in places:
            self.date = self.date or each.date
            if each.author and each.author not in self.authors:
                self.authors.append(each.author)


def trace_sample(prefix: str, directory: Path) -> dict[str, Any]:
    """Return where the sample whose id begins with `prefix` is from and what became of it.

    `directory` is that of a run, or its `samples/` or `dataset/`. Raises `DevtuneError` when no
    sample, or more than one, begins so, or a file is damaged; what only a directory that is missing
    says is left out, and `missing` names it.
    """
    samples, dataset = _parts_of(directory)
    corpus = find_part("corpus", samples.directory, samples.manifest)
    present = [part for part in (corpus, samples, dataset) if not part.missing]
    for part in present:
        verify_files(part.directory, QUICK_BYTES)
    sample_id, found = _find(prefix, samples, dataset)
    places = [place for row in found.rows for place in row["places"]]
    names = {each["source"] for each in (*places, *found.rejected)}
    return {
        "sample_id": sample_id,
        **asdict(found),
        "rendered": [] if dataset.missing else list(_rendered(dataset.directory, sample_id)),
        "steps": list(_steps(samples.manifest, found)),
        "sources": [] if corpus.missing else _sources(corpus.directory, names),
        "stages": [_recorded(part) for part in present],
        "missing": [part.missing for part in (corpus, dataset) if part.missing],
    }


def _parts_of(directory: Path) -> tuple[Part, Part]:
    """The samples, and the dataset if it was made of them."""
    stage = read_manifest(directory)["stage"] if (directory / MANIFEST).is_file() else ""
    if stage not in ("", "build", "render"):
        raise DevtuneError(
            f"{directory}: written by {stage}; give the directory of a run, or its samples/ or"
            " dataset/"
        )
    samples = directory if stage == "build" else directory / "samples"
    dataset = directory if stage == "render" else samples.with_name("dataset")
    samples = dataset.with_name("samples") if stage == "render" else samples
    if not samples.exists():
        raise DevtuneError(f"{samples}: is not there; give --run the directory of a run")
    part = Part(samples, read_manifest(samples), "")
    if not (dataset / MANIFEST).is_file():
        return part, Part(dataset, {}, "dataset/ is not beside it")
    manifest = open_dataset(dataset)
    missing = find_part("samples", dataset, manifest).missing
    if missing and stage == "render":
        raise DevtuneError(f"{dataset}: {missing}; give --run the directory that holds both")
    return part, Part(dataset, manifest, "dataset/ beside it is of another run" if missing else "")


def _find(prefix: str, samples: Part, dataset: Part) -> tuple[str, Found]:
    found: dict[str, Found] = {}
    for sample_id, name, value in _mentions(samples.directory, dataset):
        if not sample_id.startswith(prefix):
            continue
        if sample_id not in found and len(found) == NUM_NAMED:
            found["…"] = Found()
            break
        one = found.setdefault(sample_id, Found())
        one.family = value.pop("family", "") or one.family
        getattr(one, name).append(value)
    if not found:
        raise DevtuneError(
            f"{samples.directory}: no sample begins with `{prefix}`; `devtune samples` and"
            " `devtune report` show ids"
        )
    if len(found) > 1:
        raise DevtuneError(
            f"{samples.directory}: several samples begin with `{prefix}`: {', '.join(found)};"
            " give more digits"
        )
    return next(iter(found.items()))


def _mentions(samples: Path, dataset: Part) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (sample id, field of `Found`, what is said) of every row that names a sample."""
    for split in SPLITS:
        file = samples / f"{split}.jsonl"
        for line, row in enumerate(read_jsonl(file, Sample), 1):
            where = {"split": split, "file": f"{samples.name}/{file.name}", "line": line}
            yield row.sample_id, "rows", {**where, "family": row.family, **_made(row)}
    file = samples / f"{PREFERENCES}.jsonl"
    for line, pair in enumerate(read_jsonl(file, Preference) if file.is_file() else (), 1):
        where = {"split": "train", "file": f"{samples.name}/{file.name}", "line": line}
        yield pair.sample_id, "rows", {**where, "family": pair.kind, **_paired(pair)}
    directories = {"build": samples} | ({} if dataset.missing else {"render": dataset.directory})
    for stage, directory in directories.items():
        for row in read_jsonl(directory / "rejected.jsonl", Rejected):
            if named := _SAMPLE_ID.match(row.detail):
                yield named[0], "rejected", {"stage": stage, **asdict(row)}
    for row in read_jsonl(samples / "contamination.jsonl", Contamination):
        yield row.sample_id, "contamination", asdict(row)


def _made(row: Sample) -> dict[str, Any]:
    """How a sample was made, and of what."""
    return {
        "step": row.step,
        "template": row.template,
        "transformations": list(row.transformations),
        "places": [asdict(each) for each in row.provenance],
    }


def _paired(pair: Preference) -> dict[str, Any]:
    """How a pair was made: of a chosen session, whose place is the first, and a rejected one."""
    return {
        "step": 0,
        "template": "",
        "transformations": [],
        "places": [asdict(each) for each in pair.provenance],
        "chosen_id": pair.chosen_id,
        "reason": pair.reason,
    }


def _rendered(dataset: Path, sample_id: str) -> Iterator[dict[str, Any]]:
    for split in SPLITS:
        file = dataset / f"{split}.parquet"
        for row, facts in enumerate(read_facts(file), 1):
            if facts["sample_id"] == sample_id:
                where = {"split": split, "file": f"{dataset.name}/{file.name}", "row": row}
                counts = {name: facts[name] for name in ("num_tokens", "num_trained_tokens")}
                yield where | counts
    yield from rendered_pair(dataset, sample_id)


def _steps(samples: Mapping[str, Any], found: Found) -> Iterator[dict[str, Any]]:
    """The steps of the pipeline that made it; of what was left out, those of its family."""
    steps: list[dict[str, Any]] = samples["section"].get("steps", [])
    numbers = {row["step"] for row in found.rows}
    is_pair = any("chosen_id" in row for row in found.rows)
    for number, step in enumerate(steps, 1):
        if is_pair and step.get("type") == PREFERENCES:
            yield {"number": number, "options": step}
        if number in numbers or (not numbers and step.get("type") == found.family):
            yield {"number": number, "options": step}


def _sources(corpus: Path, names: set[str]) -> list[dict[str, Any]]:
    rows = read_jsonl(corpus / "sources.jsonl", Source)
    return [asdict(row) for row in rows if row.name in names]


def _recorded(part: Part) -> dict[str, Any]:
    known = {key: part.manifest.get(key) for key in RECORDED}
    return {"directory": part.directory.name, **known}


def trace_model(model: Path, run: Path | None = None) -> dict[str, Any]:
    """Return the stages a model went through, and every commit it was taught, by source.

    Raises `DevtuneError` when a directory is absent, of another run, or damaged; files of more
    than 64 MB outside samples and dataset are checked for their size only.
    """
    parts = find_lineage(model, run)
    for name, part in parts.items():
        if not part.missing:
            verify_files(part.directory, None if name in READ_WHOLE else QUICK_BYTES)
    taught, totals = _count(parts["dataset"].directory, parts["samples"])
    sources = _by_source(taught, parts["corpus"].directory)
    histories = [each for each in sources if each.get("kind", "git") == "git"]
    totals["num_commits"] = sum(len(each["commits"]) for each in histories)
    totals["num_sources"] = len(sources)
    return {
        "model": model.name,
        "lineage": [
            {"directory": name, "missing": part.missing} | ({} if part.missing else _recorded(part))
            for name, part in parts.items()
        ],
        "training": _training(parts["adapter"].manifest),
        "sources": sources,
        "totals": totals,
    }


def _count(dataset: Path, samples: Part) -> tuple[dict[tuple[str, str], Taught], dict[str, int]]:
    """Count what was trained on by source and commit, and each sample once in all."""
    taught: dict[tuple[str, str], Taught] = {}
    names = ("num_samples", "num_tokens", "num_trained_tokens", "num_shared")
    totals: dict[str, int] = dict.fromkeys(names, 0)
    for facts, places in read_origins(dataset, samples, "train"):
        by_commit = _by_commit(places)
        for key, group in by_commit.items():
            taught.setdefault(key, Taught(*key)).add(group, facts["num_trained_tokens"])
        totals["num_samples"] += 1
        totals["num_tokens"] += facts["num_tokens"]
        totals["num_trained_tokens"] += facts["num_trained_tokens"]
        totals["num_shared"] += len(by_commit) > 1
    return taught, totals


def _by_commit(places: Sequence[Provenance]) -> dict[tuple[str, str], list[Provenance]]:
    groups: dict[tuple[str, str], list[Provenance]] = {}
    for each in places:
        groups.setdefault((each.source, each.commit), []).append(each)
    return groups


def _by_source(taught: Mapping[tuple[str, str], Taught], corpus: Path) -> list[dict[str, Any]]:
    """Sources by name with what is known of them, and their commits, the oldest first."""
    names = {source for source, _ in taught}
    known = {each["name"]: each for each in _sources(corpus, names)}
    groups: list[dict[str, Any]] = []
    for name in sorted(names):
        mine = [each for each in taught.values() if each.source == name]
        mine.sort(key=lambda each: (each.date, each.commit))
        commits = [asdict(each) for each in mine]
        groups.append({**known.get(name, {}), "name": name, "commits": commits})
    return groups


def _training(adapter: Mapping[str, Any]) -> dict[str, Any]:
    section, metrics = adapter["section"], adapter.get("metrics", {})
    found = {name: section.get(name) for name in ("num_train_epochs", "max_steps")}
    return {**found, "steps": metrics.get("steps")}

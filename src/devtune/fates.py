"""What became of the samples of a run when something was erased, and who was trained on them.

Reads the samples of a run before and after, and the manifests of a folder of runs; writes nothing.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devtune.data.exporting import exported_ids
from devtune.errors import DevtuneError
from devtune.jsonl import read_jsonl
from devtune.recipe import Recipe
from devtune.records import PREFERENCES, SPLITS, Preference, Sample
from devtune.report.descent import Finished, adrift, descendants, find_finished
from devtune.report.lineage import MODELS
from devtune.report.rows import read_facts, read_pair_facts, table_of
from devtune.stage import MANIFEST, read_manifest

UNFINISHED = ("adapter.partial", "model.partial", "serving.partial")
"""What a training that is not done left may have been trained on it as well."""
DATA = ("collect", "build", "render")
"""Stages whose directories hold texts."""
EXPORTED = "export-samples"


@dataclass(frozen=True, slots=True)
class Fates:
    """What an erasure means for a run and its neighbours."""

    run_dir: Path
    gone: Mapping[str, tuple[str, ...]]
    """Ids of the samples, and pairs, that went, by split."""
    new: Mapping[str, tuple[str, ...]]
    """Ids of those that came in their place, by split."""
    taught: tuple[Finished, ...]
    """Adapters, models, exports and reports made of a dataset that held one that went."""
    partial: tuple[Path, ...]
    others: tuple[Finished, ...]
    """Corpora, samples, datasets and exported samples elsewhere that hold one that went."""
    unknown: tuple[Finished, ...]
    """Weights whose dataset is not told by what is here."""
    reports: tuple[Path, ...]
    """What was measured with a dataset that held one that went, or with one that is not known."""
    is_same_sources: bool
    exported: tuple[Path, ...] = ()
    """Samples of this run that were exported beside it and hold one that went."""

    @property
    def weights(self) -> list[Path]:
        """Directories of weights that were trained on what went."""
        made = [each.directory for each in self.taught if each.stage in MODELS]
        return [*made, *self.partial]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "gone": {split: list(ids) for split, ids in self.gone.items()},
            "new": {split: list(ids) for split, ids in self.new.items()},
            "taught": [_described(each) for each in self.taught],
            "unfinished": [str(each) for each in self.partial],
            "other_runs": [_described(each) for each in self.others],
            "unknown": [_described(each) for each in self.unknown],
            "same_sources": self.is_same_sources,
        }

    def commands(
        self, recipe: Path, overrides: Sequence[str], weights: Iterable[Path]
    ) -> Iterator[str]:
        """Yield the commands that remove `weights` and stale data of other runs, and train anew."""
        stale = [*weights, *(each.directory for each in self.others)]
        stale += [each for each in self._all_reports() if each not in self.reports]
        runs = dict.fromkeys(each.parent for each in (*self.weights, *self.reports, *stale))
        for run in runs:
            gone = [shlex.quote(str(each)) for each in dict.fromkeys(stale) if each.parent == run]
            if gone:
                yield f"rm -rf -- {' '.join(gone)}"
            asked = [x for each in overrides for x in ("--set", each)]
            own = shlex.join(["devtune", "run", str(recipe), *asked])
            yield own if run == self.run_dir else f"devtune run RECIPE_OF_{shlex.quote(run.name)}"

    def _all_reports(self) -> list[Path]:
        return [each.directory for each in self.taught if each.stage == "evaluate"]


def find_fates(recipe: Recipe, draft: Path, runs: Path) -> Fates:
    """Compare the run of `recipe` with the same made anew in `draft`."""
    old, new = _ids(recipe.run_dir), _ids(draft)
    gone = {split: _missing(old[split], new[split]) for split in SPLITS}
    came = {split: _missing(new[split], old[split]) for split in SPLITS}
    finished = [x for x in find_finished(runs) if not x.directory.is_relative_to(draft.parent)]
    finished += [
        x for x in find_finished(recipe.run_dir) if not x.directory.is_relative_to(draft.parent)
    ]
    finished = list({each.directory: each for each in finished}.values())
    trained = {x.fingerprint for x in finished if _holds(x, "train", gone)}
    measured = {x.fingerprint for x in finished if _holds(x, "held_out", gone)}
    taught = [x for x in descendants(finished, trained) if x.stage in (*MODELS, "evaluate")]
    asked = [x for x in descendants(finished, measured) if x.stage == "evaluate"]
    own = [recipe.run_dir / name for name in UNFINISHED]
    copies = [x for x in finished if x.stage == EXPORTED and _is_stale(x, gone)]
    mine = [x for x in copies if x.directory.parent == recipe.run_dir]
    return Fates(
        run_dir=recipe.run_dir,
        gone=gone,
        new=came,
        taught=tuple(dict.fromkeys((*taught, *asked))),
        partial=tuple(each for each in own if each.exists() and gone["train"]),
        others=(
            *_others(finished, trained | measured, recipe.run_dir),
            *(x for x in copies if x not in mine),
        ),
        unknown=tuple(adrift(finished)),
        reports=_reports(finished, [*taught, *asked], recipe.run_dir),
        is_same_sources=_sources(recipe.run_dir) in ({}, _sources(draft)),
        exported=tuple(each.directory for each in mine),
    )


def _ids(run: Path) -> dict[str, dict[str, None]]:
    """Ids of all samples by split, from samples/, or from dataset/ where that is all there is."""
    found: dict[str, dict[str, None]] = {split: {} for split in SPLITS}
    for split, ids in found.items():
        if (run / "samples" / MANIFEST).is_file():
            ids.update(_ids_of(run / "samples", split))
        if (run / "dataset" / MANIFEST).is_file():
            ids.update(_ids_of(run / "dataset", split))
    return found


def _ids_of(directory: Path, split: str) -> dict[str, None]:
    rows, table = (directory / f"{split}.{suffix}" for suffix in ("jsonl", "parquet"))
    found: dict[str, None] = {}
    if rows.is_file():
        found = dict.fromkeys(each.sample_id for each in read_jsonl(rows, Sample))
    elif table.is_file():
        found = dict.fromkeys(x["sample_id"] for x in read_facts(table))
    return found | _pairs_of(directory) if split == "train" else found


def _pairs_of(directory: Path) -> dict[str, None]:
    """Ids of pairs, which are of the training side; a rejected session stands nowhere else."""
    rows = directory / f"{PREFERENCES}.jsonl"
    if rows.is_file():
        return dict.fromkeys(each.sample_id for each in read_jsonl(rows, Preference))
    return dict.fromkeys(x["sample_id"] for x in read_pair_facts(table_of(directory)))


def _missing(ids: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    known = set(others)
    return tuple(each for each in ids if each not in known)


def _holds(finished: Finished, split: str, gone: Mapping[str, Sequence[str]]) -> bool:
    """Whether a dataset, or the samples of one, has any sample that went, on one side."""
    if finished.stage not in ("build", "render"):
        return False
    wanted = {each for ids in gone.values() for each in ids}
    try:
        return bool(wanted) and not wanted.isdisjoint(_ids_of(finished.directory, split))
    except DevtuneError:
        return True  # one that cannot be read cannot be cleared


def _is_stale(exported: Finished, gone: Mapping[str, Sequence[str]]) -> bool:
    """Whether exported samples have any that went."""
    wanted = {each for ids in gone.values() for each in ids}
    try:
        return any(each in wanted for each in exported_ids(exported.directory))
    except DevtuneError:
        return True  # one that cannot be read cannot be cleared


def _others(finished: Sequence[Finished], holding: set[str], run_dir: Path) -> tuple[Finished, ...]:
    """Directories of data of other runs that hold what went, and the corpora they were made of."""
    made_of = {x for each in finished if each.fingerprint in holding for x in each.inputs.values()}
    held = [x for x in finished if x.fingerprint in holding | made_of]
    return tuple(x for x in held if x.directory.parent != run_dir and x.stage in DATA)


def _reports(
    finished: Sequence[Finished], stale: Sequence[Finished], run_dir: Path
) -> tuple[Path, ...]:
    """Reports of this run that go: stale ones, and any of a dataset that is no longer there."""
    own = [x for x in finished if x.stage == "evaluate" and x.directory.parent == run_dir]
    known = {each.fingerprint for each in finished if each.stage == "render"}
    return tuple(x.directory for x in own if x in stale or x.inputs.get("dataset") not in known)


def _sources(run: Path) -> dict[str, str]:
    if not (run / "corpus" / MANIFEST).is_file():
        return {}
    found = read_manifest(run / "corpus")["section"].get("found", {})
    return {name: value for name, value in found.items() if name != "collect.tombstones"}


def _described(finished: Finished) -> dict[str, str]:
    return {
        "stage": finished.stage,
        "directory": str(finished.directory),
        "fingerprint": finished.fingerprint,
    }

"""The numbers of a rendered dataset, and the samples drawn from it to be looked at.

Reads `dataset/`, and beside it `samples/` and `corpus/` when they are what it was made of; writes
nothing. Everything streams: memory holds counts, what is shown, and one Parquet row group.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from devtune.data.languages import language_of
from devtune.data.privacy.summary import SUMMARY
from devtune.jsonl import read_jsonl
from devtune.records import SPLITS, Provenance, Source, Split
from devtune.report.draw import Draw
from devtune.report.histogram import bins_of, quantile
from devtune.report.lineage import Part, find_part, open_dataset
from devtune.report.omissions import (
    Duplicates,
    Hits,
    Reason,
    read_duplicates,
    read_hits,
    read_reasons,
)
from devtune.report.origins import read_origins
from devtune.report.privacy import LAYERS, Summary, read_summary
from devtune.report.rows import read_pair_facts, table_of
from devtune.stage import QUICK_BYTES, verify_files

NUM_DRAWN = 20
"""Samples shown of each family."""
NUM_PAIRS = 6
"""Pairs shown."""
NUM_LICENSES = 3
QUANTILES = {"median": 0.5, "p90": 0.9, "p99": 0.99, "longest": 1.0}
UNSTATED, NO_CODE = "none stated", "other"
UNMATCHED = "no corpus/ can be told to be its own"


@dataclass(slots=True)
class Tally:
    """What some samples amount to."""

    num_samples: int = 0
    num_tokens: int = 0
    num_trained_tokens: int = 0

    def add(self, facts: Mapping[str, Any]) -> None:
        """Count one row by what it says of itself."""
        self.num_samples += 1
        self.num_tokens += facts["num_tokens"]
        self.num_trained_tokens += facts["num_trained_tokens"]

    @property
    def trained_share(self) -> float:
        """Share of the tokens that the loss counts."""
        return self.num_trained_tokens / max(self.num_tokens, 1)


Tallies = dict[Split, Tally]


class Drawn(NamedTuple):
    """A sample to be shown: where its row is, and where it came from if that is known."""

    split: Split
    row: int
    sample_id: str
    places: tuple[Provenance, ...]


@dataclass
class Numbers:
    """All that a report says of a dataset besides the texts of samples."""

    run: str
    fingerprint: str
    max_length: int
    samples: Part
    corpus: Part
    totals: Tallies
    lengths: dict[Split, Counter[int]]
    families: dict[str, Tallies] = field(default_factory=dict[str, Tallies])
    repositories: dict[str, Tallies] = field(default_factory=dict[str, Tallies])
    languages: dict[str, Tallies] = field(default_factory=dict[str, Tallies])
    licenses: dict[str, Tallies] = field(default_factory=dict[str, Tallies])
    sources: list[Source] = field(default_factory=list[Source])
    rejects: dict[str, dict[str, Reason]] = field(default_factory=dict[str, dict[str, Reason]])
    duplicates: Duplicates | None = None
    hits: Hits | None = None
    searched: Summary | None = None
    """For secrets and personal data; None where no corpus tells."""
    pairs: Counter[str] = field(default_factory=Counter[str])
    """Pairs by kind."""
    num_pair_tokens: int = 0
    pair_draw: Draw[int] = field(default_factory=lambda: Draw[int](NUM_PAIRS))
    """Their rows in the table."""
    draws: dict[str, Draw[Drawn]] = field(default_factory=dict[str, Draw[Drawn]])

    def as_dict(self) -> dict[str, Any]:
        """Return what `devtune report --json` prints."""
        duplicates = self.duplicates
        return {
            "run": self.run,
            "fingerprint": self.fingerprint,
            "max_length": self.max_length,
            "missing": [part.missing for part in (self.samples, self.corpus) if part.missing],
            "splits": {
                split: asdict(self.totals[split]) | {"lengths": self.quantiles(split)}
                for split in SPLITS
            },
            "length_bins": [each._asdict() for each in bins_of(self.lengths)],
            "families": _plain(self.families),
            "repositories": _plain(self.repositories),
            "languages": _plain(self.languages),
            "licenses": _plain(self.licenses),
            "pairs": dict(self.pairs),
            "sources": [asdict(each) for each in self.sources],
            "rejects": {
                stage: {reason: each.count for reason, each in reasons.items()}
                for stage, reasons in self.rejects.items()
            },
            "near_duplicates": duplicates
            and {"num_clusters": duplicates.num_clusters, "num_dropped": duplicates.num_dropped},
            "contamination": self.hits and self.hits.by_reference,
            "replaced": self.searched
            and {layer: self.searched.num_values(layer) for layer in LAYERS},
        }

    def quantiles(self, split: Split) -> dict[str, int]:
        """Return lengths in tokens by name of the quantile."""
        return {name: quantile(self.lengths[split], at) for name, at in QUANTILES.items()}


def _plain(groups: Mapping[str, Tallies]) -> dict[str, Any]:
    return {
        name: {split: asdict(tally) for split, tally in tallies.items()}
        for name, tallies in groups.items()
    }


def read_numbers(dataset: Path) -> Numbers:
    """Count a dataset in one pass over its rows and those of the samples it was made of.

    Raises `DevtuneError` for a directory that is not a finished, whole dataset.
    """
    manifest = open_dataset(dataset)
    verify_files(dataset, largest=QUICK_BYTES)
    samples = find_part("samples", dataset, manifest)
    corpus = find_part("corpus", dataset, samples.manifest)
    if samples.missing:
        corpus = corpus._replace(missing=f"without samples/, {UNMATCHED}")
    numbers = Numbers(
        run=dataset.parent.name,
        fingerprint=manifest["fingerprint"],
        max_length=manifest["section"].get("max_length", 0),
        samples=samples,
        corpus=corpus,
        totals={split: Tally() for split in SPLITS},
        lengths={split: Counter() for split in SPLITS},
    )
    for split in SPLITS:
        for index, (facts, places) in enumerate(read_origins(dataset, samples, split)):
            _count(numbers, split, index, facts, places)
    for index, facts in enumerate(read_pair_facts(table_of(dataset))):
        numbers.pairs[facts["family"]] += 1
        numbers.num_pair_tokens += facts["num_tokens"]
        numbers.pair_draw.offer(facts["sample_id"], index)
    for groups in (numbers.families, numbers.repositories, numbers.languages, numbers.licenses):
        _order(groups)
    if corpus.manifest:
        numbers.sources = list(read_jsonl(corpus.directory / "sources.jsonl", Source))
        numbers.rejects["collect"] = read_reasons(corpus.directory)
        if (corpus.directory / SUMMARY).is_file():
            numbers.searched = read_summary(corpus.directory)
    if samples.manifest:
        numbers.rejects["build"] = read_reasons(samples.directory)
        numbers.duplicates = read_duplicates(samples.directory)
        numbers.hits = read_hits(samples.directory)
    numbers.rejects["render"] = read_reasons(dataset)
    return numbers


def _count(
    numbers: Numbers,
    split: Split,
    row: int,
    facts: Mapping[str, Any],
    places: tuple[Provenance, ...],
) -> None:
    family = facts["family"]
    tallies = [numbers.totals[split], _tally(numbers.families, family, split)]
    if places:
        tallies += [
            _tally(numbers.repositories, places[0].source, split),
            _tally(numbers.languages, _language(places), split),
            _tally(numbers.licenses, _license(places), split),
        ]
    for each in tallies:
        each.add(facts)
    numbers.lengths[split][facts["num_tokens"]] += 1
    drawn = Drawn(split, row, facts["sample_id"], places)
    numbers.draws.setdefault(family, Draw(NUM_DRAWN)).offer(f"{split} {drawn.sample_id}", drawn)


def _tally(groups: dict[str, Tallies], name: str, split: Split) -> Tally:
    if name not in groups:
        groups[name] = {each: Tally() for each in SPLITS}
    return groups[name][split]


_language_of = lru_cache(10_000)(language_of)


def _language(places: Sequence[Provenance]) -> str:
    """The language most of the files have; documentation beside code does not count."""
    names = Counter(name for each in places if (name := _language_of(each.path)))
    return names.most_common(1)[0][0] if names else NO_CODE


def _license(places: Sequence[Provenance]) -> str:
    """All licences of a sample's places: whoever uses it has to keep every one of them."""
    names = sorted({each.license or UNSTATED for each in places})
    if len(names) > NUM_LICENSES:
        return f"more than {NUM_LICENSES} at once"
    if len(names) == 1:
        return names[0]
    return " AND ".join(f"({name})" if re.search(r"\sOR\s", name) else name for name in names)


def _order(groups: dict[str, Tallies]) -> None:
    """Most tokens to train on first."""
    tokens = {
        name: (-tallies["train"].num_tokens, -tallies["held_out"].num_tokens, name)
        for name, tallies in groups.items()
    }
    ordered = {name: groups[name] for name in sorted(groups, key=lambda name: tokens[name])}
    groups.clear()
    groups.update(ordered)

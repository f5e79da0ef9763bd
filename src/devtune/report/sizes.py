"""How much a rendered dataset holds: samples and tokens by family, and how long samples are.

Reads the rows of `dataset/` without their tokens; writes nothing.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from devtune.records import SPLITS, Split
from devtune.report.dataset import QUANTILES, Tallies, Tally
from devtune.report.histogram import quantile
from devtune.report.rows import read_facts


def _tallies() -> Tallies:
    return {split: Tally() for split in SPLITS}


@dataclass(slots=True)
class Sizes:
    """Sums by split, of all and by family, and the samples of each length in tokens."""

    totals: Tallies = field(default_factory=_tallies)
    families: dict[str, Tallies] = field(default_factory=dict[str, Tallies])
    lengths: dict[Split, Counter[int]] = field(default_factory=dict[Split, Counter[int]])

    def quantiles(self, split: Split) -> dict[str, int]:
        """Return lengths in tokens by name of the quantile."""
        return {name: quantile(self.lengths[split], at) for name, at in QUANTILES.items()}


def read_sizes(dataset: Path) -> Sizes:
    """Count a dataset in one pass; families stand in the order of their names."""
    sizes = Sizes()
    for split in SPLITS:
        lengths = sizes.lengths.setdefault(split, Counter())
        for facts in read_facts(dataset / f"{split}.parquet"):
            for tallies in (sizes.totals, sizes.families.setdefault(facts["family"], _tallies())):
                tallies[split].add(facts)
            lengths[facts["num_tokens"]] += 1
    sizes.families = dict(sorted(sizes.families.items()))
    return sizes

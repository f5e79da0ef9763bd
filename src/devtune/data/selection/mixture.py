"""The mix of families and sources in training.

Reads the index; writes nothing. What stays is chosen by hash and does not hang on the order.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

from devtune.data.selection.index import IndexRow, Selection, select
from devtune.steps.selection import Mix

OUTSIDE = "outside_the_mix"
Sizes: TypeAlias = Mapping[str, int]
Weights: TypeAlias = Mapping[str, Fraction]


def mix(step: Mix, rows: Sequence[IndexRow]) -> Selection:
    """Keep of each training family what its weight asks for, and never a sample twice.

    A source of half the weight of the heaviest gives at most half of its samples. Families that
    have too little give all they have, and the others share the rest by their weights.
    """
    families: dict[str, dict[str, list[IndexRow]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row.split == "train":
            families[row.family][row.source].append(row)
    heaviest = max((row.weight for row in rows if row.split == "train"), default=1.0)
    available = {
        family: {
            source: math.ceil(len(members) * Fraction(members[0].weight) / Fraction(heaviest))
            for source, members in sources.items()
        }
        for family, sources in families.items()
    }
    sizes = {family: sum(sources.values()) for family, sources in sorted(available.items())}
    weights = {family: Fraction(step.weights.get(family, 1.0)) for family in sizes}
    asked = _sizes_of_mix(sizes, weights, step.max_samples)
    kept: set[int] = set()
    for family, sources in families.items():
        quotas = apportion(
            asked[family], {each: Fraction(n) for each, n in available[family].items()}
        )
        for source, members in sources.items():
            ordered = sorted(members, key=lambda row: row.by_hash)
            kept.update(row.position for row in ordered[: quotas[source]])
    outside = [row.position for row in rows if row.split == "train" and row.position not in kept]
    return select(rows, dict.fromkeys(outside, OUTSIDE))


def _sizes_of_mix(sizes: Sizes, weights: Weights, max_samples: int | None) -> dict[str, int]:
    wanted = {family: size for family, size in sizes.items() if weights[family] > 0}
    filled = fill(wanted, weights, max_samples) if max_samples else balance(wanted, weights)
    return {family: filled.get(family, 0) for family in sizes}


def balance(sizes: Sizes, weights: Weights) -> dict[str, int]:
    """Return as many of each as its weight allows, measured by the family in the middle.

    Families of more than half of the weight are exhausted then: neither does one with three
    samples shrink all others, nor does a huge one outweigh them. All weights are above 0.
    """
    reach = 0
    unit = Fraction(0)
    for family in sorted(sizes, key=lambda each: (sizes[each] / weights[each], each)):
        unit = sizes[family] / weights[family]
        reach += weights[family]
        if 2 * reach > sum(weights[each] for each in sizes):
            break
    return {family: min(size, math.floor(unit * weights[family])) for family, size in sizes.items()}


def fill(sizes: Sizes, weights: Weights, total: int) -> dict[str, int]:
    """Cut `total` by weight, or all there is; who has too little leaves the rest to others."""
    filled: dict[str, int] = {}
    left = min(total, sum(sizes.values()))
    while True:
        sharing = {family: weights[family] for family in sizes if family not in filled}
        whole = sum(sharing.values())
        short = [family for family in sharing if sizes[family] * whole <= left * sharing[family]]
        if not short:
            return {**filled, **apportion(left, sharing)}
        for family in short:
            filled[family] = sizes[family]
        left -= sum(sizes[family] for family in short)


def apportion(total: int, shares: Weights) -> dict[str, int]:
    """Cut `total` into whole numbers in proportion; largest remainders are rounded up."""
    whole = sum(shares.values())
    if not whole:
        return dict.fromkeys(shares, 0)
    exact = {name: total * share / whole for name, share in shares.items()}
    parts = {name: math.floor(part) for name, part in exact.items()}
    rest = total - sum(parts.values())
    by_remainder = sorted(shares, key=lambda name: (parts[name] - exact[name], name))
    for name in by_remainder[:rest]:
        parts[name] += 1
    return parts

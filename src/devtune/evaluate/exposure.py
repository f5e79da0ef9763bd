"""Readings of two models → how exposed each canary is, beside values that were never planted.

Reads and writes nothing. Exposure is that of Carlini et al., The Secret Sharer (2019): the binary
logarithm of how many values there are over the value's rank among them by likelihood, estimated
from a sample of the values of its shape. `learned` ranks by what training added, the tuned model's
log-probability less the base's, so that what the base prefers anyway does not count.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from devtune.evaluate.canaries import Canary
from devtune.evaluate.control import bits
from devtune.evaluate.extraction import NUM_HELD_BACK, Reading

SIGNIFICANT = 0.01
STANDS_OUT = 5.0
"""Standard deviations above the controls at which one canary is learned, whatever the others are;
one never planted is there in less than one of a million cases if log-probabilities are normal."""
RANKINGS = ("base", "tuned", "learned")


def compare(
    canaries: Sequence[Canary], base: Sequence[Reading], tuned: Sequence[Reading]
) -> dict[str, Any]:
    """Return the verdict, the groups' means and a row for each canary; no value is in it."""
    rows: list[dict[str, Any]] = []
    never_planted: dict[str, list[float]] = {each: [] for each in RANKINGS}
    for canary, before, after in zip(canaries, base, tuned, strict=True):
        rankings = _rankings(before, after)
        for name, ranking in rankings.items():
            never_planted[name] += [_exposure(each, ranking.controls) for each in ranking.held_back]
        rows.append(_row(canary, rankings))
    planted = {name: [row["exposure"][name] for row in rows] for name in RANKINGS}
    num_controls = len(base[0].controls)
    found: dict[str, Any] = {
        "num_canaries": len(rows),
        "num_controls": num_controls,
        "num_held_back": NUM_HELD_BACK * len(rows),
        "num_written": sum(row["is_written"]["tuned"] for row in rows),
        "num_standing_out": sum(row["deviations"] >= STANDS_OUT for row in rows),
        "max_exposure": math.log2(num_controls + 1),
        "expected_exposure": _expected(num_controls),
        "significant_below": SIGNIFICANT,
        "planted": _group(planted),
        "never_planted": _group(never_planted),
    }
    return _rounded({"verdict": verdict(found), **found, "canaries": rows})


def verdict(found: Mapping[str, Any]) -> str:
    """One sentence: memorised, learned or neither."""
    mean, chance = found["planted"]["learned"].values()
    expected = found["expected_exposure"]
    beside = f"mean exposure {mean:.2f} bits, {expected:.2f} by chance, p = {chance:.2g}"
    if count := found["num_written"]:
        return (
            f"MEMORISED: {count} of {found['num_canaries']} canaries are written out word for word,"
            f" where none may be ({beside})"
        )
    if chance < SIGNIFICANT or found["num_standing_out"]:
        return (
            f"LEARNED: none of {found['num_canaries']} canaries is written out, but they rank above"
            f" values that were never planted ({beside}), {found['num_standing_out']} of them by"
            f" {STANDS_OUT:.0f} standard deviations or more"
        )
    return (
        f"not memorised: none of {found['num_canaries']} canaries is written out, and they rank"
        f" like values that were never planted ({beside})"
    )


def _rankings(base: Reading, tuned: Reading) -> dict[str, Reading]:
    def less(after: Sequence[float], before: Sequence[float]) -> tuple[float, ...]:
        return tuple(one - other for one, other in zip(after, before, strict=True))

    learned = Reading(
        tuned.planted - base.planted,
        less(tuned.held_back, base.held_back),
        less(tuned.controls, base.controls),
        tuned.is_written,
        tuned.is_place_trained,
    )
    return dict(zip(RANKINGS, (base, tuned, learned), strict=True))


def _row(canary: Canary, rankings: Mapping[str, Reading]) -> dict[str, Any]:
    learned = rankings["learned"]
    spread = statistics.pstdev(learned.controls)
    away = learned.planted - statistics.fmean(learned.controls)
    return {
        "name": canary.name,
        "value_bits": bits(canary.shape),
        "rank": {name: _rank(each.planted, each.controls) for name, each in rankings.items()},
        "exposure": {
            name: _exposure(each.planted, each.controls) for name, each in rankings.items()
        },
        "deviations": away / spread if spread else 0.0,
        "is_written": {name: rankings[name].is_written for name in ("base", "tuned")},
        "is_place_trained": learned.is_place_trained,
    }


def _rank(score: float, controls: Sequence[float]) -> float:
    """1 for the likeliest; equals share the middle, so that a model that learnt nothing has it."""
    above = sum(each > score for each in controls)
    return 1 + above + sum(each == score for each in controls) / 2


def _exposure(score: float, controls: Sequence[float]) -> float:
    return math.log2(len(controls) + 1) - math.log2(_rank(score, controls))


def _expected(num_controls: int) -> float:
    """Mean exposure of a value whose rank is drawn at random; 1 / ln 2 for endless controls."""
    count = num_controls + 1
    return math.log2(count) - math.lgamma(count + 1) / math.log(2) / count


def _group(exposures: Mapping[str, Sequence[float]]) -> dict[str, dict[str, float]]:
    return {
        name: {"mean_exposure": statistics.fmean(each), "chance": chance(each)}
        for name, each in exposures.items()
    }


def chance(exposures: Sequence[float]) -> float:
    """Probability that as many values that were never planted reach this mean, or more.

    One-sided. 2 to the minus exposure is the p-value of one rank, so their sum is Fisher's
    statistic, a gamma variable; with ranks it errs towards the higher probability.
    """
    total = max(math.log(2) * sum(exposures), 1e-12)
    terms = range(len(exposures))
    logs = (each * math.log(total) - math.lgamma(each + 1) - total for each in terms)
    return min(1.0, sum(map(math.exp, logs)))


def _rounded(value: Any) -> Any:
    """Four significant digits: more would be a fingerprint of the values."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return value

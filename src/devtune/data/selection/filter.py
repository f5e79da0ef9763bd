"""The steps of a pipeline that take samples away, each keeping what it took with a reason."""

from dataclasses import replace

from devtune.data.corpus import Made
from devtune.pipeline import MaxPerFamily
from devtune.records import Rejected, Sample

Filtered = tuple[list[Made], list[Rejected]]


def exact_dedup(made: list[Made]) -> Filtered:
    """Fold samples with equal messages into the first; a held-out one also in training is dropped.

    So is a held-out sample whose answer alone is trained on by the same family: it would measure
    memory, not skill.
    """
    trained_answers = {
        (each.sample.family, _answer(each.sample)) for each in made if each.split == "train"
    }
    kept: dict[str, Made] = {}
    rejected: list[Rejected] = []
    for each in sorted(made, key=lambda one: one.split != "train"):
        first = kept.get(each.sample.sample_id)
        key = (each.sample.family, _answer(each.sample))
        if each.split == "held_out" and key in trained_answers:
            rejected.append(_rejected("answer_is_trained_on", each.sample))
        elif first is None:
            kept[each.sample.sample_id] = each
        else:
            places = (*first.sample.provenance, *each.sample.provenance)
            folded = replace(first.sample, provenance=tuple(dict.fromkeys(places)))
            kept[each.sample.sample_id] = replace(first, sample=folded)
            rejected.append(_rejected("exact_duplicate", each.sample))
    return list(kept.values()), rejected


def max_per_family(step: MaxPerFamily, made: list[Made]) -> Filtered:
    """Keep the samples with the smallest ids of each family and split, in their order."""
    ceilings = {"train": step.train, "held_out": step.held_out}
    groups: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for index, each in enumerate(made):
        key = (each.split, each.sample.family)
        groups.setdefault(key, []).append((each.sample.sample_id, index))
    chosen = {
        index
        for (split, _), ranked in groups.items()
        for _, index in sorted(ranked)[: ceilings[split]]
    }
    kept: list[Made] = []
    rejected: list[Rejected] = []
    for index, each in enumerate(made):
        if index in chosen:
            kept.append(each)
        else:
            rejected.append(_rejected("over_family_maximum", each.sample))
    return kept, rejected


def _answer(sample: Sample) -> str:
    return sample.messages[-1].content


def _rejected(reason: str, sample: Sample) -> Rejected:
    where = sample.provenance[0]
    return Rejected(reason, where.source, where.path, where.commit, sample.sample_id)

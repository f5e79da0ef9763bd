"""Samples with equal messages become one; held-out answers that are trained on word for word go.

Reads the index; writes nothing.
"""

from collections.abc import Sequence
from dataclasses import replace

from devtune.data.selection.index import IndexRow, Selection, select


def exact_dedup(rows: Sequence[IndexRow]) -> Selection:
    """Fold samples with equal messages into the first; a held-out one also in training is dropped.

    So is a held-out sample whose answer alone is trained on by the same family: it would measure
    memory, not skill. A trajectory that another one goes on from is folded into that one: an agent
    that continues a session logs all of it again.
    """
    # The longest one goes on in none; of equal ones the first stays.
    ordered = sorted(rows, key=lambda row: (len(row.turns), -row.position))
    goes_on = {(row.split, digest): row.position for row in ordered for digest in row.turns[:-1]}
    trained_answers = {(row.family, row.answer_hash) for row in rows if row.split == "train"}
    first: dict[str, int] = {}
    dropped: dict[int, str] = {}
    folded: dict[int, int] = {}
    for row in sorted(rows, key=lambda one: one.position):
        if row.split == "held_out" and (row.family, row.answer_hash) in trained_answers:
            dropped[row.position] = "answer_is_trained_on"
        elif row.turns and (row.split, row.turns[-1]) in goes_on:
            dropped[row.position] = "continued_in_another"
            folded[row.position] = goes_on[row.split, row.turns[-1]]
        elif row.sample_id in first:
            dropped[row.position] = "exact_duplicate"
            folded[row.position] = first[row.sample_id]
        else:
            first[row.sample_id] = row.position
    return replace(select(rows, dropped), folded=dict(sorted(folded.items())))

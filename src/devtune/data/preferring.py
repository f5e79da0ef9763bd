"""Attempts at tasks become pairs, one task at a time.

Reads the `attempts.jsonl` of the parts `making` wrote; writes `preferences.jsonl`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from pathlib import Path

from devtune.data.chunks import chunks_of, read_at
from devtune.data.trajectories.preferences import Attempt, pairs_of
from devtune.jsonl import write_jsonl
from devtune.records import PREFERENCES, Preference
from devtune.steps.preferences import Preferences

ATTEMPTS = "attempts.jsonl"


def write_preferences(
    step: Preferences, parts: Sequence[Path], kept: Set[str], unfit: Set[str], out: Path
) -> Counter[str]:
    """Write the pairs whose chosen side is among the samples that stay; return how many.

    `kept` are ids of samples to train on, `unfit` those of sessions that must not be rejected ones.
    Sessions that are held out were no attempts.
    """
    places: dict[str, list[tuple[Path, int]]] = {}
    for part in parts:
        for chunk in chunks_of(part / ATTEMPTS):
            for offset, attempt in chunk.rows(Attempt):
                if attempt.sample_id not in unfit if attempt.fault else attempt.sample_id in kept:
                    places.setdefault(attempt.task, []).append((chunk.file, offset))
    counts: Counter[str] = Counter({f"preferences.{kind}": 0 for kind in step.kinds})

    def pairs() -> Iterator[Preference]:
        for task in sorted(places):
            attempts = [read_at(file, offset, Attempt) for file, offset in places[task]]
            for kind in step.kinds:
                for pair in pairs_of(attempts, kind, step.per_task):
                    counts[f"preferences.{kind}"] += 1
                    yield pair

    write_jsonl(out / f"{PREFERENCES}.jsonl", pairs())
    return counts

"""Sessions that went badly and may still be no side of a pair: what they say must not be seen.

Reads the `attempts.jsonl` of the parts `making` wrote and what selection left in the scratch
directory; adds to `contamination.jsonl` and `rejected.jsonl`. A session that went well is a sample:
selection has judged it already.
"""

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from devtune.data.choosing import CONTAMINATION, MATCHES, PLACES, Matching, Sketching
from devtune.data.chunks import chunks_of, read_at
from devtune.data.making import REJECTED
from devtune.data.parts import Run, finished_parts, run_parts
from devtune.data.pool import Pool
from devtune.data.preferring import ATTEMPTS
from devtune.data.selection.contamination import Hit, References, find_hits
from devtune.data.selection.overlap import find_near
from devtune.data.selection.sketches import Sketches, write_sketches
from devtune.data.selection.wording import answer_of
from devtune.data.trajectories.preferences import Attempt
from devtune.jsonl import to_json
from devtune.records import Contamination, Rejected, Sample
from devtune.steps.selection import Decontaminate, HeldOutOverlap, SelectionStep

CONTAMINATED, NEAR_HELD_OUT = "preference_contaminated", "preference_near_held_out"
FAMILY = "trajectory"


@dataclass(frozen=True, slots=True)
class Attempts:
    """The sessions that went badly, part by part; the position of one is its byte among all."""

    files: tuple[Path, ...]
    bases: tuple[int, ...]

    @staticmethod
    def of(parts: Sequence[Path]) -> "Attempts":
        """Find them in the parts that have any."""
        files = tuple(file for part in parts if (file := part / ATTEMPTS).is_file())
        ends = accumulate((file.stat().st_size for file in files), initial=0)
        return Attempts(files, tuple(ends)[:-1])

    def of_unit(self, unit: int) -> Iterator[tuple[int, Sample]]:
        """Yield (position, session) of one file, all that was said and called in it trained."""
        for chunk in chunks_of(self.files[unit]):
            for offset, attempt in chunk.rows(Attempt):
                if attempt.fault:
                    yield self.bases[unit] + offset, _as_sample(attempt)

    def at(self, position: int) -> Attempt:
        """Return the session at a position."""
        unit = bisect_right(self.bases, position) - 1
        return read_at(self.files[unit], position - self.bases[unit], Attempt)


def _as_sample(attempt: Attempt) -> Sample:
    messages = tuple(replace(each, is_trained=True) for each in attempt.messages)
    return Sample(attempt.sample_id, FAMILY, messages, (attempt.provenance,), attempt.tools)


@dataclass(frozen=True, slots=True)
class SketchingSides:
    """Sketches of the answers of one file."""

    attempts: Attempts
    step: HeldOutOverlap

    def __call__(self, unit: Any, out: Path) -> None:
        """Sketch one file."""
        rows = list(self.attempts.of_unit(unit))
        write_sketches(((FAMILY, answer_of(each)) for _, each in rows), self.step, out)
        places = [position for position, _ in rows]
        (out / PLACES).write_text(json.dumps(places), encoding="utf-8")


@dataclass(slots=True)
class Unfit:
    """Sessions that are no side of a pair, by the id of their sample, and why."""

    ids: set[str] = field(default_factory=set[str])
    rejects: dict[int, Rejected] = field(default_factory=dict[int, Rejected])
    """By position; the first reason stays."""

    def add(self, position: int, attempt: Attempt, reason: str) -> None:
        """Leave one out."""
        place = attempt.provenance
        row = Rejected(reason, place.source, place.path, place.commit, attempt.sample_id)
        self.ids.add(attempt.sample_id)
        self.rejects.setdefault(position, row)

    def write(self, out: Path) -> Counter[str]:
        """Add them to `rejected.jsonl`; return how many by reason."""
        with (out / REJECTED).open("ab") as file:
            for position in sorted(self.rejects):
                file.write(to_json(self.rejects[position]))
        return Counter(each.reason for each in self.rejects.values())


def find_unfit(steps: Sequence[SelectionStep], pool: Pool, out: Path, run: Run) -> Unfit:
    """Ask of sessions that went badly what selection asked of samples.

    Do they share words with a reference, boilerplate left aside, or is a held-out sample nearly the
    same? Steps are those `choose_samples` applied, in the same order.
    """
    unfit, attempts = Unfit(), Attempts.of(pool.parts)
    for number, step in enumerate(steps) if attempts.files else ():
        match step:
            case Decontaminate() if step.texts or step.benchmarks is not None:
                hits = _contaminated(step, attempts, run, str(number))
                with (out / CONTAMINATION).open("ab") as file:
                    for hit in hits:
                        attempt = attempts.at(hit.position)
                        file.write(to_json(_hit_row(hit, attempt)))
                        unfit.add(hit.position, attempt, CONTAMINATED)
            case HeldOutOverlap():
                for position in _near_held_out(step, attempts, pool, run, str(number)):
                    unfit.add(position, attempts.at(position), NEAR_HELD_OUT)
            case _:
                continue
    return unfit


def _contaminated(step: Decontaminate, attempts: Attempts, run: Run, number: str) -> list[Hit]:
    folder = run.scratch / f"contamination_{number}"
    matching = Matching(attempts, folder)
    units = list(range(len(attempts.files)))
    own = run_parts(f"contamination of sides {number}", units, matching, run)
    found = find_hits(
        [part / MATCHES for part in own],
        References.load(folder),
        step.max_document_frequency,
        beside=[part / MATCHES for part in finished_parts(f"contamination {number}", run)],
    )
    return found.hits


def _near_held_out(
    step: HeldOutOverlap, attempts: Attempts, pool: Pool, run: Run, number: str
) -> Iterator[int]:
    folder = run.scratch / f"sides_{number}"
    folder.mkdir(exist_ok=True)
    units = list(range(len(attempts.files)))
    sides = run_parts(f"sides {number}", units, SketchingSides(attempts, step), run)
    sketching = Sketching(pool.samples(folder), step, ("held_out",))
    sketched = run_parts(f"held out beside sides {number}", pool.units(), sketching, run)
    held_out = Sketches([part / "held_out" for part in sketched])
    places = [
        position
        for part in sides
        for position in json.loads((part / PLACES).read_text(encoding="utf-8"))
    ]
    yield from (places[row] for row in find_near(held_out, Sketches(sides), step.min_jaccard))


def _hit_row(hit: Hit, attempt: Attempt) -> Contamination:
    place = attempt.provenance
    return Contamination(
        hit.sample_id, FAMILY, place.source, place.path, hit.benchmark, hit.document, hit.ngram
    )

"""What an erasure came to, in lines for a terminal.

Works on what `devtune.erase` returns; reads and writes no files.
"""

from collections.abc import Iterator, Mapping
from typing import Any

NUM_NAMED = 10
"""Samples named; `erasure.json` has all."""


def erasure_lines(found: Mapping[str, Any], *, is_trial: bool) -> Iterator[str]:
    """Yield the lines for one erasure; `is_trial` for one that changed nothing."""
    gone, new = (sum(map(len, found[name].values())) for name in ("gone", "new"))
    verb = "would go" if is_trial else "went"
    yield f"{gone} samples {verb}, {new} came in their place"
    for split, ids in found["gone"].items():
        if ids:
            more = f" and {len(ids) - NUM_NAMED} more" if len(ids) > NUM_NAMED else ""
            yield f"  {split:<9} {' '.join(ids[:NUM_NAMED])}{more}"
    if not found["same_sources"]:
        yield "the sources have changed since they were read, so some of it is the work of that"
    yield from _listed("trained on it or measured with it:", found["taught"])
    yield from _listed("other runs that hold it:", found["other_runs"])
    yield from _listed("weights that do not say what taught them:", found["unknown"])
    if found["unfinished"]:
        yield f"not finished, to be removed: {' '.join(found['unfinished'])}"
    if found["commands"]:
        yield "to train without it:"
        yield from (f"  {each}" for each in found["commands"])
    elif not found["taught"]:
        yield "nothing here was trained on it"
    if is_trial:
        yield "nothing was changed; leave --dry-run out to erase it"


def _listed(title: str, rows: list[dict[str, str]]) -> Iterator[str]:
    if rows:
        yield title
    for row in rows:
        yield f"  {row['stage']:<9} {row['fingerprint'][:12]}  {row['directory']}"

"""Everything in a folder of runs that was made of given directories, found by fingerprints.

Reads the manifests below a folder; writes nothing. No symlink is followed.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from devtune.errors import DevtuneError
from devtune.line import LINE
from devtune.report.lineage import MODELS
from devtune.stage import MANIFEST, read_manifest

_ORDER = {stage.name: place for place, stage in enumerate(LINE)}


@dataclass(frozen=True, slots=True)
class Finished:
    """One finished stage directory."""

    stage: str
    directory: Path
    fingerprint: str
    inputs: Mapping[str, str] = field(hash=False)
    """Fingerprints of what it was made of, by name."""


def find_finished(runs: Path) -> list[Finished]:
    """Return every finished stage directory below `runs`, by path."""
    return sorted(_walk(runs), key=lambda each: (str(each.directory.parent), _place(each)))


def _walk(runs: Path) -> Iterator[Finished]:
    for folder, inside, names in os.walk(runs):
        inside.sort()
        if MANIFEST not in names:
            continue
        inside.clear()  # what a stage wrote holds no run
        try:
            manifest = read_manifest(Path(folder))
        except DevtuneError:
            continue  # another program's file of that name
        yield Finished(
            manifest["stage"], Path(folder), manifest["fingerprint"], dict(manifest["inputs"])
        )


def _place(finished: Finished) -> int:
    return _ORDER.get(finished.stage, len(_ORDER))


def descendants(finished: Sequence[Finished], roots: Iterable[str]) -> list[Finished]:
    """Return what was made of any of the fingerprints `roots`, over any number of stages."""
    reached = set(roots)
    found: set[Finished] = set()
    while new := [x for x in finished if x not in found and reached & set(x.inputs.values())]:
        found.update(new)
        reached.update(each.fingerprint for each in new)
    return [each for each in finished if each in found]


def adrift(finished: Sequence[Finished]) -> list[Finished]:
    """Return weights whose way back to a dataset is not whole here: none can say who taught them.

    An adapter names its dataset by itself; what is made of it needs the adapter.
    """
    trained = {each.fingerprint for each in finished if each.stage == "train"}
    made = {each.fingerprint for each in descendants(finished, trained)} | trained
    return [x for x in finished if x.stage in MODELS and x.fingerprint not in made]

"""What is known of a dataset besides its rows, for the card and the metadata beside them.

Reads the manifests of `corpus/` and `samples/`, `corpus/sources.jsonl` and `corpus/privacy.json`;
writes nothing. Nothing in it says when, where or by whom it was made.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from devtune.data.languages import language_of
from devtune.data.privacy.summary import SUMMARY
from devtune.errors import DevtuneError
from devtune.fingerprint import hash_file
from devtune.jsonl import read_jsonl
from devtune.pipeline import RenderSection
from devtune.records import PREFERENCES, SPLITS, Sample, Source
from devtune.stage import MANIFEST, read_manifest

UNSTATED = ""
NUM_NAMED = 3
_language_of = lru_cache(10_000)(language_of)


@dataclass(frozen=True, slots=True)
class Makeup:
    """How many rendered samples come from each source, language and licence; one may have many."""

    sources: Counter[str] = field(default_factory=Counter[str])
    languages: Counter[str] = field(default_factory=Counter[str])
    licenses: Counter[str] = field(default_factory=Counter[str])
    """SPDX expressions; `""` where nothing says one."""

    def add(self, sample: Sample) -> None:
        """Count one sample by the places it came from."""
        places = sample.provenance
        self.sources.update({each.source for each in places})
        self.languages.update({_language_of(each.path) for each in places} - {""})
        self.licenses.update({each.license for each in places})

    def write(self, file: Path) -> None:
        """Leave the numbers of one part."""
        numbers = {name: getattr(self, name) for name in self.__slots__}
        file.write_text(json.dumps(numbers, sort_keys=True), encoding="utf-8")

    def read(self, file: Path) -> None:
        """Add the numbers of a part."""
        for name, counts in json.loads(file.read_text(encoding="utf-8")).items():
            getattr(self, name).update(counts)


@dataclass(frozen=True, slots=True)
class Work:
    """What a stage did: its steps by name and in order, what it counted and what it left out."""

    steps: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    rejects: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class File:
    """A file of the dataset."""

    name: str
    num_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Description:
    """All that is said of a dataset."""

    creator: str
    sources: tuple[Source, ...]
    makeup: Makeup
    collect: Work
    build: Work
    render: Work
    max_length: int
    privacy: Mapping[str, Any] | None
    """`corpus/privacy.json`; None where the corpus has none."""
    files: tuple[File, ...]

    @property
    def name(self) -> str:
        """A name made of those of its sources."""
        names = [each.name for each in self.sources if each.kind != "forge"]
        more = f" and {len(names) - NUM_NAMED} more" if len(names) > NUM_NAMED else ""
        return f"Samples of {', '.join(names[:NUM_NAMED])}{more}"

    @property
    def num_samples(self) -> dict[str, int]:
        """Rendered samples by split."""
        return {split: self.render.counts[split] for split in SPLITS}

    @property
    def num_pairs(self) -> int | None:
        """Rendered pairs; None where none were asked for."""
        return self.render.counts.get(PREFERENCES)

    @property
    def licenses(self) -> list[str]:
        """The licences of its samples, and of the sources where files say none, by name."""
        return sorted(filter(None, {*self.makeup.licenses, *(s.license for s in self.sources)}))

    @property
    def num_unlicensed(self) -> int:
        """Samples with a text for which nothing says a licence."""
        return self.makeup.licenses[UNSTATED]


def describe(
    section: RenderSection,
    corpus: Path,
    samples: Path,
    rendered: Work,
    makeup: Makeup,
    files: Iterable[Path],
) -> Description:
    """Put together what is known. Directories no stage has signed count nothing."""
    collected, built = _manifest(corpus), _manifest(samples)
    return Description(
        creator=section.creator,
        sources=tuple(read_jsonl(corpus / "sources.jsonl", Source)),
        makeup=makeup,
        collect=_work(collected, "file_rules", "commit_rules"),
        build=_work(built, "steps"),
        render=rendered,
        max_length=section.max_length,
        privacy=_privacy(corpus / SUMMARY),
        files=tuple(File(each.name, each.stat().st_size, hash_file(each)) for each in files),
    )


def _work(manifest: Mapping[str, Any], *lists: str) -> Work:
    section = manifest.get("section", {})
    steps = {name: tuple(each["type"] for each in section.get(name, ())) for name in lists}
    return Work(steps, manifest.get("counts", {}), manifest.get("rejects", {}))


def _manifest(directory: Path) -> dict[str, Any]:
    return read_manifest(directory) if (directory / MANIFEST).is_file() else {}


def _privacy(file: Path) -> dict[str, Any] | None:
    if not file.is_file():
        return None
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        raise DevtuneError(
            f"{file}: damaged; move {file.parent} away and run its stage again"
        ) from None

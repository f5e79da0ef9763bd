"""What was searched for secrets and personal data, what was found and where.

Reads `corpus/`, and the rejects of a `dataset/` beside it that was made of it; writes nothing. No
value is in there. Rows stream: memory holds counts, and the rows that are shown.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from devtune.data.privacy.summary import SUMMARY
from devtune.errors import DevtuneError, one_line
from devtune.jsonl import first_fault, read_jsonl, to_json
from devtune.records import Redaction, Rejected, Source
from devtune.report.draw import Draw
from devtune.report.lineage import Part, find_part
from devtune.stage import MANIFEST, QUICK_BYTES, read_manifest, verify_files

REDACTIONS, REJECTED = "redactions.jsonl", "rejected.jsonl"
Layer = Literal["secret", "personal"]
LAYERS: tuple[Layer, ...] = ("secret", "personal")
NUM_PLACES = 100
"""Places shown of each layer in a source, and of the texts that were left out of it."""
NUM_CONTEXTS = 20
"""Replacements shown in their context, of each layer."""
IN_SAMPLE = "secret_in_sample"
"""Why `render` leaves out a sample in which its own search found something."""


@with_config(ConfigDict(strict=True))
@dataclass(frozen=True, slots=True)
class Policy:
    """By which rules of the site it was searched."""

    salted: bool
    """Whether placeholders are named under the salt of the site, or numbered."""
    personal_data: str = ""
    """Hash of the policy on personal data; `""` where nothing looked for any."""


@with_config(ConfigDict(strict=True))
@dataclass(frozen=True, slots=True)
class Summary:
    """`corpus/privacy.json`: numbers by layer, kind and rule."""

    num_texts: int
    num_lines: int
    values: dict[Layer, dict[str, int]]
    places: dict[Layer, dict[str, int]]
    rules: dict[str, int]
    per_1000_lines: dict[Layer, float]
    dropped: dict[str, int]
    policy: Policy

    def num_values(self, layer: Layer) -> int:
        """Return how many different values a layer found."""
        return sum(self.values.get(layer, {}).values())

    def num_places(self, layer: Layer) -> int:
        """Return in how many files, and sources outside files, they stood."""
        return sum(self.places.get(layer, {}).values())


class Kind(NamedTuple):
    """One kind of value, and in how many places which rule found it first."""

    name: str
    num_values: int
    num_places: int
    rules: list[tuple[str, int]]


class Second(NamedTuple):
    """What the search of the rendered samples found, or why that cannot be told."""

    missing: str
    num_left_out: int = 0
    rules: Mapping[str, int] = {}
    """Samples that broke each rule."""


@dataclass(slots=True)
class Group:
    """Places in one source, and texts that were left out of it."""

    places: dict[Layer, Draw[Redaction]] = field(
        default_factory=lambda: {layer: Draw(NUM_PLACES) for layer in LAYERS}
    )
    left_out: Draw[Rejected] = field(default_factory=lambda: Draw(NUM_PLACES))


@dataclass
class Findings:
    """All that the page says besides texts in context."""

    corpus: Part
    summary: Summary
    sources: list[Source]
    second: Second
    groups: dict[str, Group] = field(default_factory=dict[str, Group])
    """By name of the source, most secrets first."""
    rules: Counter[tuple[Layer, str, str]] = field(default_factory=Counter[tuple[Layer, str, str]])
    """Places by layer, kind and rule."""
    draws: dict[tuple[Layer, str], Draw[Redaction]] = field(
        default_factory=dict[tuple[Layer, str], Draw[Redaction]]
    )
    """Places to show in context, by layer and kind."""

    @property
    def run(self) -> str:
        """The name of the run."""
        return self.corpus.directory.parent.name

    @property
    def policy(self) -> str:
        """Hash of the policy on personal data; `""` where nothing looked for any."""
        signed = self.corpus.manifest["section"].get("personal_data")
        return self.summary.policy.personal_data or signed or ""

    def kinds(self, layer: Layer) -> list[Kind]:
        """Return the kinds of a layer, those of most values first."""
        values, places = (
            each.get(layer, {}) for each in (self.summary.values, self.summary.places)
        )
        found = [
            Kind(name, number, places.get(name, 0), self._rules_of(layer, name))
            for name, number in values.items()
        ]
        return sorted(found, key=lambda each: (-each.num_values, -each.num_places, each.name))

    def _rules_of(self, layer: Layer, kind: str) -> list[tuple[str, int]]:
        found = [
            (each[2], number) for each, number in self.rules.items() if each[:2] == (layer, kind)
        ]
        return sorted(found, key=lambda each: (-each[1], each[0]))

    def to_show(self, layer: Layer) -> list[Redaction]:
        """Return what is shown in context: one of each kind, then another of each, and so on."""
        drawn = [self.draws[layer, each.name].drawn() for each in self.kinds(layer)
                 if (layer, each.name) in self.draws]  # fmt: skip
        in_turn = [some[turn] for turn in range(NUM_CONTEXTS) for some in drawn if turn < len(some)]
        return in_turn[:NUM_CONTEXTS]


def open_corpus(directory: Path) -> Part:
    """Return the corpus `directory` is or holds; raises `DevtuneError` for any other."""
    corpus = directory if (directory / MANIFEST).is_file() else directory / "corpus"
    manifest = read_manifest(corpus)
    if manifest["stage"] != "collect":
        raise DevtuneError(
            f"{corpus}: written by {manifest['stage']}; give the directory of a run, or its corpus/"
        )
    verify_files(corpus, QUICK_BYTES)
    return Part(corpus, manifest, "")


def read_summary(corpus: Path) -> Summary:
    """Return `privacy.json` of a corpus; raises `DevtuneError` where there is none to be used."""
    return _parsed(corpus, _read_bytes(corpus))


def _read_bytes(corpus: Path) -> bytes:
    file = corpus / SUMMARY
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise DevtuneError(
            f"{corpus}: was written before it was noted what was replaced (no {SUMMARY}); move it"
            " away and run collect again"
        ) from None
    except OSError as error:
        raise DevtuneError(one_line(error, file)) from None


def _parsed(corpus: Path, content: bytes) -> Summary:
    try:
        return TypeAdapter(Summary).validate_json(content)
    except ValidationError as error:
        raise DevtuneError(
            f"{corpus / SUMMARY}: damaged ({first_fault(error)}); move {corpus} away and run"
            " collect again"
        ) from None


def read_findings(directory: Path) -> Findings:
    """Count what was found, in one pass over its rows.

    Raises `DevtuneError` for a directory that is not, and does not hold, a whole corpus.
    """
    corpus = open_corpus(directory)
    summary = read_summary(corpus.directory)
    sources = list(read_jsonl(corpus.directory / "sources.jsonl", Source))
    findings = Findings(corpus, summary, sources, _second_search(corpus))
    for row in read_jsonl(corpus.directory / REDACTIONS, Redaction):
        key = "\0".join((row.placeholder, row.source, row.path))
        group = findings.groups.setdefault(row.source, Group())
        group.places[row.layer].offer(key, row)
        findings.rules[row.layer, row.kind, row.rule] += 1
        findings.draws.setdefault((row.layer, row.kind), Draw(NUM_CONTEXTS)).offer(key, row)
    for row in _left_out(corpus.directory, summary):
        key = "\0".join((row.path, row.commit, row.detail))
        findings.groups.setdefault(row.source, Group()).left_out.offer(key, row)
    findings.groups = dict(sorted(findings.groups.items(), key=_weight))
    return findings


def _left_out(corpus: Path, summary: Summary) -> Iterator[Rejected]:
    rows = read_jsonl(corpus / REJECTED, Rejected)
    return (row for row in rows if row.reason in summary.dropped)


def _weight(named: tuple[str, Group]) -> tuple[int, int, int, str]:
    name, group = named
    secret, personal = (-group.places[layer].num_offered for layer in LAYERS)
    return secret, -group.left_out.num_offered, personal, name


def _second_search(corpus: Part) -> Second:
    """What `render` found in samples made of this corpus, which it or the samples name."""
    dataset = corpus.directory.with_name("dataset")
    if not (dataset / MANIFEST).is_file():
        return Second("dataset/ is not beside it")
    try:
        manifest = read_manifest(dataset)
    except DevtuneError:
        return Second(f"dataset/ beside it has a damaged {MANIFEST}")
    reader = manifest
    if "corpus" not in manifest["inputs"]:
        samples = find_part("samples", dataset, manifest)
        if samples.missing:
            return Second(samples.missing)
        reader = samples.manifest
    if reader["inputs"].get("corpus") != corpus.manifest["fingerprint"]:
        return Second("dataset/ beside it is of another run")
    rules: Counter[str] = Counter()
    num_left_out = 0
    for row in read_jsonl(dataset / REJECTED, Rejected):
        if row.reason == IN_SAMPLE:
            num_left_out += 1
            rules.update(row.detail.partition(" ")[2].split(", "))  # after the id of the sample
    return Second(
        "", num_left_out, dict(sorted(rules.items(), key=lambda each: (-each[1], each[0])))
    )


def json_pieces(directory: Path) -> Iterator[str]:
    """Yield one JSON object: `privacy.json` and, as `found` and `left_out`, the rows behind it."""
    corpus = open_corpus(directory)
    content = _read_bytes(corpus.directory)
    summary, second = _parsed(corpus.directory, content), _second_search(corpus)
    head: Mapping[str, Any] = {
        **orjson.loads(content),
        "run": corpus.directory.parent.name,
        **{key: corpus.manifest.get(key) for key in ("fingerprint", "finished", "versions")},
        "second_search": second._asdict(),
    }
    yield orjson.dumps(head, option=orjson.OPT_SORT_KEYS).decode().removesuffix("}")
    found = read_jsonl(corpus.directory / REDACTIONS, Redaction)
    for name, rows in (("found", found), ("left_out", _left_out(corpus.directory, summary))):
        yield f',"{name}":['
        for number, row in enumerate(rows):
            yield ("," if number else "") + to_json(row).decode().removesuffix("\n")
        yield "]"
    yield "}"

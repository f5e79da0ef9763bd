"""What a security reviewer approves or refuses a corpus from, as one HTML page.

Reads what `privacy.read_findings` and `contexts.read_contexts` read; writes the page.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from devtune.data.privacy.personal import PersonalPolicy, load_personal_policy
from devtune.fingerprint import hash_file
from devtune.records import Redaction, Rejected
from devtune.report.contexts import Context, read_contexts
from devtune.report.excerpt import spelt
from devtune.report.html import fill, write_html
from devtune.report.privacy import LAYERS, REDACTIONS, Findings, Group, read_findings

POLICIES = Path(__file__).resolve().parents[3] / "data_prep" / "policy"
NUM_GROUPS = 100
"""Sources whose places are listed."""
NUM_OPEN = 3
"""Sources whose places need no click."""
SCANNERS = ("devtune", "kingfisher-secret-scanner")


def write_privacy_page(directory: Path, out: Path | None = None) -> Path:
    """Write the page on a run or its corpus and return where: `privacy.html` beside the corpus."""
    findings = read_findings(directory.resolve())
    corpus = findings.corpus.directory
    wanted = {layer: findings.to_show(layer) for layer in LAYERS}
    contexts = read_contexts(corpus, [row for some in wanted.values() for row in some])
    return write_html(out or corpus.with_name("privacy.html"), page(findings, contexts), corpus)


def page(findings: Findings, contexts: list[Context]) -> Iterator[str]:
    """Yield the page in pieces; every text of the data is escaped, and nothing of it hidden."""
    manifest = findings.corpus.manifest
    values = {
        "title": spelt(findings.run),
        "subject": "privacy",
        "run": findings.run,
        "findings": findings,
        "summary": findings.summary,
        "contexts": {
            layer: [each for each in contexts if each.row.layer == layer] for layer in LAYERS
        },
        "manifest": manifest,
        "scanners": _scanners(manifest),
        "policy": _known_policy(findings.policy),
        "places": _places,
        "left_out": _left_out,
        "num_left_out": sum(each.left_out.num_offered for each in findings.groups.values()),
        "LAYERS": LAYERS,
        "NUM_GROUPS": NUM_GROUPS,
        "NUM_OPEN": NUM_OPEN,
        "REDACTIONS": REDACTIONS,
    }
    return fill("privacy.html.jinja", values)


def _places(group: Group, layer: Any) -> list[Redaction]:
    """The places of a layer that are shown, those of one file together."""
    rows = group.places[layer].drawn()
    return sorted(rows, key=lambda row: (row.path, row.line, row.placeholder))


def _left_out(group: Group) -> list[Rejected]:
    return sorted(group.left_out.drawn(), key=lambda row: (row.path, row.commit, row.detail))


def _scanners(manifest: Mapping[str, Any]) -> str:
    versions: Mapping[str, str] = manifest.get("versions") or {}
    return ", ".join(f"{name} {versions[name]}" for name in SCANNERS if name in versions)


class Known(NamedTuple):
    """A policy on personal data that is a file of this tree."""

    name: str
    policy: PersonalPolicy

    @property
    def replaced(self) -> list[str]:
        """Kinds it has replaced."""
        return [kind for kind, choice in self.policy.kinds if choice == "replace"]

    @property
    def kept(self) -> list[str]:
        """Kinds it has kept whole."""
        return [kind for kind, choice in self.policy.kinds if choice == "keep"]

    @property
    def exceptions(self) -> dict[str, tuple[str, ...]]:
        """What it has kept of the others, by list."""
        return {name: patterns for name, patterns in self.policy.keep if patterns}


def _known_policy(digest: str) -> Known | None:
    """The policy of this hash; a manifest knows no more of a file than that."""
    for file in sorted(POLICIES.glob("*.yaml")) if digest else ():
        if hash_file(file) == digest:
            name = file.relative_to(POLICIES.parents[1]).as_posix()
            return Known(name, load_personal_policy(file))
    return None

"""The tree and the history of a git repository, as rows of the corpus.

Reads commits, trees and blobs; writes nothing. Commits count however they were merged. The latest
are held out: the tree is taken before them, and what they made new is marked to be measured.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from devtune.data.filters.files import FileRules
from devtune.data.filters.handwriting import Handwriting
from devtune.data.filters.tombstones import Tombstones
from devtune.data.privacy.marking import Marker
from devtune.data.sources.authorship import find_authors
from devtune.data.sources.blobs import Blobs
from devtune.data.sources.git import Repository, open_repository, resolve
from devtune.data.sources.git_plan import plan_git
from devtune.data.sources.git_rows import GitRows, Row
from devtune.data.sources.git_units import Plan
from devtune.data.sources.history import read_tree
from devtune.data.sources.identity import ids_of
from devtune.data.sources.taint import Taint, as_terms, from_terms, taint_of
from devtune.data.sources.texts import Texts
from devtune.errors import DevtuneError
from devtune.pipeline import CollectSection, GitSource
from devtune.records import Source


@dataclass(frozen=True, slots=True)
class GitReader:
    """A repository at one commit."""

    name: str
    source: GitSource
    section: CollectSection
    repository: Repository
    tip: str

    def identify(self) -> str:
        """Return the commit that is read, and the ref it was named by."""
        return f"{self.tip} ({self.source.ref or 'checked-out branch'})"

    def plan(self, known: Mapping[str, Source]) -> tuple[Source, Any, list[Any]]:
        """Return what is known of the source, its attributes and licences, and the units."""
        taint = self.taint()
        plan = plan_git(self.repository, self.tip, self.source, self.section, taint)
        described = Source(
            name=self.name,
            kind="git",
            weight=self.source.weight,
            license=self.source.license,
            owner=self.source.owner,
            tip=self.tip,
            cut=plan.cut,
            cut_date=plan.cut_date,
            num_held_out_commits=len(plan.held_out),
        )
        terms = {"attributes": plan.attributes, "licenses": plan.licenses}
        return described, {**terms, "erased": as_terms(taint)}, plan.units

    def taint(self) -> Taint:
        """Return what of the history is erased. Raises `RecipeError` as `Tombstones.load`."""
        tombstones = Tombstones.load(self.section.tombstones, self.section.salt)
        return taint_of(self.repository, self.tip, self.ids(), tombstones)

    def writing(self) -> Handwriting:
        """Return runs of lines of what is erased of it."""
        return self.taint().writing

    def ids(self) -> tuple[str, ...]:
        """Return what the source is known by among erased ones."""
        return ids_of(self.name, self.repository, self.tip)

    def concerned_by(self, tombstones: Tombstones) -> list[str]:
        """Return the keys of the tombstones that leave something out of it."""
        if not tombstones:
            return []
        authors, commits = find_authors(self.repository, self.tip)
        return tombstones.concerning(self.ids(), authors, commits)

    def rows(self, unit: Any, terms: Any, marker: Marker) -> Iterator[Row]:
        """Yield the rows of one unit, secrets marked."""
        plan = Plan.of(unit)
        # A process opens the terms once, and what the rules said of a path is kept with them.
        rules = terms["rules"] = terms.get("rules") or self._rules(terms)
        with Blobs(self.repository) as blobs:
            taint = from_terms(terms["erased"], plan.positions)
            reading = GitRows(
                self.name, self.section, self.source.subpaths, self.repository, self.tip,
                plan, rules, Texts(rules, marker), blobs, taint,
            )  # fmt: skip
            yield from reading.files() if plan.leaves else reading.commits()

    def _rules(self, terms: Any) -> FileRules:
        attributes, licenses = terms["attributes"], terms["licenses"]
        return FileRules(self.section.file_rules, attributes, licenses, self.source.license)


def open_git(source: GitSource, name: str, section: CollectSection) -> GitReader:
    """Open the repository and resolve its ref. Raises `DevtuneError` as `git` does."""
    repository = open_repository(source.path)
    tip = resolve(repository, source.ref)
    for wanted in [(each,) for each in source.subpaths] or [()]:
        if not read_tree(repository, tip, wanted):
            where = f" under {wanted[0]}" if wanted else ""
            remedy = "correct `subpaths`" if wanted else "set another `ref`"
            raise DevtuneError(f"{source.path}: no files in it{where} at {tip[:12]}; {remedy}")
    return GitReader(name, source, section, repository, tip)


def remotes_of(repository: Repository) -> Iterable[str]:
    """Return where the repository was cloned from, as its configuration says."""
    answer = repository.ask("config", "--local", "--get-regexp", r"^remote\..*\.url$") or ""
    return [line.split(" ", 1)[1] for line in answer.splitlines() if " " in line]

"""The tree and the history of a git repository, as rows of the corpus.

Reads commits, trees and blobs; writes nothing. Commits count however they were merged. The latest
are held out: the tree is taken before them, and what they made new is marked to be measured.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from devtune.data.filters.commits import CommitRules
from devtune.data.filters.files import FileRules, decode_path, spell_path, split_by_file
from devtune.data.privacy.marking import Marker
from devtune.data.sources.blobs import Blobs
from devtune.data.sources.git import Repository, open_repository, resolve
from devtune.data.sources.git_plan import Plan, plan_git
from devtune.data.sources.history import Commit, read_commits, read_tree
from devtune.data.sources.raw import ABSENT, SUBMODULE, SYMLINK, Entry
from devtune.data.sources.texts import Text, Texts, map_texts
from devtune.errors import DevtuneError
from devtune.pipeline import CollectSection, GitSource
from devtune.records import (
    Change,
    FileEdit,
    Provenance,
    Rejected,
    Replay,
    Source,
    SourceFile,
    Split,
)

Row = SourceFile | Change | Replay | Rejected
EDGE_MODES = {SYMLINK: "symlink", SUBMODULE: "submodule"}


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
        plan = plan_git(self.repository, self.tip, self.source, self.section)
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
        return described, terms, plan.units

    def rows(self, unit: Any, terms: Any, marker: Marker) -> Iterator[Row]:
        """Yield the rows of one unit, secrets marked."""
        plan = Plan.of(unit)
        attributes, licenses = terms["attributes"], terms["licenses"]
        rules = FileRules(self.section.file_rules, attributes, licenses, self.source.license)
        with Blobs(self.repository) as blobs:
            reading = _Reading(self, plan, rules, Texts(rules, marker), blobs)
            yield from reading.files() if plan.leaves else reading.commits()


@dataclass(frozen=True, slots=True)
class _Reading:
    """One unit being read."""

    reader: GitReader
    plan: Plan
    rules: FileRules
    texts: Texts
    blobs: Blobs

    def files(self) -> Iterator[SourceFile | Rejected]:
        name, mark = self.reader.name, self.texts.mark
        self.blobs.expect(leaf.blob for leaf in self.plan.leaves if self._is_read(leaf.path))
        for leaf in self.plan.leaves:
            path = mark(spell_path(leaf.path))
            text = self._text(leaf.mode, leaf.path, leaf.blob)
            if text.reason:
                yield Rejected(text.reason, name, path, self.plan.at, leaf.detail)
                continue
            place = Provenance(
                name, leaf.commit or self.plan.at, path, leaf.blob, mark(leaf.author), leaf.date,
                self.rules.license_of(spell_path(leaf.path), text.text),
            )  # fmt: skip
            split = self.plan.split or self._split_of(spell_path(leaf.path))
            yield SourceFile(place, split, text.text, text.language)

    def commits(self) -> Iterator[Change | Replay | Rejected]:
        name, mark = self.reader.name, self.texts.mark
        rules = CommitRules(self.reader.section.commit_rules)
        for commit, reason in self.plan.refused:
            yield Rejected(reason, name, "", commit)
        repository, subpaths = self.reader.repository, self.reader.source.subpaths
        commits = list(read_commits(repository, self.reader.tip, self.plan.commits, subpaths))
        self.blobs.expect(self._asked_for(commits, rules))
        for commit in commits:
            if reason := self._reject_entries(commit, rules):
                yield Rejected(reason, name, "", commit.id, mark(commit.subject))
                continue
            change, rejected = self._change(commit)
            yield from rejected
            if rules.is_formatting_only(change.edits):
                yield Rejected("formatting_only", name, "", commit.id, change.subject)
                continue
            yield change
            if commit.id in self.plan.replayed and change.edits:
                yield from self._replay(commit, change)

    def _asked_for(self, commits: Iterable[Commit], rules: CommitRules) -> Iterator[str]:
        """Yield the blobs the commits will be read with, in their order."""
        for commit in commits:
            if self._reject_entries(commit, rules):
                continue
            for entry in commit.entries:
                if self._is_read(entry.path) and entry.blob != entry.old_blob:
                    yield from (
                        blob
                        for mode, blob in (
                            (entry.mode, entry.blob),
                            (entry.old_mode, entry.old_blob),
                        )
                        if mode != ABSENT and mode not in EDGE_MODES
                    )

    @staticmethod
    def _reject_entries(commit: Commit, rules: CommitRules) -> str | None:
        return rules.reject_entries(len(commit.entries), commit.num_renames)

    def _is_read(self, path: bytes) -> bool:
        known = decode_path(path)
        return known is not None and not self.rules.reject_path(known, None)

    def _change(self, commit: Commit) -> tuple[Change, list[Rejected]]:
        mark = self.texts.mark
        edits: list[FileEdit] = []
        rejected: list[Rejected] = []
        split: Split = "held_out" if commit.id in self.plan.held_out else "train"
        for entry in commit.entries:
            edit = self._edit(commit, entry)
            (rejected if isinstance(edit, Rejected) else edits).append(edit)  # pyright: ignore
        change = Change(
            source=self.reader.name,
            commit=commit.id,
            author=mark(commit.author),
            date=commit.date,
            split=split,
            subject=mark(commit.subject),
            body=self.texts.marker.mark(commit.body),
            num_files=len(commit.entries),
            edits=tuple(edits),
        )
        return change, rejected

    def _replay(self, commit: Commit, change: Change) -> Iterator[Replay | Rejected]:
        section = self.reader.section.replay
        if section is None:
            return
        # `devtune check` opens sources too, and waits for nothing it does not need.
        from devtune.data.sources.replay import replay

        row = replay(
            self.reader.repository, section, commit, f"{commit.id}^", change.edits, change.split,
            self.reader.name, self._is_shown,
        )  # fmt: skip
        # The edits are marked already; marking what git printed beside them marks them alike.
        yield map_texts(row, self.texts.marker.mark)

    def _is_shown(self, path: str) -> bool:
        """Whether a file may appear in what an acted-out commit looks at."""
        subpaths = self.reader.source.subpaths
        if subpaths and not any(path.startswith(f"{each}/") for each in subpaths):
            return False
        return not self.rules.reject_path(path, None) and not self._is_held_out(path)

    def _is_held_out(self, path: str) -> bool:
        """Whether a file is measured with where the history is not cut by time."""
        return not self.plan.keeps_history and self._split_of(path) == "held_out"

    def _split_of(self, path: str) -> Split:
        # By the path as it is: a mark in it is another one in every run.
        return split_by_file(self.reader.name, path, self.reader.section.held_out)

    def _edit(self, commit: Commit, entry: Entry) -> FileEdit | Rejected:
        name, mark = self.reader.name, self.texts.mark
        path = spell_path(entry.path)
        old, new, reason = self._sides(entry)
        if not reason and self._is_held_out(path):
            # One commit has one split; here its held-out files are measured by files.jsonl.
            reason = "held_out_file"
        if reason:
            return Rejected(reason, name, mark(path), commit.id)
        blob = "" if entry.mode == ABSENT else entry.blob
        old_blob = "" if entry.old_mode == ABSENT else entry.old_blob
        license_ = self.rules.license_of(path, new or old)
        place = Provenance(
            name, commit.id, mark(path), blob, mark(commit.author), commit.date, license_
        )
        return FileEdit(place, old_blob, old, new)

    def _sides(self, entry: Entry) -> tuple[str, str, str | None]:
        """Return the old and the new text, and the reason the edit is left out."""
        if entry.blob == entry.old_blob:
            return "", "", "unchanged"
        empty = Text("", "empty")
        is_added, is_deleted = entry.old_mode == ABSENT, entry.mode == ABSENT
        new = empty if is_deleted else self._text(entry.mode, entry.path, entry.blob)
        if (new.reason or "empty") != "empty":
            return "", "", new.reason
        old = empty if is_added else self._text(entry.old_mode, entry.old_path, entry.old_blob)
        if (old.reason or "empty") != "empty":
            return "", "", old.reason
        # An empty side is how a new or a deleted file looks; only two of them are nothing.
        if new.reason and old.reason:
            return "", "", "empty"
        # What an edit of a notebook's outputs changes is not in its text.
        return old.text, new.text, "unchanged" if old.text == new.text else None

    def _text(self, mode: str, path: bytes, blob: str) -> Text:
        known = decode_path(path)
        if known is None:
            return Text("", "path_not_utf8")
        if mode in EDGE_MODES:
            return Text("", EDGE_MODES[mode])
        if reason := self.rules.reject_path(known, None):
            return Text("", reason)
        size = self.blobs.size(blob)
        return self.texts.load(
            known, blob, size, partial(self.blobs.read, blob, self.rules.max_bytes)
        )


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

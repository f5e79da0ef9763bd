"""One unit of a repository on its way into the corpus: files of a tree, or commits.

Reads commits and blobs; writes nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from devtune.data.filters.commits import CommitRules
from devtune.data.filters.files import FileRules, decode_path, spell_path, split_by_file
from devtune.data.filters.tombstones import ERASED
from devtune.data.sources.blame import Blame
from devtune.data.sources.blobs import Blobs
from devtune.data.sources.git import Repository
from devtune.data.sources.git_units import Plan
from devtune.data.sources.history import Commit, read_commits
from devtune.data.sources.raw import ABSENT, SUBMODULE, SYMLINK, Entry
from devtune.data.sources.taint import Taint
from devtune.data.sources.texts import Text, Texts, map_texts
from devtune.jsonl import to_json
from devtune.pipeline import CollectSection
from devtune.records import (
    Change,
    FileEdit,
    Provenance,
    Rejected,
    Replay,
    SourceFile,
    Split,
)

Row = SourceFile | Change | Replay | Rejected
EDGE_MODES = {SYMLINK: "symlink", SUBMODULE: "submodule"}


@dataclass(frozen=True, slots=True)
class GitRows:
    """One unit being read."""

    name: str
    section: CollectSection
    subpaths: tuple[str, ...]
    repository: Repository
    tip: str
    plan: Plan
    rules: FileRules
    texts: Texts
    blobs: Blobs
    taint: Taint

    def files(self) -> Iterator[SourceFile | Rejected]:
        """Yield the files of a tree, each once: kept, or rejected with why."""
        with Blobs(self.repository) as older:
            authors = [self._line_author(each) for each in self.plan.authors]
            yield from self._files(Blame(older, authors, self.rules.max_bytes))

    def _line_author(self, author: str) -> str:
        return "" if self.taint.names_someone(author) else self.texts.author(author)

    def _files(self, blame: Blame) -> Iterator[SourceFile | Rejected]:
        name, mark = self.name, self.texts.mark
        self.blobs.expect(leaf.blob for leaf in self.plan.leaves if self._is_read(leaf.path))
        for leaf in self.plan.leaves:
            path = mark(spell_path(leaf.path))
            text = self._text(leaf.mode, leaf.path, leaf.blob)
            if text.reason:
                path = "" if text.reason == ERASED else path
                yield Rejected(text.reason, name, path, self.plan.at, leaf.detail)
                continue
            place = Provenance(
                name, leaf.commit or self.plan.at, path, leaf.blob,
                self.texts.author(leaf.author), leaf.date,
                self.rules.license_of(spell_path(leaf.path), text.text),
            )  # fmt: skip
            split = self.plan.split or self._split_of(spell_path(leaf.path))
            runs = blame.runs(leaf.path, leaf.versions, text.text)
            yield SourceFile(place, split, text.text, text.language, runs)

    def commits(self) -> Iterator[Change | Replay | Rejected]:
        """Yield commits with what is left out of them, and those to act out."""
        name, mark = self.name, self.texts.mark
        rules = CommitRules(self.section.commit_rules)
        for commit, reason in self.plan.refused:
            yield Rejected(reason, name, "", commit)
        repository, subpaths = self.repository, self.subpaths
        read = read_commits(repository, self.tip, self.plan.commits, subpaths)
        commits = [replace(each, body=self.taint.without_names(each.body)) for each in read]
        self.blobs.expect(self._asked_for(commits, rules))
        for commit in commits:
            # A commit nothing of which is left says in its message what is gone.
            is_gone = all(self._is_erased_in(commit, each) for each in commit.entries)
            if (commit.entries and is_gone) or self.taint.names_someone(commit.subject):
                yield Rejected(ERASED, name, "", commit.id)
                continue
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
            source=self.name,
            commit=commit.id,
            author=self.texts.author(commit.author),
            date=commit.date,
            split=split,
            subject=mark(commit.subject),
            body=self.texts.marker.mark(commit.body),
            num_files=len(commit.entries),
            edits=tuple(edits),
        )
        return change, rejected

    def _replay(self, commit: Commit, change: Change) -> Iterator[Replay | Rejected]:
        section = self.section.replay
        if section is None:
            return
        # `devtune check` opens sources too, and waits for nothing it does not need.
        from devtune.data.sources.replay import replay

        row = replay(
            self.repository, section, commit, change.edits, change.split,
            self.name, partial(self._is_shown, commit), partial(self._is_erased, commit),
        )  # fmt: skip
        names_someone = self.taint.names_someone(to_json(row).decode())
        if any(self._is_erased_in(commit, each) for each in commit.entries) or names_someone:
            row = Rejected(ERASED, self.name, "", commit.id)
        # The edits are marked already; marking what git printed beside them marks them alike.
        yield map_texts(row, self.texts.marker.mark, self.texts.author)

    def _is_erased(self, commit: Commit, path: str) -> bool:
        return self.taint.has_path(path.encode("utf-8", "replace"), commit.id)

    def _is_erased_in(self, commit: Commit, entry: Entry) -> bool:
        return any(self.taint.has_path(each, commit.id) for each in (entry.old_path, entry.path))

    def _is_shown(self, commit: Commit, path: str) -> bool:
        """Whether a file may appear in what an acted-out commit looks at."""
        if self._is_erased(commit, path):
            return False
        subpaths = self.subpaths
        if subpaths and not any(path.startswith(f"{each}/") for each in subpaths):
            return False
        return not self.rules.reject_path(path, None) and not self._is_held_out(path)

    def _is_held_out(self, path: str) -> bool:
        """Whether a file is measured with where the history is not cut by time."""
        return not self.plan.keeps_history and self._split_of(path) == "held_out"

    def _split_of(self, path: str) -> Split:
        # By the path as it is: a mark in it is another one in every run.
        return split_by_file(self.name, path, self.section.held_out)

    def _edit(self, commit: Commit, entry: Entry) -> FileEdit | Rejected:
        name, mark = self.name, self.texts.mark
        path = spell_path(entry.path)
        is_erased = self._is_erased_in(commit, entry)
        old, new, reason = ("", "", ERASED) if is_erased else self._sides(entry)
        if reason == ERASED:
            return Rejected(ERASED, name, "", commit.id)
        if not reason and self._is_held_out(path):
            # One commit has one split; here its held-out files are measured by files.jsonl.
            reason = "held_out_file"
        if reason:
            return Rejected(reason, name, mark(path), commit.id)
        blob = "" if entry.mode == ABSENT else entry.blob
        old_blob = "" if entry.old_mode == ABSENT else entry.old_blob
        license_ = self.rules.license_of(path, new or old)
        place = Provenance(
            name,
            commit.id,
            mark(path),
            blob,
            self.texts.author(commit.author),
            commit.date,
            license_,
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
        text = self.texts.load(
            known, blob, size, partial(self.blobs.read, blob, self.rules.max_bytes)
        )
        return Text("", ERASED) if self.taint.names_someone(text.text) else text

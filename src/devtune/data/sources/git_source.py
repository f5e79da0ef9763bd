"""The tree and the history of a git repository, as rows of the corpus.

Reads commits, trees and blobs; writes nothing. Commits count however they were merged. The latest
are held out: the tree is taken before them, and what they made new is marked to be measured.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from devtune.data.filters.classify import (
    Terms,
    decode_path,
    reject_content,
    reject_path,
    spell_path,
)
from devtune.data.sources.blobs import Blobs
from devtune.data.sources.git import Repository, open_repository, resolve
from devtune.data.sources.history import (
    ABSENT,
    SUBMODULE,
    SYMLINK,
    Commit,
    Entry,
    Leaf,
    find_cut,
    find_known,
    find_last_changes,
    read_commits,
    read_parents,
    read_tree,
)
from devtune.errors import DevtuneError
from devtune.pipeline import GitSource
from devtune.records import Change, FileEdit, Provenance, Rejected, SourceFile, Split

MAX_COMMIT_FILES = 50
NUM_CACHED_BLOBS = 64

Text = tuple[str, str | None]
"""A text and the reason it is left out; the text is empty if there is a reason."""
Load = Callable[[str], Text]


@dataclass(frozen=True, slots=True)
class GitReader:
    """A repository at one commit."""

    name: str
    repository: Repository
    tip: str
    ref: str | None
    terms: Terms

    def identify(self) -> str:
        """Return the commit that is read, and the ref it was named by."""
        return f"{self.tip} ({self.ref or 'checked-out branch'})"

    def rows(self) -> Iterator[SourceFile | Change | Rejected]:
        """Yield the tree at the cut, what the held-out commits made new, then every commit."""
        parents = read_parents(self.repository, self.tip)
        cut, held_out = self._cut(parents)
        by_file = not held_out
        with Blobs(self.repository) as blobs:
            load = lru_cache(maxsize=NUM_CACHED_BLOBS)(lambda blob: self._load(blobs, blob))
            tree = read_tree(self.repository, cut)
            yield from self._files(tree, cut, None if by_file else "train", load)
            if not by_file:
                yield from self._files(self._new_at_tip(cut), self.tip, "held_out", load)
            for commit in parents:
                if len(parents[commit]) > 1:
                    yield Rejected("merge", self.name, "", commit)
            for commit in read_commits(self.repository, self.tip):
                split: Split = "held_out" if commit.id in held_out else "train"
                yield from self._change(commit, split, by_file, load)

    def _cut(self, parents: Mapping[str, tuple[str, ...]]) -> tuple[str, frozenset[str]]:
        """Return the commit whose tree is trained on, and the commits held out.

        None are held out where no commit would leave files to train on; files are, instead.
        """
        num_commits = sum(len(each) < 2 for each in parents.values())
        num_held_out = count_held_out(num_commits, self.terms.held_out)
        found = find_cut(parents, self.tip, num_held_out) if num_held_out else None
        if found is None or not read_tree(self.repository, found[0]):
            return self.tip, frozenset()
        return found

    def _new_at_tip(self, cut: str) -> list[Leaf]:
        """Return the files of the tip whose content no commit up to the cut ever had."""
        leaves = read_tree(self.repository, self.tip)
        known = find_known(self.repository, cut, {leaf.blob for leaf in leaves})
        return [leaf for leaf in leaves if leaf.blob not in known]

    def _files(
        self, leaves: list[Leaf], at: str, split: Split | None, load: Load
    ) -> Iterator[SourceFile | Rejected]:
        """Yield the files of one tree; without a `split` each goes by the hash of its path."""
        wanted = {leaf.path: leaf.blob for leaf in leaves}
        changes = find_last_changes(self.repository, at, wanted) if wanted else {}
        for leaf in leaves:
            reason = self._reject_side(leaf.mode, leaf.path)
            text, reason = ("", reason) if reason else load(leaf.blob)
            path = spell_path(leaf.path)
            if reason:
                yield Rejected(reason, self.name, path, at)
                continue
            last = changes.get(leaf.path)
            place = Provenance(
                source=self.name,
                commit=last.id if last else at,
                path=path,
                blob=leaf.blob,
                author=last.author if last else "",
                date=last.date if last else "",
            )
            yield SourceFile(place, split or self.terms.split_by_file(self.name, path), text)

    def _change(
        self, commit: Commit, split: Split, by_file: bool, load: Load
    ) -> Iterator[Change | Rejected]:
        edits: list[FileEdit] = []
        num_files = len(commit.entries)
        if num_files > MAX_COMMIT_FILES:
            yield Rejected("commit_too_large", self.name, "", commit.id, f"{num_files} files")
        for entry in commit.entries if num_files <= MAX_COMMIT_FILES else ():
            edit = self._edit(commit, entry, by_file, load)
            if isinstance(edit, Rejected):
                yield edit
            else:
                edits.append(edit)
        yield Change(
            source=self.name,
            commit=commit.id,
            author=commit.author,
            date=commit.date,
            split=split,
            subject=commit.subject,
            body=commit.body,
            num_files=num_files,
            edits=tuple(edits),
        )

    def _edit(self, commit: Commit, entry: Entry, by_file: bool, load: Load) -> FileEdit | Rejected:
        path = spell_path(entry.path)
        old, new, reason = self._sides(entry, load)
        if by_file and not reason and self.terms.split_by_file(self.name, path) == "held_out":
            # One commit has one split; here its held-out files are measured by files.jsonl.
            reason = "held_out_file"
        if reason:
            return Rejected(reason, self.name, path, commit.id)
        blob = "" if entry.mode == ABSENT else entry.blob
        old_blob = "" if entry.old_mode == ABSENT else entry.old_blob
        place = Provenance(self.name, commit.id, path, blob, commit.author, commit.date)
        return FileEdit(place, old_blob, old, new)

    def _sides(self, entry: Entry, load: Load) -> tuple[str, str, str | None]:
        """Return the old and the new text, and the reason the edit is left out."""
        reason = (
            self._reject_side(entry.mode, entry.path)
            or self._reject_side(entry.old_mode, entry.old_path)
            or ("unchanged" if entry.blob == entry.old_blob else None)
        )
        if reason:
            return "", "", reason
        empty: Text = ("", "empty")
        old, old_reason = empty if entry.old_mode == ABSENT else load(entry.old_blob)
        new, reason = empty if entry.mode == ABSENT else load(entry.blob)
        # An empty side is how a new or a deleted file looks; only two of them are nothing.
        if (reason or "empty") != "empty" or (old_reason or "empty") != "empty":
            return "", "", reason if reason not in (None, "empty") else old_reason
        return old, new, "empty" if reason and old_reason else None

    def _reject_side(self, mode: str, path: bytes) -> str | None:
        text = decode_path(path)
        if text is None:
            return "path_not_utf8"
        kinds = {SYMLINK: "symlink", SUBMODULE: "submodule"}
        return kinds.get(mode) or reject_path(text, self.terms.policy)

    def _load(self, blobs: Blobs, blob: str) -> Text:
        if blobs.size(blob) > self.terms.max_bytes:
            return "", "oversized"
        content = blobs.read(blob)
        reason = reject_content(content, self.terms.policy, self.terms.max_line_length)
        return ("", reason) if reason else (content.decode("utf-8"), None)


def open_git(source: GitSource, name: str, terms: Terms) -> GitReader:
    """Open the repository and resolve its ref. Raises `DevtuneError` as `git` does."""
    repository = open_repository(source.path)
    reader = GitReader(name, repository, resolve(repository, source.ref), source.ref, terms)
    if not read_tree(repository, reader.tip):
        raise DevtuneError(f"{source.path}: no files in it at {reader.tip[:12]}; set another `ref`")
    return reader


def count_held_out(num_commits: int, share: float) -> int:
    """Return how many of the latest commits to hold out: at least one, and never all."""
    # 0.1 * 30 must not become 4 by a rounding error.
    return min(math.ceil(share * num_commits - 1e-9), num_commits - 1)

"""What a repository is read in: where it is cut at time T, and units of files and of commits.

Reads heads, trees and the few blobs that say what a tree's files are; writes nothing. Units are
JSON values, the same in every run on the same commit.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from devtune.data.filters.commits import CommitRules
from devtune.data.filters.licenses import is_license_file
from devtune.data.filters.tombstones import ERASED
from devtune.data.sources.blobs import Blobs
from devtune.data.sources.git import Repository
from devtune.data.sources.git_units import unit_of
from devtune.data.sources.history import (
    MAX_MESSAGE,
    Head,
    find_cut,
    find_known,
    find_last_changes,
    find_touching,
    read_commits,
    read_folder,
    read_heads,
    read_tree,
)
from devtune.data.sources.raw import SUBMODULE, Leaf
from devtune.data.sources.taint import Taint
from devtune.data.sources.versions import find_versions
from devtune.pipeline import CollectSection, GitSource
from devtune.records import Split

FILES_PER_UNIT = 400
COMMITS_PER_UNIT = 1200
"""A unit starts without an earlier version to compare a file with, so small ones cost more."""
MAX_TERMS_BYTES = 200_000
FIRST_DATE = "1970-01-01T00:00:00+00:00"
REPLAY_CANDIDATES = 3
"""So many times the commits asked for are tried, since some cannot be replayed."""


@dataclass(frozen=True, slots=True)
class GitPlan:
    """A repository cut into units."""

    cut: str
    cut_date: str
    held_out: frozenset[str]
    attributes: Mapping[str, str]
    """Texts of the `.gitattributes` files of the tree at the cut, by path."""
    licenses: Mapping[str, str]
    """Texts of its licences and package manifests, by path."""
    units: list[Any]


def plan_git(
    repository: Repository, tip: str, source: GitSource, section: CollectSection, taint: Taint
) -> GitPlan:
    """Find the cut, and list the files and commits to read."""
    heads = {head.id: head for head in read_heads(repository, tip)}
    refused = _refused(repository, heads, tip, source, section)
    usable = {commit for commit in heads if commit not in refused}
    # What is erased counts here, so that nothing else changes sides.
    cut, held_out = _cut(repository, heads, tip, usable, source, section)
    refused |= dict.fromkeys(taint.commits, ERASED)
    usable -= taint.commits
    trained = read_tree(repository, cut, source.subpaths)
    sides: list[tuple[str, Split | None, list[Leaf]]] = [
        (cut, "train" if held_out else None, trained)
    ]
    if held_out:
        sides.append((tip, "held_out", _new_at_tip(repository, cut, tip, source.subpaths)))
    units: list[Any] = []
    for at, split, leaves in sides:
        kept = [leaf for leaf in leaves if not taint.has_path(leaf.path, at)]
        planned = list(_with_authors(repository, at, kept, source.subpaths, taint))
        wanted = {leaf.path: leaf.blob for leaf in kept} if section.blame else {}
        histories = find_versions(repository, at, wanted, source.subpaths)
        for start in range(0, len(planned), FILES_PER_UNIT):
            some = slice(start, start + FILES_PER_UNIT)
            versions = histories.packed(leaf.path for leaf in kept[some]) if wanted else {}
            units.append(unit_of(at=at, split=split, leaves=planned[some], **versions))
        erased = [("", ERASED)] * (len(leaves) - len(kept))
        units += [unit_of(refused=erased)] if erased else []
    replayed = _replayed(heads, usable, held_out, section)
    units += _commit_units(heads, refused, held_out, replayed, taint)
    telling = [*_above(repository, cut, source.subpaths), *trained]
    with Blobs(repository) as blobs:
        attributes = _read_texts(blobs, telling, lambda name: name == ".gitattributes")
        licenses = _read_texts(blobs, telling, is_license_file)
    # Without a date nothing is known to come before it.
    return GitPlan(cut, heads[cut].date or FIRST_DATE, held_out, attributes, licenses, units)


def _refused(
    repository: Repository,
    heads: Mapping[str, Head],
    tip: str,
    source: GitSource,
    section: CollectSection,
) -> dict[str, str]:
    """Commits that are no task by what they say of themselves, with the reason."""
    rules = CommitRules(section.commit_rules)
    touching = find_touching(repository, tip, source.subpaths) if source.subpaths else None
    refused: dict[str, str] = {}
    for head in heads.values():
        if len(head.parents) > 1:
            refused[head.id] = "merge"
        elif touching is not None and head.id not in touching:
            refused[head.id] = "outside_subpaths"
        elif max(len(head.subject), len(head.body)) > MAX_MESSAGE:
            refused[head.id] = "message_oversized"
        elif reason := rules.reject_head(head.author, head.subject, head.body):
            refused[head.id] = reason
    return refused


def _cut(
    repository: Repository,
    heads: Mapping[str, Head],
    tip: str,
    usable: set[str],
    source: GitSource,
    section: CollectSection,
) -> tuple[str, frozenset[str]]:
    """Return the commit whose tree is trained on, and the commits held out.

    None are held out where no commit would leave files to train on; files are, instead.
    """
    number = count_held_out(len(usable), section.held_out, section.held_out_commits)
    parents = {head.id: head.parents for head in heads.values()}
    best: tuple[str, frozenset[str]] = (tip, frozenset())
    while number:
        found = find_cut(parents, tip, number, usable)
        if found is None or not read_tree(repository, found[0], source.subpaths):
            break
        best = found
        latest = [each for each in reversed(list(heads)) if each in found[1]]
        missing = section.held_out_commits
        if missing:
            missing -= _count_tasks(repository, tip, latest, source, section)
        if missing <= 0 or number == len(usable) - 1:
            break
        number = min(number + missing, len(usable) - 1)
    return best


def _count_tasks(
    repository: Repository,
    tip: str,
    commits: Sequence[str],
    source: GitSource,
    section: CollectSection,
) -> int:
    """Count commits that their files let through as well, up to as many as are asked for."""
    rules = CommitRules(section.commit_rules)
    count = 0
    for commit in read_commits(repository, tip, commits, source.subpaths):
        if count == section.held_out_commits:
            break
        count += rules.reject_entries(len(commit.entries), commit.num_renames) is None
    return count


def count_held_out(num_commits: int, share: float, at_least: int = 0) -> int:
    """Return how many of the latest commits to hold out: at least one, and never all."""
    if not share and not at_least:
        return 0
    # 0.1 * 30 must not become 4 by a rounding error.
    return max(min(max(math.ceil(share * num_commits - 1e-9), at_least), num_commits - 1), 0)


def _new_at_tip(
    repository: Repository, cut: str, tip: str, subpaths: tuple[str, ...]
) -> list[Leaf]:
    """Return the files of the tip whose content no commit up to the cut ever had."""
    leaves = read_tree(repository, tip, subpaths)
    known = find_known(repository, cut, {leaf.blob for leaf in leaves})
    return [leaf for leaf in leaves if leaf.blob not in known]


def _with_authors(
    repository: Repository, at: str, leaves: list[Leaf], subpaths: tuple[str, ...], taint: Taint
) -> Iterator[tuple[str, ...]]:
    wanted = {leaf.path: leaf.blob for leaf in leaves}
    changes = find_last_changes(repository, at, wanted, subpaths) if wanted else {}
    for leaf in leaves:
        last = changes.get(leaf.path)
        if last and last.id in taint.commits:
            last = None  # it moved the file, and left nothing in it but its author's name
        who = (last.id, last.author, last.date) if last else ("", "", "")
        detail = leaf.blob if leaf.mode == SUBMODULE else ""
        yield (leaf.mode, leaf.blob, leaf.path.decode("latin-1"), *who, detail)


def _commit_units(
    heads: Mapping[str, Head],
    refused: Mapping[str, str],
    held_out: frozenset[str],
    replayed: frozenset[str],
    taint: Taint,
) -> Iterator[dict[str, Any]]:
    for some in _chunks(list(heads), COMMITS_PER_UNIT):
        yield unit_of(
            keeps_history=bool(held_out),
            positions={each: taint.positions[each] for each in some if taint.since},
            commits=[each for each in some if each not in refused],
            refused=[_refusal(each, refused[each]) for each in some if each in refused],
            held_out=[each for each in some if each in held_out],
            replayed=[each for each in some if each in replayed],
        )


def _refusal(commit: str, reason: str) -> tuple[str, str]:
    return "" if reason == ERASED else commit, reason


def _replayed(
    heads: Mapping[str, Head], usable: set[str], held_out: frozenset[str], section: CollectSection
) -> frozenset[str]:
    """The latest usable commits with a parent, before the cut and after it."""
    if section.replay is None:
        return frozenset()
    candidates = [each.id for each in heads.values() if each.id in usable and each.parents]
    number = section.replay.max_commits * REPLAY_CANDIDATES
    before = [each for each in candidates if each not in held_out][-number:]
    after = [each for each in candidates if each in held_out][-number:]
    return frozenset((*before, *after))


def _above(repository: Repository, commit: str, subpaths: tuple[str, ...]) -> list[Leaf]:
    """Return the files beside and above `subpaths`: what they say holds inside as well."""
    folders = {str(each) for path in subpaths for each in PurePosixPath(path).parents}
    return [leaf for folder in sorted(folders) for leaf in read_folder(repository, commit, folder)]


def _read_texts(
    blobs: Blobs, leaves: Iterable[Leaf], is_wanted: Callable[[str], bool]
) -> dict[str, str]:
    texts: dict[str, str] = {}
    for leaf in leaves:
        path = leaf.path.decode("utf-8", "replace")
        regular = leaf.mode.startswith("100") and is_wanted(path.rpartition("/")[2])
        if regular and blobs.size(leaf.blob) <= MAX_TERMS_BYTES:
            texts[path] = blobs.read(leaf.blob).decode("utf-8", "replace")
    return texts


def _chunks(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]

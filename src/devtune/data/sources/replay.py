"""One commit acted out on the tree of its parent: search, read, change, and perhaps test.

Reads objects through `git.Repository`; writes nothing, but for the sandbox where tests are asked
for. What is read and printed is what the tree gives; files the rules leave out are not in it.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from devtune.data.corpus import split_lines
from devtune.data.families.hunks import Span, find_windows
from devtune.data.families.messages import Words, clean_message
from devtune.data.languages import language_of
from devtune.data.sources.checkout import Checkout
from devtune.data.sources.git import Repository
from devtune.data.sources.history import Commit
from devtune.data.sources.rewrites import (
    Refusal,
    Rewrite,
    apply_actions,
    change_files,
    find_rewrites,
)
from devtune.data.sources.searches import narrow, search
from devtune.data.sources.sightings import Sightings
from devtune.data.sources.trial import is_test, try_tests
from devtune.pipeline import ReplaySection
from devtune.records import Action, FileEdit, Rejected, Replay, Split

WHOLE_LINES, WHOLE_CHARACTERS = 200, 12_000
"""A file of no more is read whole."""
CONTEXT_LINES = 25
"""Lines read on each side of a change in a longer file."""
HEAD_LINES = 50
"""What starts closer to the top than this is read from the top."""
MAX_READ_CHARACTERS = 30_000
"""A session with a longer read is left out."""


def replay(
    repository: Repository,
    section: ReplaySection,
    commit: Commit,
    edits: Sequence[FileEdit],
    split: Split,
    source: str,
    is_shown: Callable[[str], bool],
    is_erased: Callable[[str], bool] = lambda _: False,
) -> Replay | Rejected:
    """Return what an agent would do and see to carry out `commit`, or why there is no such session.

    `edits` are all its files, in the order of its entries. The actions, carried out on the
    parent's texts, give the commit's texts: this is tried before it is returned. Files that are
    not shown are there when tests run, erased ones are not.
    """
    found = _session(repository, section, commit, edits, is_shown, is_erased)
    if isinstance(found, Refusal):
        detail = found.detail or commit.subject
        return Rejected(f"replay_{found.reason}", source, found.path, commit.id, detail)
    return Replay(
        source, commit.id, commit.author, commit.date, split, commit.subject, commit.body,
        tuple(each.provenance for each in edits), found,
    )  # fmt: skip


def _session(
    repository: Repository,
    section: ReplaySection,
    commit: Commit,
    edits: Sequence[FileEdit],
    is_shown: Callable[[str], bool],
    is_erased: Callable[[str], bool],
) -> tuple[Action, ...] | Refusal:
    words, parent = clean_message(commit.subject, commit.body), f"{commit.id}^"
    rewrites = find_rewrites(commit, edits, section)
    if words.is_empty():
        return Refusal("message_says_too_little")
    if isinstance(rewrites, Refusal):
        return rewrites
    rewrites = sorted(rewrites, key=_place)
    actions = tuple(_act(Checkout(repository, parent, is_shown), words, rewrites))
    if reason := _fault(rewrites, actions):
        return Refusal(reason)
    if section.test_command is None:
        return actions
    trial = try_tests(repository, section, commit, parent, is_shown, is_erased)
    if isinstance(trial, str):
        return Refusal("tests_not_usable", "", trial)
    return (*actions, *trial)


def _fault(rewrites: Sequence[Rewrite], actions: Sequence[Action]) -> str | None:
    """Say what is wrong with a session: where it does not lead, or what it is not."""
    reads = [each for each in actions if each.tool == "read"]
    if reads and not any(each.is_grounded for each in reads):
        return "nothing_leads_there"
    if any(len(each.output) > MAX_READ_CHARACTERS for each in reads):
        return "read_too_long"
    before = {each.old_path: each.old for each in rewrites if each.state != "new"}
    after = {each.path: each.new for each in rewrites if each.state != "deleted"}
    return None if apply_actions(before, actions) == after else "differs"


def _act(checkout: Checkout, words: Words, rewrites: Sequence[Rewrite]) -> Iterator[Action]:
    sightings = Sightings()
    windows = {each.old_path: _windows(each) for each in rewrites if each.state != "new"}
    above = [str(PurePosixPath(each.path).parent) for each in rewrites if each.state == "new"]
    yield from search(checkout, words, windows, above, sightings)
    for each in rewrites:
        spans = windows.get(each.old_path, ())
        if sightings.has_path(each.old_path):
            yield from narrow(each.old_path, split_lines(each.old), words, spans, sightings)
        for window in spans:
            yield _read(each, window, sightings)
    for action in change_files(rewrites):
        yield replace(action, is_grounded=_is_grounded(action, sightings))


def _windows(rewrite: Rewrite) -> list[Span]:
    """Lines to read of a file before it is changed."""
    num_lines = rewrite.num_lines
    is_short = num_lines <= WHOLE_LINES and len(rewrite.old) <= WHOLE_CHARACTERS
    if is_short or not rewrite.blocks:
        return [(0, num_lines)]
    around = [(each.first - CONTEXT_LINES, each.last + CONTEXT_LINES) for each in rewrite.blocks]
    # Near the top it is read from the top.
    around = [(0 if first < HEAD_LINES else first, last) for first, last in around]
    return find_windows(around, num_lines)


def _read(rewrite: Rewrite, window: Span, sightings: Sightings) -> Action:
    lines = split_lines(rewrite.old)
    first, last = window
    is_whole = (first, last) == (0, len(lines))
    arguments: dict[str, object] = {"path": rewrite.old_path}
    if not is_whole:
        arguments |= {"offset": first, "limit": last - first}
    # A jump into the middle of a long file needs a line that was seen there.
    is_grounded = sightings.has_path(rewrite.old_path) and (
        first == 0 or sightings.leads_to(rewrite.old_path, window)
    )
    sightings.add({rewrite.old_path: ()})
    return Action(
        "read", json.dumps(arguments, ensure_ascii=False), "".join(lines[first:last]), is_grounded,
        num_lines=len(lines), num_bytes=len(rewrite.old.encode()),
    )  # fmt: skip


def _is_grounded(action: Action, sightings: Sightings) -> bool:
    """Everything that is changed was read; a new file needs a directory that is known."""
    if action.tool != "write":
        return True
    path: str = json.loads(action.arguments)["path"]
    return sightings.has_directory(str(PurePosixPath(path).parent))


def _place(rewrite: Rewrite) -> tuple[int, str]:
    """Code first, then its tests, then what is written about it."""
    if is_test(rewrite.path):
        return 1, rewrite.path
    return (0 if language_of(rewrite.path) else 2), rewrite.path

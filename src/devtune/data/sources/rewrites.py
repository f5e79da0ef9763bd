"""The files of one commit as an agent would change them, and actions carried out on texts.

Reads and writes nothing.
"""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, NamedTuple

from devtune.data.corpus import split_lines
from devtune.data.families.blocks import Block, find_blocks, occurs_once
from devtune.data.families.hunks import count_changed, find_hunks
from devtune.data.sources.checkout import is_plain
from devtune.data.sources.history import Commit
from devtune.data.sources.raw import ABSENT, Entry
from devtune.pipeline import ReplaySection
from devtune.records import Action, FileEdit

MAX_WRITTEN_BYTES = 60_000
"""The served tools write and read no more at once."""
REGULAR = "100644"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One file and what becomes of it."""

    state: Literal["new", "changed", "deleted"]
    old_path: str
    path: str
    old: str
    new: str
    blocks: tuple[Block, ...]
    """Lines of `old` to find, and what takes their place; none for a file written whole."""

    @property
    def num_lines(self) -> int:
        """Lines of the old text."""
        return len(split_lines(self.old))


class Refusal(NamedTuple):
    """Why a commit is not acted out, and for which of its files."""

    reason: str
    path: str = ""
    detail: str = ""


def find_rewrites(
    commit: Commit, edits: Sequence[FileEdit], section: ReplaySection
) -> tuple[Rewrite, ...] | Refusal:
    """Return what the commit does to its files, or why it is not acted out."""
    if len(commit.entries) > section.max_files:
        return Refusal("too_many_files")
    if len(edits) != len(commit.entries):
        return Refusal("parts_of_the_commit_left_out")
    rewrites: list[Rewrite] = []
    left = section.max_changed_lines
    for entry, edit in zip(commit.entries, edits, strict=True):
        path = edit.provenance.path
        reason = _refuse(entry, edit)
        found = reason or _rewrite(entry, edit, left)
        if isinstance(found, str):
            return Refusal(found, path)
        rewrites.append(found)
        left -= _num_changed(found)
    return tuple(rewrites)


def change_files(rewrites: Iterable[Rewrite]) -> Iterator[Action]:
    """Yield the actions that carry out a commit: moves first, deletions last."""
    rewrites = tuple(rewrites)
    for each in rewrites:
        if each.state == "changed" and each.path != each.old_path:
            yield _move(each.old_path, each.path)
    for each in rewrites:
        yield from _edit(each)
    for each in rewrites:
        if each.state == "deleted":
            # What git prints of it, word for word.
            yield make_action("run", f"rm '{each.path}'\n", command=f"git rm {_quoted(each.path)}")


def apply_actions(texts: Mapping[str, str], actions: Iterable[Action]) -> dict[str, str] | None:
    """Return `texts` (path → text) as the actions leave them, or None where one would fail."""
    left = dict(texts)
    for action in actions:
        given: dict[str, str] = json.loads(action.arguments)
        match action.tool:
            case "edit":
                path, old = given["path"], given["old"]
                if not old or not occurs_once(old, left.get(path, "")):
                    return None
                left[path] = left[path].replace(old, given["new"])
            case "write":
                left[given["path"]] = given["content"]
            case "run":
                if not _run(left, shlex.split(given["command"])):
                    return None
            case _:
                continue
    return left


def make_action(
    tool: Literal["read", "edit", "write", "run"], output: str, **arguments: str
) -> Action:
    """Return one action; its arguments are JSON."""
    return Action(tool, json.dumps(arguments, ensure_ascii=False), output)


def _refuse(entry: Entry, edit: FileEdit) -> str | None:
    path = edit.provenance.path
    paths = tuple(each.decode("utf-8", "replace") for each in (entry.old_path, entry.path))
    if path != paths[1] or not all(is_plain(each) for each in paths):
        return "path_not_plain"
    modes = {entry.old_mode, entry.mode} - {ABSENT}
    if len(modes) > 1 or (entry.old_mode == ABSENT and entry.mode != REGULAR):
        return "mode_changed"
    if PurePosixPath(path).suffix.lower() == ".ipynb":
        # Its text is that of its cells, not what stands in the file.
        return "notebook"
    if "\r" in edit.old or "\r" in edit.new:
        return "carriage_return"
    if max(len(edit.old.encode()), len(edit.new.encode())) > MAX_WRITTEN_BYTES * 20:
        return "file_too_long"
    return None


def _rewrite(entry: Entry, edit: FileEdit, max_changed_lines: int) -> Rewrite | str:
    old, new = split_lines(edit.old), split_lines(edit.new)
    hunks = find_hunks(old, new, max_changed_lines)
    if isinstance(hunks, str):
        return hunks
    state = "new" if entry.old_mode == ABSENT else "changed"
    state = "deleted" if entry.mode == ABSENT else state
    blocks: list[Block] | None = []
    if state == "changed" and edit.old:
        blocks = find_blocks(old, new, hunks)
    elif len(edit.new.encode()) > MAX_WRITTEN_BYTES:
        return "file_too_long"
    if blocks is None:
        return "not_unique"
    old_path, path = (each.decode("utf-8", "replace") for each in (entry.old_path, entry.path))
    return Rewrite(state, old_path, path, edit.old, edit.new, tuple(blocks))


def _num_changed(rewrite: Rewrite) -> int:
    hunks = find_hunks(split_lines(rewrite.old), split_lines(rewrite.new), 1 << 30)
    return 0 if isinstance(hunks, str) else count_changed(hunks)


def _edit(rewrite: Rewrite) -> Iterator[Action]:
    if rewrite.state == "deleted":
        return
    if rewrite.state == "new" or (rewrite.new and not rewrite.old):
        yield make_action("write", "", path=rewrite.path, content=rewrite.new)
        return
    text = rewrite.old
    for block in rewrite.blocks:
        old, new = block.search, block.replace
        # The last line end is left alone where it may be.
        bare, bare_new = old.removesuffix("\n"), new.removesuffix("\n")
        if bare.strip() and bare != old and bare_new != new and occurs_once(bare, text):
            old, new = bare, bare_new
        text = text.replace(old, new)
        yield make_action("edit", "", path=rewrite.path, old=old, new=new)


def _move(old: str, new: str) -> Action:
    above = str(PurePosixPath(new).parent)
    is_beside = above == str(PurePosixPath(old).parent)
    made = "" if is_beside or above == "." else f"mkdir -p {_quoted(above)} && "
    return make_action("run", "", command=f"{made}git mv {_quoted(old)} {_quoted(new)}")


def _run(left: dict[str, str], words: list[str]) -> bool:
    """Carry out `git mv` and `git rm`; other commands change nothing."""
    words = words[words.index("&&") + 1 :] if "&&" in words else words
    if words[:2] == ["git", "mv"]:
        if words[2] not in left or words[3] in left:
            return False
        left[words[3]] = left.pop(words[2])
    if words[:2] == ["git", "rm"]:
        return left.pop(words[2], None) is not None
    return True


def _quoted(path: str) -> str:
    return shlex.quote(path)

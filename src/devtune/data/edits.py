"""Commit → edit: the message and the old text are the request, search/replace blocks the answer."""

import difflib
import re
from collections.abc import Iterator

from devtune.data.corpus import Corpus, Made, Yield, make_sample, reject
from devtune.data.languages import language_of
from devtune.data.prompts import Prompt
from devtune.recipe import CommitEdit
from devtune.records import Change, FileEdit, Rejected

SEARCH, DIVIDE, REPLACE = "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE"
Hunk = tuple[int, int, int, int]
"""Changed lines: old[a:b] became new[c:d], counted from 0."""


def commit_edit(step: CommitEdit, corpus: Corpus) -> Yield:
    """Yield a sample for each changed file of each commit that says what it does."""
    prompt = Prompt(step.prompt)
    skip = [re.compile(pattern) for pattern in step.skip_subjects]
    for change in corpus.changes():
        reason = _useless(change, step, skip)
        if reason:
            yield Rejected(reason, change.source, "", change.commit, change.subject)
            continue
        for edit in change.edits:
            yield _one_edit(step, prompt, change, edit)


def _useless(change: Change, step: CommitEdit, skip: list[re.Pattern[str]]) -> str:
    if change.num_files > step.max_files:
        return "commit_touches_many_files"
    if len(change.subject.split()) < step.min_subject_words:
        return "subject_too_short"
    if any(pattern.search(change.subject) for pattern in skip):
        return "subject_skipped"
    return ""


def _one_edit(step: CommitEdit, prompt: Prompt, change: Change, edit: FileEdit) -> Made | Rejected:
    where = edit.provenance
    if not edit.new:
        return reject("file_deleted", where)
    old, new = edit.old.splitlines(keepends=True), edit.new.splitlines(keepends=True)
    hunks = [(a, b, c, d) for tag, a, b, c, d in _opcodes(old, new) if tag != "equal"]
    if not hunks:
        return reject("nothing_changed", where)
    if sum(max(b - a, d - c) for a, b, c, d in hunks) > step.max_changed_lines:
        return reject("too_many_changed_lines", where)
    answer = search_replace(old, new, hunks)
    if answer is None:
        return reject("not_expressible_as_blocks", where)
    first, last = _window(hunks, len(old), step.context_lines)
    request = prompt.render(
        {
            "subject": change.subject,
            "body": change.body,
            "path": where.path,
            "language": language_of(where.path),
            "code": "".join(old[first:last]).rstrip("\n"),
            "first_line": first + 1,
            "last_line": last,
            "is_new": not edit.old,
            "is_whole": first == 0 and last == len(old),
        }
    )
    return Made(change.split, make_sample(step.type, request, answer, where))


def _opcodes(old: list[str], new: list[str]) -> Iterator[tuple[str, int, int, int, int]]:
    yield from difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()


def _window(hunks: list[Hunk], num_lines: int, context: int) -> tuple[int, int]:
    return max(hunks[0][0] - context, 0), min(hunks[-1][1] + context, num_lines)


def search_replace(old: list[str], new: list[str], hunks: list[Hunk]) -> str | None:
    """Express `old → new` as blocks whose search text occurs exactly once in the old file.

    Lines keep their ends. Returns None when a file holds the markers itself, or when applying the
    blocks would not give `new` exactly.
    """
    text = "".join(old)
    if any(marker in text + "".join(new) for marker in (SEARCH, REPLACE, f"\n{DIVIDE}\n")):
        return None
    if not old:
        return _block("", "".join(new))
    pairs = [_unique(old, new, hunk, text) for hunk in _joined(hunks)]
    if _apply(text, pairs) != "".join(new):
        return None
    return "\n".join(_block(search, replace) for search, replace in pairs)


def _joined(hunks: list[Hunk], gap: int = 3) -> list[Hunk]:
    """Hunks so near each other that they read as one change."""
    joined = [hunks[0]]
    for a, b, c, d in hunks[1:]:
        before = joined[-1]
        if a - before[1] <= gap:
            joined[-1] = (before[0], b, before[2], d)
        else:
            joined.append((a, b, c, d))
    return joined


def _unique(old: list[str], new: list[str], hunk: Hunk, text: str) -> tuple[str, str]:
    """Widen a hunk by equal lines until its search text is there and is found only once."""
    a, b, c, d = hunk
    while True:
        search = "".join(old[a:b])
        if search.strip() and text.count(search) == 1:
            return search, "".join(new[c:d])
        grow_up, grow_down = a > 0 and c > 0, b < len(old) and d < len(new)
        if not grow_up and not grow_down:
            return search, "".join(new[c:d])
        if grow_up:
            a, c = a - 1, c - 1
        if grow_down:
            b, d = b + 1, d + 1


def _apply(text: str, pairs: list[tuple[str, str]]) -> str | None:
    for search, replace in pairs:
        if not search or text.count(search) != 1:
            return None
        text = text.replace(search, replace)
    return text


def _block(search: str, replace: str) -> str:
    lines = [SEARCH, search.rstrip("\n"), DIVIDE, replace.rstrip("\n"), REPLACE]
    return "\n".join(line for line in lines if line)

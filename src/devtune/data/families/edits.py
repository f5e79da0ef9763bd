"""Commit → edit: the message and the old text are the request, search/replace blocks the answer.

Reads the commits of a corpus; writes nothing. A block replaces whole lines, which it finds because
they stand exactly once in the file; a file without a last line end is treated as if it had one.
"""

import difflib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from devtune.data.corpus import Corpus, Made, Yield, make_sample, reject, split_lines
from devtune.data.languages import language_of
from devtune.data.prompts import Prompt
from devtune.errors import DevtuneError
from devtune.pipeline import CommitEdit
from devtune.records import Change, FileEdit, Rejected

SEARCH, DIVIDE, REPLACE = "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE"
OMITTED = "[…]\n"
"""Stands in a request for the lines between two changes that are far from each other."""
Hunk = tuple[int, int, int, int]
"""Changed lines: old[a:b] became new[c:d], counted from 0."""
MAX_COMPARISONS = 4_000_000
"""Pairs of equal lines `difflib` may look at; beyond that one file takes minutes."""


@dataclass(frozen=True, slots=True)
class Block:
    """Lines [first, last) of the old file as `search`, and what takes their place."""

    first: int
    last: int
    search: str
    replace: str


def commit_edit(step: CommitEdit, corpus: Corpus) -> Yield:
    """Yield a sample for each changed file of each commit that says what it does."""
    prompt = Prompt(step.prompt)
    skip = [_compiled(pattern) for pattern in step.skip_subjects]
    trained = corpus.find_trained_blobs()
    for change in corpus.changes():
        reason = _useless(change, step, skip)
        if reason:
            yield Rejected(reason, change.source, "", change.commit, change.subject)
            continue
        for edit in change.edits:
            if change.split == "held_out" and edit.provenance.blob in trained:
                yield reject("already_at_the_cut", edit.provenance)
                continue
            yield _one_edit(step, prompt, change, edit)


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise DevtuneError(
            f"build: skip_subjects: bad regular expression {pattern!r}: {error}; correct it"
        ) from None


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
    if edit.old == edit.new:
        return reject("nothing_changed", where)
    old, new = whole_lines(edit.old), whole_lines(edit.new)
    hunks = _hunks(old, new, step.max_changed_lines)
    if isinstance(hunks, str):
        return reject(hunks, where)
    blocks = find_blocks(old, new, hunks) if _ends_alike(edit) else None
    if blocks is None:
        return reject("not_expressible_as_blocks", where)
    answer = write_blocks(blocks)
    windows = _windows(hunks, blocks, len(old), step.context_lines)
    first, last = windows[0][0], windows[-1][1]
    request = prompt.render(
        {
            "subject": change.subject,
            "body": change.body,
            "path": where.path,
            "language": language_of(where.path),
            "code": OMITTED.join("".join(old[a:b]) for a, b in windows).removesuffix("\n"),
            "first_line": first + 1,
            "last_line": last,
            "is_new": not edit.old,
            "is_whole": windows == [(0, len(old))],
        }
    )
    return Made(change.split, make_sample(step.type, request, answer, where))


def whole_lines(text: str) -> list[str]:
    """Return the lines of `text`, each with its end, the last one too."""
    lines = split_lines(text)
    return [*lines[:-1], lines[-1].removesuffix("\n") + "\n"] if lines else []


def _ends_alike(edit: FileEdit) -> bool:
    """Whether blocks of whole lines can give the end of the new text from the old one's."""
    return edit.new.endswith("\n") == (edit.old.endswith("\n") or not edit.old)


def _hunks(old: list[str], new: list[str], max_changed_lines: int) -> list[Hunk] | str:
    """Return what changed, or the reason it is too much. Common ends are never compared."""
    shorter = min(len(old), len(new))
    head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    rest = shorter - head
    tail = next((n for n in range(rest) if old[-1 - n] != new[-1 - n]), rest)
    before, after = old[head : len(old) - tail], new[head : len(new) - tail]
    counts, new_counts = Counter(before), Counter(after)
    if max((counts - new_counts).total(), (new_counts - counts).total()) > max_changed_lines:
        return "too_many_changed_lines"
    if sum(count * new_counts[line] for line, count in counts.items()) > MAX_COMPARISONS:
        return "too_repetitive"
    codes = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    hunks = [
        (a + head, b + head, c + head, d + head) for tag, a, b, c, d in codes if tag != "equal"
    ]
    if sum(max(b - a, d - c) for a, b, c, d in hunks) > max_changed_lines:
        return "too_many_changed_lines"
    return hunks or "nothing_but_the_last_line_end"


def _windows(
    hunks: list[Hunk], blocks: Sequence[Block], num_lines: int, context: int
) -> list[tuple[int, int]]:
    """Lines to show, [first, last): what changes, its context, and all a block searches for."""
    wanted = [(a - context, b + context) for a, b, _, _ in hunks]
    wanted += [(each.first, each.last) for each in blocks]
    windows: list[tuple[int, int]] = []
    for first, last in sorted((max(a, 0), min(b, num_lines)) for a, b in wanted):
        if windows and first <= windows[-1][1]:
            windows[-1] = (windows[-1][0], max(last, windows[-1][1]))
        else:
            windows.append((first, last))
    return windows


def find_blocks(old: list[str], new: list[str], hunks: list[Hunk]) -> list[Block] | None:
    """Express `old → new` as blocks whose search text occurs exactly once in the old file.

    Each line has its end. Hunks that are not unique alone are joined with their neighbours.
    Returns None where a line of a block would be taken for a marker.
    """
    text, expected = "".join(old), "".join(new)
    gap = 3
    while True:
        joined = _joined(hunks, gap)
        blocks = [_unique(old, new, hunk, text) for hunk in joined]
        if _apply(text, blocks) == expected:
            return None if any(map(_holds_marker, blocks)) else blocks
        if len(joined) == 1:
            return None
        gap *= 2


def _joined(hunks: list[Hunk], gap: int) -> list[Hunk]:
    """Hunks so near each other that they read as one change."""
    joined = [hunks[0]]
    for a, b, c, d in hunks[1:]:
        before = joined[-1]
        if a - before[1] <= gap:
            joined[-1] = (before[0], b, before[2], d)
        else:
            joined.append((a, b, c, d))
    return joined


def _unique(old: list[str], new: list[str], hunk: Hunk, text: str) -> Block:
    """Widen a hunk by equal lines until its search text is there and is found only once."""
    a, b, c, d = hunk
    step = 1
    while True:
        search = "".join(old[a:b])
        up, down = min(step, a, c), min(step, len(old) - b, len(new) - d)
        if (search.strip() and _occurs_once(search, text)) or not (up or down):
            return Block(a, b, search, "".join(new[c:d]))
        a, b, c, d = a - up, b + down, c - up, d + down
        # Line by line at first, then faster: a file may be one line a hundred thousand times.
        step = 1 if b - a < 16 else step * 2


def _occurs_once(search: str, text: str) -> bool:
    """Whether `search` is found once; overlapping finds count, as they do for a reader."""
    start = text.find(search)
    return start >= 0 and text.find(search, start + 1) < 0


def _apply(text: str, blocks: Sequence[Block]) -> str | None:
    if not text:
        return "".join(block.replace for block in blocks)
    for block in blocks:
        if not block.search or not _occurs_once(block.search, text):
            return None
        text = text.replace(block.search, block.replace)
    return text


def _holds_marker(block: Block) -> bool:
    lines = (block.search + block.replace).split("\n")
    return any(line.strip() in (SEARCH, DIVIDE, REPLACE) for line in lines)


def write_blocks(blocks: Sequence[Block]) -> str:
    """Return blocks as they are answered; a new file has one with nothing to search for."""
    return "\n".join(f"{SEARCH}\n{each.search}{DIVIDE}\n{each.replace}{REPLACE}" for each in blocks)

"""Fix → repair: a region with a mistake in it, not said which, answered by the repaired region.

Reads and writes nothing but what it is handed.
"""

import hashlib
import re
from collections.abc import Sequence

from devtune.data.corpus import Made, Yield, make_sample, reject
from devtune.data.families.context import Context
from devtune.data.families.deltas import Delta, compare, refuse
from devtune.data.families.hunks import find_windows
from devtune.data.families.stretches import changed_part
from devtune.data.languages import fenced, language_of
from devtune.errors import DevtuneError
from devtune.records import Change, FileEdit, Replay, SourceFile
from devtune.steps.families import FixRepair

_NO_MISTAKE = re.compile(
    r"(?i)\b(?:typos?|spelling|grammar|wording|docs?|docstrings?|documentation|readme|changelog"
    r"|comments?|lint\w*|flake8|pep8|mypy|pyright|typing|annotations?|format\w*"
    r"|type (?:hints?|inference|for)|whitespace|indent\w*|style|ci|travis|tests?|deprecat\w*"
    r"|warnings?|import order|links?|merge|conflicts?|build|version|changes?log)\b"
)
"""Fixes after which the code does what it did before."""
_TEST = re.compile(
    r"(?i)(?:^|/)(?:tests?|specs?|__tests__)/|(?:^|[/_.-])(?:test|spec)s?[_.]|_test\."
)
_COMMENT = re.compile(r"\s*(?:#(?!include|define|if|el|end|pragma)|//|/\*|\*(?:\s|/|$)|--\s|;;)")


def fix_repair(step: FixRepair, row: SourceFile | Change | Replay, context: Context) -> Yield:
    """Yield one sample for a fix that stands in one region of one code file."""
    if not isinstance(row, Change) or not _is_fix(step, row.subject):
        return
    if _NO_MISTAKE.search(row.subject):
        yield refuse(row, "fixes_no_mistake")
        return
    edits = [each for each in row.edits if each.old != each.new and _is_code(each)]
    if len(edits) != 1 or not edits[0].old or not edits[0].new:
        yield refuse(row, "not_in_one_code_file", detail=f"{len(edits)} code files")
        return
    where = edits[0].provenance
    delta = compare(edits[0], step.max_changed_lines)
    if isinstance(delta, str):
        yield reject(delta, where)
        return
    reason = _useless(delta)
    windows = find_windows(
        ((a - step.context_lines, b + step.context_lines) for a, b, _, _ in delta.hunks),
        len(delta.old_lines),
    )
    if reason or len(windows) != 1:
        yield reject(reason or "not_in_one_region", where)
        return
    yield _ask(step, row, delta, windows[0], context)


def _ask(
    step: FixRepair, change: Change, delta: Delta, window: tuple[int, int], context: Context
) -> Made:
    first, last = window
    new_last = len(delta.new_lines) - (len(delta.old_lines) - last)
    before = "".join(delta.old_lines[first:last]).removesuffix("\n")
    after = "".join(delta.new_lines[first:new_last]).removesuffix("\n")
    digest = hashlib.sha256(before.encode("utf-8", "replace")).hexdigest()
    request = context.prompt.render(
        {
            "path": delta.path,
            "first_line": first + 1,
            "last_line": last,
            "code": fenced(before, delta.language),
        },
        f"{step.type} {change.source} {change.commit} {digest}",
    )
    answer = fenced(after, delta.language)
    sample = make_sample(step.type, request, answer, changed_part(delta), ("excerpt",))
    return Made(change.split, sample, tuple(delta.added()))


def _is_fix(step: FixRepair, subject: str) -> bool:
    return any(_compiled(each).search(subject) for each in step.subjects)


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise DevtuneError(
            f"fix_repair.subjects: bad regular expression {pattern!r}: {error}; correct it"
        ) from None


def _is_code(edit: FileEdit) -> bool:
    path = edit.provenance.path
    return bool(language_of(path)) and not _TEST.search(path)


def _useless(delta: Delta) -> str:
    changed = _changed_lines(delta)
    if all(not line.strip() or _COMMENT.match(line) for line in changed):
        return "only_comments_change"
    old, new = ("".join("".join(lines).split()) for lines in _sides(delta))
    return "only_blank_space_changes" if old == new else ""


def _sides(delta: Delta) -> tuple[list[str], list[str]]:
    old = [line for a, b, _, _ in delta.hunks for line in delta.old_lines[a:b]]
    new = [line for _, _, c, d in delta.hunks for line in delta.new_lines[c:d]]
    return old, new


def _changed_lines(delta: Delta) -> Sequence[str]:
    old, new = _sides(delta)
    return [*old, *new]

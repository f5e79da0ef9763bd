"""Review comment → fix: a remark and the code it stands on, answered by the next push.

Reads the discussions of the corpus; writes nothing.
"""

from collections.abc import Iterator

from devtune.data.corpus import Yield, reject, split_lines
from devtune.data.families.context import Context
from devtune.data.families.deltas import Delta, compare
from devtune.data.families.hunks import Hunk, Span, count_changed
from devtune.data.families.requests import ask
from devtune.data.families.speech import (
    clean_prose,
    hide_names,
    is_nit,
    is_only_a_question,
    is_talk,
    moment,
)
from devtune.data.languages import fenced
from devtune.data.privacy.personal_authors import is_program
from devtune.records import Change, Discussion, FileEdit, Replay, ReviewComment, SourceFile
from devtune.steps.families import ReviewToFix

HUNK_LINES = 12
"""Last lines of a forge's hunk that are shown; the remark hangs below them."""
Pair = tuple[Discussion, ReviewComment]


def review_to_fix(step: ReviewToFix, row: SourceFile | Change | Replay, context: Context) -> Yield:
    """Yield one sample for each file of a commit that changes lines under remarks."""
    if not isinstance(row, Change):
        return
    for edit in row.edits:
        pairs = context.discussions.remarks_on(row.source, edit.old_blob)
        pairs = [each for each in pairs if each[1].path == edit.provenance.path]
        if not pairs or edit.old == edit.new:
            continue
        if len(row.edits) > step.max_files:
            yield reject("commit_touches_many_files", edit.provenance)
            continue
        yield from _one_file(step, row, edit, pairs, context)


def _one_file(
    step: ReviewToFix, change: Change, edit: FileEdit, pairs: list[Pair], context: Context
) -> Yield:
    delta = compare(edit, step.max_changed_lines)
    if isinstance(delta, str) or delta.state != "changed":
        yield reject(delta if isinstance(delta, str) else f"file_{delta.state}", edit.provenance)
        return
    kept: list[ReviewComment] = []
    for discussion, remark in sorted(pairs, key=_order):
        reason = _useless(step, change, delta, discussion, remark)
        if reason:
            yield reject(reason, edit.provenance, f"#{discussion.number}")
        elif all(each.body != remark.body for each in kept):
            kept.append(remark)
    if not kept:
        return
    near = [_span(each, step.context_lines) for each in kept]
    asked = [hunk for hunk in delta.hunks if any(_touches(hunk, span) for span in near)]
    if 2 * count_changed(asked) < count_changed(delta.hunks):
        yield reject("fix_does_other_things", edit.provenance)
        return
    authors = [name for discussion, remark in pairs for name in (discussion.author, remark.author)]
    bodies = hide_names((clean_prose(each.body) for each in kept), authors)
    task = {
        "remarks": [_shown(each, body) for each, body in zip(kept, bodies, strict=True)],
        "path": delta.path,
        "subject": f"Address {'the remark' if len(kept) == 1 else 'the remarks'} on `{delta.path}`",
    }
    done = ("prose_cleaned", "names_hidden")
    yield ask(step, step.type, change, [delta], task, context, done)


def _order(pair: Pair) -> tuple[int, str, str, int]:
    discussion, remark = pair
    return remark.first_line, remark.date, remark.body, discussion.number


def _shown(remark: ReviewComment, body: str) -> dict[str, object]:
    hunk = split_lines(remark.hunk.replace("\r\n", "\n"))
    lines = [line for line in hunk if not line.startswith("@@")][-HUNK_LINES:]
    return {
        "body": body,
        "first_line": remark.first_line,
        "last_line": remark.last_line,
        "hunk": fenced("".join(lines).rstrip("\n"), "diff") if lines else "",
    }


def _useless(
    step: ReviewToFix, change: Change, delta: Delta, discussion: Discussion, remark: ReviewComment
) -> str:
    if not any(_touches(hunk, _span(remark, 0)) for hunk in delta.hunks):
        return "line_does_not_change"
    said, done = moment(remark.date), moment(change.date)
    if said is None or done is None or said >= done:
        return "remark_after_the_change"
    if discussion.split == "held_out" and change.split == "train":
        return "discussion_held_out"
    if is_program(remark.author):
        return "remark_of_a_bot"
    if remark.author and remark.author == discussion.author:
        # Whoever is reviewed answers; what they answer is not what the fix was asked for.
        return "remark_of_the_author"
    return next(_says_little(step, clean_prose(remark.body)), "")


def _says_little(step: ReviewToFix, body: str) -> Iterator[str]:
    if len(body.split()) < step.min_words:
        yield "remark_too_short"
    if is_nit(body):
        yield "remark_is_a_nit"
    if is_talk(body):
        yield "remark_is_talk"
    if is_only_a_question(body):
        yield "remark_only_asks"


def _span(remark: ReviewComment, around: int) -> Span:
    """Lines a remark stands on, from 0; none where the forge gave none."""
    if remark.first_line < 1:
        return (0, 0)
    return remark.first_line - 1 - around, max(remark.last_line, remark.first_line) + around


def _touches(hunk: Hunk, span: Span) -> bool:
    """Whether a hunk changes a line of `span`, or puts lines beside or between them."""
    first, last, _, _ = hunk
    if span[0] == span[1]:
        return False
    return span[0] <= first <= span[1] if first == last else first < span[1] and span[0] < last

"""Commit → edit: the message and the old files are the request, the whole change the answer.

Reads and writes nothing but what it is handed.
"""

from devtune.data.corpus import Yield
from devtune.data.families.context import Context
from devtune.data.families.deltas import find_deltas, leave_out_unknowable, refuse
from devtune.data.families.messages import clean_message
from devtune.data.families.requests import ask
from devtune.records import Change, Rejected, Replay, SourceFile
from devtune.steps.families import CommitEdit


def commit_edit(step: CommitEdit, row: SourceFile | Change | Replay, context: Context) -> Yield:
    """Yield one sample for a commit that says what it does."""
    if not isinstance(row, Change):
        return
    words = clean_message(row.subject, row.body)
    if words.is_empty():
        yield refuse(row, "message_says_too_little")
        return
    deltas = find_deltas(row, step.max_files, step.max_changed_lines)
    if isinstance(deltas, Rejected):
        yield deltas
        return
    kept, rejected = leave_out_unknowable(row, deltas)
    yield from rejected
    if not kept:
        return
    task = {
        "subject": words.subject,
        "body": words.body,
        "kind": words.kind,
        "scope": words.scope,
    }
    is_cleaned = (words.subject, words.body) != (row.subject, row.body)
    done = ("message_cleaned",) if is_cleaned else ()
    yield ask(step, step.type, row, kept, task, context, done)

"""Issue or change request → patch: what was asked for is the request, the change the answer.

Reads the discussions of the corpus; writes nothing.
"""

import re
from collections.abc import Iterator

from devtune.data.corpus import Yield
from devtune.data.families.context import Context
from devtune.data.families.deltas import find_deltas, leave_out_unknowable, refuse
from devtune.data.families.messages import clean_message
from devtune.data.families.requests import ask
from devtune.data.families.speech import clean_prose, hide_names, is_talk, moment
from devtune.data.privacy.personal_authors import is_program
from devtune.data.sources.links import find_closed
from devtune.records import Change, Discussion, Rejected, Replay, SourceFile
from devtune.steps.families import IssueToPatch

MAX_COMMENTS = 10
_OWN_NUMBER = re.compile(
    r"\([#!](\d{1,9})\)$|\b(?i:see merge request|closes|merges) [\w./-]{0,200}!(\d{1,9})\b",
    re.MULTILINE,
)
"""How a squashed commit names its change request: `… (#12)`, `See merge request group/name!12`."""


def issue_to_patch(
    step: IssueToPatch, row: SourceFile | Change | Replay, context: Context
) -> Yield:
    """Yield one sample for a commit that carries out what a discussion asks for."""
    if not isinstance(row, Change):
        return
    discussion = find_discussion(row, context)
    if not isinstance(discussion, Discussion):
        if discussion:
            yield refuse(row, discussion)
        return
    told = tell(discussion, row, step.max_characters)
    if told is None:
        yield refuse(row, "opened_after_the_change", detail=f"#{discussion.number}")
        return
    title, body, comments = told
    reason = _useless(step, discussion, row, title, body)
    if reason:
        yield refuse(row, reason, detail=f"#{discussion.number}")
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
        "title": title,
        "body": body,
        "comments": comments,
        "kind": discussion.kind,
        "subject": clean_message(row.subject, "").subject or title,
    }
    yield ask(step, step.type, row, kept, task, context, ("prose_cleaned", "names_hidden"))


def find_discussion(change: Change, context: Context) -> Discussion | str:
    """Return what a commit carries out: an issue where there is one, else its change request.

    A string is the reason it is not clear, `""` that nothing is known of it.
    """
    known = context.discussions
    requests = known.of_commit(change.source, change.commit)
    message = f"{change.subject}\n{change.body}"
    if not requests:
        numbers = [int(a or b) for a, b in _OWN_NUMBER.findall(message)]
        named = (known.change_request(change.source, number) for number in numbers)
        requests = [each for each in named if each]
    if any(not _is_whole(each, change.commit) for each in requests):
        return "part_of_a_change_request"
    closed = [*find_closed(message, ""), *(n for each in requests for n in each.closes)]
    found: dict[int, Discussion] = {}
    for number in closed:
        issue = known.issue(change.source, number) or known.change_request(change.source, number)
        if issue:
            found[number] = issue
    issues = [each for each in found.values() if each.kind == "issue"]
    if len(issues) > 1 and not requests:
        return "closes_several_issues"
    if len(issues) == 1:
        return issues[0]
    return next(iter(requests or found.values()), "")


def _is_whole(request: Discussion, commit: str) -> bool:
    """Whether a commit is all of a change request: its squash, or the only one of its branch."""
    # A merge is no change of its own, so a commit that stands first is the squash.
    known = commit in request.commits
    return not known or request.commits[0] == commit or len(request.commits) <= 2


def tell(
    discussion: Discussion, change: Change, max_characters: int
) -> tuple[str, str, list[dict[str, str]]] | None:
    """Return title, body and the comments people made before the change, names hidden.

    None where an issue is younger than the change, or a date cannot be read.
    """
    done = moment(change.date)
    opened = moment(discussion.date)
    if done is None or opened is None or (discussion.kind == "issue" and opened >= done):
        return None
    said = [
        each
        for each in discussion.comments
        if not is_program(each.author)
        and (date := moment(each.date)) is not None
        and date < done
        and not is_talk(each.body)
    ]
    authors = [discussion.author, *(each.author for each in discussion.comments)]
    texts = [discussion.title, discussion.body, *(each.body for each in said)]
    cleaned = [clean_prose(text) for text in texts]
    # Whoever speaks gets a number first, in the order of speaking.
    speakers = [f"@{each}" for each in (discussion.author, *(each.author for each in said))]
    hidden = hide_names([*speakers, *cleaned], authors)
    names, (title, body, *rest) = hidden[: len(speakers)], hidden[len(speakers) :]
    left = max_characters - len(title) - len(body)
    comments = list(_fitting(names[1:], rest, left))
    return " ".join(title.split()), body, comments


def _fitting(names: list[str], bodies: list[str], left: int) -> Iterator[dict[str, str]]:
    """Yield comments from the first on, as long as there is room."""
    num_told = 0
    for name, body in zip(names, bodies, strict=True):
        if not body:
            continue
        left -= len(body)
        num_told += 1
        if left < 0 or num_told > MAX_COMMENTS:
            return
        yield {"author": name.removeprefix("@"), "body": body}


def _useless(
    step: IssueToPatch, discussion: Discussion, change: Change, title: str, body: str
) -> str:
    if discussion.split == "held_out" and change.split == "train":
        return "discussion_held_out"
    if is_program(discussion.author):
        return "discussion_of_a_bot"
    size = len(title) + len(body)
    if size < step.min_characters:
        return "description_too_short"
    return "description_too_long" if size > step.max_characters else ""

"""Gitea's answers taken apart (Forgejo's too): what differs from GitHub's, which they resemble.

Works on objects of the REST API in memory; reads and writes no files. Field names are those of
https://docs.gitea.com/api (Issue, PullRequest, Comment, PullReview, PullReviewComment, Commit).
"""

from devtune.data.sources.fields import Object, as_number, as_object, as_text
from devtune.data.sources.github import (
    is_commit,
    is_head,
    read_comment,
    read_commit,
    read_head,
    read_review,
    shared,
)
from devtune.data.sources.pieces import Piece, Remark, attach

_OWN_KEYS = frozenset((
    "assets", "original_author", "is_locked", "merge_base", "resolver", "comments_count",
    "official", "old_title", "original_author_id", "allow_maintainer_edit",
))  # fmt: skip


def read_gitea(value: Object) -> "list[Piece | None]":
    """Return the pieces of one object: none when Gitea's API gives no such object.

    None inside the list stands for a nested object that is not known.
    """
    if "node_id" in value or not (_OWN_KEYS & value.keys() or _is_own_commit(value)):
        return []
    if is_head(value):
        return attach(read_head(value), value, _read_part)
    return _read_part(value)


def _read_part(value: Object) -> "list[Piece | None]":
    piece = read_commit(value) if is_commit(value) else _read_remark(value)
    return [piece] if piece else []


def _read_remark(value: Object) -> Remark | None:
    if not isinstance(value.get("id"), int) or "body" not in value:
        return None
    if "diff_hunk" in value:
        return _read_line(value)
    if "pull_request_url" in value and "submitted_at" in value:
        return read_review(value)
    # A timeline has what happened beside what was said, in the same shape.
    is_event = as_text(value.get("type")) not in ("", "comment")
    omitted = "system_note" if is_event else ""
    return read_comment(value, omitted) if "issue_url" in value else None


def _is_own_commit(value: Object) -> bool:
    return "created" in value and is_commit(value)


def _read_line(value: Object) -> Remark:
    # `position` counts in the version the review looked at; `commit_id` is the commit that
    # wrote the line, where it may have had another number. A removed line has no `position`.
    line = as_number(value.get("position"))
    removed = as_number(value.get("original_position"))
    review, path = as_number(value.get("pull_request_review_id")), as_text(value.get("path"))
    return Remark(
        kind="line",
        **shared(value, ""),
        # An answer joins the review it answers, on the same line.
        thread=f"{review} {line} {removed} {path}",
        path=path,
        first_line=line,
        last_line=line,
        hunk=as_text(value.get("diff_hunk")),
        is_resolved=bool(as_object(value.get("resolver"))),
        review_id=review,
    )

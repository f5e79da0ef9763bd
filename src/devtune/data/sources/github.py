"""GitHub's answers taken apart: issues, pull requests, comments, reviews and commits.

Works on objects of the REST API in memory; reads and writes no files. Field names are those of
https://docs.github.com/en/rest (issues, issues/comments, pulls, pulls/comments, pulls/reviews).
"""

import re
from typing import Any

from devtune.data.sources.fields import (
    Object,
    as_commit,
    as_commits,
    as_moment,
    as_number,
    as_object,
    as_objects,
    as_text,
)
from devtune.data.sources.links import place_of
from devtune.data.sources.pieces import BranchCommit, Head, Piece, Remark, attach

_BOT = re.compile(r"(?i).*(?:\[bot\]|[-_](?:ro)?bot)|(?:dependabot|renovate)(?:-preview)?")
_HUNK = re.compile(r"@@+ .*?\+(\d{1,9})(?:,\d{1,9})? @@")
_WITH_TEXT = ("", "commented", "reviewed")
"""Events of a timeline that are a comment or a review."""


def read_github(value: Object) -> "list[Piece | None]":
    """Return the pieces of one object: none when GitHub's API gives no such object.

    None inside the list stands for a nested object that is not known.
    """
    if is_head(value):
        return attach(read_head(value), value, _read_part)
    return _read_part(value)


def _read_part(value: Object) -> "list[Piece | None]":
    piece = read_commit(value) if is_commit(value) else _read_remark(value)
    return [piece] if piece else []


def is_head(value: Object) -> bool:
    """Whether this is an issue or a pull request; milestones have no `user`."""
    is_whole = {"number", "title", "user"} <= value.keys()
    return is_whole and as_number(value["number"]) > 0


def is_commit(value: Object) -> bool:
    """Whether this is a commit of a list of commits."""
    return "commit" in value and "parents" in value and as_commit(value.get("sha")) != ""


def read_head(value: Object) -> Head:
    """Return an issue, or a pull request as either endpoint has it."""
    author = as_object(value.get("user"))
    branch, base = as_object(value.get("head")), as_object(value.get("base"))
    is_merged = value.get("merged") is True or as_moment(value.get("merged_at")) != ""
    return Head(
        space="shared",
        number=as_number(value["number"]),
        project=repository_of(value),
        id=0,
        is_change_request=bool(branch or as_object(value.get("pull_request"))),
        title=as_text(value.get("title")).strip(),
        body=as_text(value.get("body")),
        author=as_text(author.get("login")),
        is_bot=is_bot(author),
        date=as_moment(value.get("created_at")),
        updated=as_moment(value.get("updated_at")),
        repository=repository_of(value),
        tip=as_commit(branch.get("sha")),
        bases=as_commits(base.get("sha"), value.get("merge_base")),
        # Until then it is a trial merge that no branch contains.
        merged_as=as_commits(value.get("merge_commit_sha")) if is_merged else (),
    )


def read_commit(value: Object) -> BranchCommit:
    """Return a commit with its parents."""
    parents = as_commits(*(each.get("sha") for each in as_objects(value.get("parents"))))
    return BranchCommit(as_commit(value["sha"]), parents)


def _read_remark(value: Object) -> Remark | None:
    if as_text(value.get("event")) not in _WITH_TEXT or not isinstance(value.get("id"), int):
        return None
    if "diff_hunk" in value and "pull_request_url" in value:
        return _read_line(value)
    if "pull_request_url" in value and "state" in value:
        return read_review(value)
    return read_comment(value) if "issue_url" in value and "body" in value else None


def read_comment(value: Object, omitted: str = "") -> Remark:
    """Return a comment on an issue or on a pull request as a whole."""
    return Remark(kind="comment", **shared(value, omitted))


def read_review(value: Object) -> Remark:
    """Return a review: its summary, and the version that was looked at."""
    omitted = "draft" if value.get("state") == "PENDING" else ""
    return Remark(kind="review", **shared(value, omitted), commit=as_commit(value.get("commit_id")))


def _read_line(value: Object) -> Remark:
    first, last = _lines(value)
    commit = as_commit(value.get("original_commit_id")) or as_commit(value.get("commit_id"))
    return Remark(
        kind="line",
        **shared(value, ""),
        thread=str(as_number(value.get("in_reply_to_id")) or as_number(value["id"])),
        path=as_text(value.get("path")),
        commit=commit,
        first_line=first,
        last_line=last,
        hunk=as_text(value.get("diff_hunk")),
    )


def _lines(value: Object) -> tuple[int, int]:
    """Return the lines in the version of `original_commit_id`; 0, 0 for removed ones."""
    is_of_file = value.get("subject_type") == "file"
    if is_of_file or value.get("side") == "LEFT":
        return 0, 0
    last = as_number(value.get("original_line"))
    if not last:
        last = _last_line(as_text(value.get("diff_hunk")))
        return last, last
    first = as_number(value.get("original_start_line")) or last
    if first > last or value.get("start_side") == "LEFT":
        first = last
    return first, last


def _last_line(hunk: str) -> int:
    """Return the new number of the last line of a hunk, where the remark hangs; 0 if removed."""
    header, *lines = hunk.split("\n")
    start = _HUNK.match(header)
    lines = [line for line in lines if not line.startswith("\\")]
    if start is None or not lines or lines[-1].startswith("-"):
        return 0
    return int(start[1]) + sum(not line.startswith("-") for line in lines) - 1


def shared(value: Object, omitted: str) -> dict[str, Any]:
    """Return what all remarks have: place, author, time and text."""
    author = as_object(value.get("user"))
    repository, number = parent_of(value)
    return {
        "space": "shared",
        "number": number,
        "project": repository,
        "parent_id": 0,
        "id": as_number(value.get("id")),
        "omitted": omitted or ("bot" if is_bot(author) else ""),
        "author": as_text(author.get("login")),
        "date": as_moment(value.get("created_at") or value.get("submitted_at")),
        "updated": as_moment(value.get("updated_at") or value.get("submitted_at")),
        "body": as_text(value.get("body")),
    }


def is_bot(author: Object) -> bool:
    """Whether an account is a program's."""
    login = as_text(author.get("login"))
    return author.get("type") == "Bot" or _BOT.fullmatch(login) is not None


def repository_of(value: Object) -> str:
    """Return `owner/name` in lower case, `""` where no address tells it."""
    for key in ("html_url", "url"):
        if place := place_of(as_text(value.get(key)))[0]:
            return _last_two(place)
    return ""


def parent_of(value: Object) -> tuple[str, int]:
    """Return the repository and number a remark belongs to; `("", 0)` if it does not say."""
    for key in ("issue_url", "pull_request_url", "html_url"):
        repository, number = place_of(as_text(value.get(key)))
        if number:
            return _last_two(repository), number
    return "", 0


def _last_two(path: str) -> str:
    return "/".join(path.split("/")[-2:])

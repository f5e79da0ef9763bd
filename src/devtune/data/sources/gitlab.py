"""GitLab's answers taken apart: issues, merge requests, notes, discussions and commits.

Works on objects of the REST API in memory; reads and writes no files. Field names are those of
https://docs.gitlab.com/api (issues, merge_requests, notes, discussions, commits).
"""

import re
from dataclasses import replace
from typing import Literal

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

# Tokens of a project or group speak through accounts of these names.
_BOT = re.compile(r"(?i)(?:project|group)_\d+_bot\w*|.*(?:\[bot\]|[-_](?:ro)?bot)")
_SPACES: dict[str, Literal["issue", "change_request"]] = {
    "Issue": "issue",
    "WorkItem": "issue",
    "MergeRequest": "change_request",
}


def read_gitlab(value: Object) -> "list[Piece | None]":
    """Return the pieces of one object: none when GitLab's API gives no such object.

    None inside the list stands for a nested object that is not known.
    """
    if {"iid", "project_id", "title", "author"} <= value.keys() and as_number(value["iid"]):
        return attach(_read_head(value), value, _read_part)
    return _read_part(value)


def _read_part(value: Object) -> "list[Piece | None]":
    if "individual_note" in value and isinstance(value.get("notes"), list):
        return _read_discussion(value)
    if "noteable_type" in value and "body" in value:
        return [_read_note(value)]
    if "short_id" in value and "parent_ids" in value and as_commit(value.get("id")):
        return [_read_commit(value)]
    return []


def _read_head(value: Object) -> Head:
    author, ends = as_object(value.get("author")), as_object(value.get("diff_refs"))
    is_change_request = "target_branch" in value
    is_merged = value.get("state") == "merged"
    merged_as = as_commits(value.get("squash_commit_sha"), value.get("merge_commit_sha"))
    return Head(
        space="change_request" if is_change_request else "issue",
        number=as_number(value["iid"]),
        project=str(as_number(value["project_id"]) or ""),
        id=as_number(value.get("id")),
        is_change_request=is_change_request,
        title=as_text(value.get("title")).strip(),
        body=as_text(value.get("description")),
        author=as_text(author.get("username")),
        is_bot=_is_bot(author),
        date=as_moment(value.get("created_at")),
        updated=as_moment(value.get("updated_at")),
        repository=place_of(as_text(value.get("web_url")))[0],
        is_confidential=value.get("confidential") is True,
        tip=as_commit(value.get("sha")) or as_commit(ends.get("head_sha")),
        bases=as_commits(ends.get("base_sha"), ends.get("start_sha")),
        merged_as=merged_as if is_merged else (),
    )


def _read_discussion(value: Object) -> "list[Piece | None]":
    found: list[Piece | None] = []
    for each in as_objects(value["notes"]):
        if "noteable_type" not in each or "body" not in each:
            found.append(None)
            continue
        note = _read_note(each)
        thread = as_text(value.get("id")) or note.thread
        found.append(replace(note, thread=thread))
    return found


def _read_note(value: Object) -> Remark:
    author, position = as_object(value.get("author")), as_object(value.get("position"))
    first, last = _lines(position)
    return Remark(
        kind="line" if position else "comment",
        space=_SPACES.get(as_text(value["noteable_type"]), "shared"),
        number=as_number(value.get("noteable_iid")),
        project=str(as_number(value.get("project_id")) or ""),
        parent_id=as_number(value.get("noteable_id")),
        id=as_number(value.get("id")),
        omitted=_omitted(value, author),
        author=as_text(author.get("username")),
        date=as_moment(value.get("created_at")),
        updated=as_moment(value.get("updated_at")),
        body=as_text(value.get("body")),
        path=as_text(position.get("new_path")) or as_text(position.get("old_path")),
        commit=as_commit(position.get("head_sha")),
        first_line=first,
        last_line=last,
        is_resolved=value.get("resolved") is True,
    )


def _omitted(value: Object, author: Object) -> str:
    if value.get("system") is True:
        return "system_note"
    if value.get("internal") is True or value.get("confidential") is True:
        return "confidential"
    return "bot" if _is_bot(author) else ""


def _lines(position: Object) -> tuple[int, int]:
    """Return the lines in the version of `head_sha`; 0, 0 for removed lines and images."""
    last = as_number(position.get("new_line"))
    if not last or position.get("position_type") not in ("text", None):
        return 0, 0
    start = as_object(as_object(position.get("line_range")).get("start"))
    first = as_number(start.get("new_line")) or last
    return (first if first <= last else last), last


def _read_commit(value: Object) -> BranchCommit:
    parents = value["parent_ids"]
    known = as_commits(*parents) if isinstance(parents, list) else ()
    # The list of a merge request's commits comes without parents from most versions of GitLab.
    return BranchCommit(as_commit(value["id"]), known, bool(known))


def _is_bot(author: Object) -> bool:
    return author.get("bot") is True or _BOT.fullmatch(as_text(author.get("username"))) is not None

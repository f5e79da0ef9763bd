"""What was gathered of one issue or change request, put together as a row of the corpus.

Works on pieces in memory and asks the repository for blob ids; reads and writes no files.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from devtune.data.sources.links import find_closed
from devtune.data.sources.pieces import Head, Remark
from devtune.data.sources.pile import Filed, Gathered
from devtune.records import Comment, Discussion, Rejected, ReviewComment, Split


@dataclass(frozen=True, slots=True)
class Terms:
    """What the pieces do not say themselves."""

    name: str
    """Name of the source in reports."""
    repository: str
    cut_date: str
    """ISO 8601 in UTC to the second; `""` trains on everything."""
    find_blob: Callable[[str, str], str]
    branch_of: Callable[[str], tuple[str, ...]]


def put_together(gathered: Gathered, terms: Terms) -> Iterator[Discussion | Rejected]:
    """Yield what is left out of a discussion, then the discussion, unless it is left out whole."""
    head = _newest(gathered.heads)
    kind = "change_request" if head.is_change_request else "issue"
    label = f"{kind} {head.number}"
    if reason := _reject_head(gathered.heads, head):
        yield Rejected(reason, terms.name, gathered.file, "", label)
        return
    split: Split = "held_out" if _is_after(head.date, terms.cut_date) else "train"
    folded = _fold(gathered.remarks)
    kept: list[Remark] = []
    for filed in folded:
        if reason := _reject_remark(filed.remark, split, terms.cut_date):
            yield Rejected(reason, terms.name, filed.file, "", label)
        elif filed.remark.body.strip():
            kept.append(filed.remark)
    versions = {x.remark.id: x.remark.commit for x in folded if x.remark.kind == "review"}
    own = head.number if head.space == "shared" else 0
    closes = find_closed(head.body, head.repository) if head.is_change_request else ()
    yield Discussion(
        source=terms.repository,
        kind=kind,
        number=head.number,
        title=head.title,
        body=head.body,
        author=head.author,
        date=head.date,
        split=split,
        commits=_commits(gathered.heads, terms),
        closes=tuple(number for number in closes if number != own),
        comments=_comments(kept),
        reviews=tuple(_reviews([_placed(x, versions) for x in kept if x.kind == "line"], terms)),
    )


def _newest(heads: tuple[Head, ...]) -> Head:
    """Return what the latest answer says; a change request where any answer says it is one."""
    newest = max(enumerate(heads), key=lambda each: (each[1].updated, -each[0]))[1]
    return replace(newest, is_change_request=any(each.is_change_request for each in heads))


def _reject_head(heads: Iterable[Head], newest: Head) -> str:
    if any(each.is_confidential for each in heads):
        return "confidential"
    if newest.is_bot:
        return "bot"
    return "" if newest.date else "no_date"


def _fold(remarks: Iterable[Filed]) -> list[Filed]:
    """Keep the latest of what was read more than once, e.g. as a note and in its discussion."""
    found: dict[object, Filed] = {}
    for number, filed in enumerate(remarks):
        each = filed.remark
        key = (each.kind, each.id) if each.id else number
        known = found.get(key)
        if known is None or _age(each) > _age(known.remark):
            found[key] = filed
    return list(found.values())


def _age(remark: Remark) -> tuple[str, bool]:
    return remark.updated, remark.thread != ""


def _reject_remark(remark: Remark, split: Split, cut_date: str) -> str:
    if remark.omitted:
        return remark.omitted
    if not remark.body.strip():
        # An approval says nothing; there is nothing to leave out.
        return "" if remark.kind == "review" else "empty_comment"
    if not remark.date:
        return "no_date"
    return "after_cut" if split == "train" and _is_after(remark.date, cut_date) else ""


def _is_after(date: str, cut_date: str) -> bool:
    return cut_date != "" and date > cut_date


def _commits(heads: Iterable[Head], terms: Terms) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for head in heads:
        found.update(dict.fromkeys(head.merged_as))
    for head in heads:
        branch = terms.branch_of(head.tip) if head.tip and not head.commits else ()
        found.update(dict.fromkeys((*head.commits, *branch)))
        found.update(dict.fromkeys([head.tip] if head.tip else []))
    return tuple(found)


def _comments(remarks: Iterable[Remark]) -> tuple[Comment, ...]:
    plain = [each for each in remarks if each.kind != "line"]
    plain.sort(key=lambda x: (x.date, x.kind, x.id, x.author, x.body))
    return tuple(Comment(each.author, each.date, each.body) for each in plain)


def _placed(remark: Remark, versions: dict[int, str]) -> Remark:
    """Give a remark the version its review looked at; without it its lines count nowhere."""
    if not remark.review_id:
        return remark
    commit = versions.get(remark.review_id, "")
    if commit:
        return replace(remark, commit=commit)
    return replace(remark, first_line=0, last_line=0)


def _reviews(remarks: list[Remark], terms: Terms) -> Iterator[ReviewComment]:
    """Yield remarks on lines, thread by thread, oldest thread first."""
    threads: dict[object, list[Remark]] = {}
    for number, each in enumerate(sorted(remarks, key=lambda x: (x.date, x.id, x.body))):
        threads.setdefault(each.thread or number, []).append(each)
    for thread in threads.values():
        is_resolved = any(each.is_resolved for each in thread)
        for each in thread:
            yield ReviewComment(
                author=each.author,
                date=each.date,
                body=each.body,
                path=each.path,
                commit=each.commit,
                blob=_blob(each, terms),
                first_line=each.first_line,
                last_line=each.last_line,
                hunk=each.hunk,
                is_resolved=is_resolved,
            )


def _blob(remark: Remark, terms: Terms) -> str:
    parts = remark.path.split("/")
    is_safe = "" not in parts and ".." not in parts and "." not in parts
    # U+FFFD stands for what was no text: such a path names another file, or none.
    is_whole = remark.path.isprintable() and "\ufffd" not in remark.path
    if not (remark.commit and is_safe and is_whole):
        return ""
    return terms.find_blob(remark.commit, remark.path)

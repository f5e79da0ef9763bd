"""What a forge's answers are taken apart into, before they are put together by number.

Works on values in memory; reads and writes no files.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from devtune.data.sources.fields import Object, as_objects

NESTED = ("comments", "notes", "discussions", "review_comments", "reviews", "commits")
"""Keys of an issue or change request whose objects are pieces of it."""

Space = Literal["shared", "issue", "change_request"]
"""What counts the numbers: GitHub and Gitea count issues and pull requests in one row."""


@dataclass(frozen=True, slots=True)
class Head:
    """An issue or a change request itself, as one answer of one endpoint has it."""

    space: Space
    number: int
    project: str
    """What tells repositories apart: `owner/name`, or GitLab's project id; `""` if unknown."""
    id: int
    """GitLab's id over all projects; 0 elsewhere."""
    is_change_request: bool
    title: str
    body: str
    author: str
    is_bot: bool
    date: str
    updated: str
    repository: str
    """Path on the forge as references spell it, lower case, e.g. `group/subgroup/name`."""
    is_confidential: bool = False
    tip: str = ""
    """Last commit of the branch."""
    bases: tuple[str, ...] = ()
    """Commits the branch started from: they are none of its own."""
    merged_as: tuple[str, ...] = ()
    """The merge or squash commit, once merged."""
    commits: tuple[str, ...] = ()
    """Commits of the branch that were nested in the answer."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment, a review, or a comment on lines."""

    kind: Literal["comment", "review", "line"]
    space: Space
    number: int
    project: str
    parent_id: int
    """GitLab's id of what it stands on, for notes that do not say its number."""
    id: int
    omitted: str
    """Reason to leave it out whatever it says, e.g. `bot`; `""` for none."""
    author: str
    date: str
    updated: str
    body: str
    thread: str = ""
    """Equal for the remarks of one thread; `""` where the answer does not say."""
    path: str = ""
    commit: str = ""
    """The version it stands on; of a review the one that was looked at."""
    first_line: int = 0
    last_line: int = 0
    hunk: str = ""
    is_resolved: bool = False
    review_id: int = 0
    """Where the version is not told by the remark, the review that tells it."""


@dataclass(frozen=True, slots=True)
class BranchCommit:
    """A commit and its parents, from a list of commits that does not say whose they are."""

    id: str
    parents: tuple[str, ...]
    has_parents: bool = True
    """False where the forge leaves the parents out."""


Piece = Head | Remark | BranchCommit
Read = Callable[[Object], "list[Piece | None]"]
"""Takes one object apart; None stands for one inside it that it does not know, [] for itself."""


def attach(head: Head, value: Object, read: Read) -> "list[Piece | None]":
    """Return `head` and what is nested in its `value`, all of it belonging to the head.

    `read` takes apart what can be nested; None stands for a nested object it does not know.
    """
    children = (each for key in NESTED for each in as_objects(value.get(key)))
    nested = [piece for each in children for piece in read(each) or [None]]
    commits = [each.id for each in nested if isinstance(each, BranchCommit)]
    whole = replace(head, commits=tuple(dict.fromkeys(commits)))
    return [whole, *_belonging(head, nested)]


def _belonging(head: Head, nested: "Iterable[Piece | None]") -> "Iterator[Piece | None]":
    for each in nested:
        if isinstance(each, Remark):
            own: dict[str, Any] = {"space": head.space, "number": head.number}
            yield replace(each, **own, project=head.project)
        elif not isinstance(each, BranchCommit):
            yield None

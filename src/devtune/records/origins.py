"""Where something came from, and what was left out on the way: said in the rows of all stages."""

from dataclasses import dataclass
from typing import Literal

from pydantic import with_config

from devtune.records.split import STRICT


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class AuthorShare:
    """How much of a stretch of text one person wrote last."""

    author: str
    """As in `Provenance.author`; `""` for lines whose author the history does not tell."""
    share: float
    """Of its lines, rounded to 4 digits."""


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a text came from. Empty strings where a plain directory has no history."""

    source: str
    """Name of the source in the recipe."""
    commit: str
    path: str
    blob: str
    """Git blob id (sha1 of the content as git counts it), also for files outside git."""
    author: str
    """`Name <mail>` of the last person to change this path at `commit`, through .mailmap, or the
    pseudonym that the policy of personal data puts in its place."""
    date: str
    """Committer date, ISO 8601 in UTC."""
    license: str = ""
    """SPDX expression of the file; empty where nothing says one."""
    first_line: int = 0
    """Of the part a sample is made of, 1-based; 0 where that is the whole file.

    Lines are those of the corpus text, each ending in a line feed. The file's own are the same but
    in a notebook, and after a secret of several lines that one placeholder stands for. Of an edit
    they are those that change, first to last, in the new text; in the old one where it deletes.
    """
    last_line: int = 0
    """Inclusive."""
    authors: tuple[AuthorShare, ...] = ()
    """Who wrote those lines, the largest share first; empty without `collect.blame`, and for an
    edit, which `author` made."""


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Source:
    """One opened source (`corpus/sources.jsonl`)."""

    name: str
    kind: Literal["git", "directory", "package", "forge", "sessions"]
    weight: float
    license: str
    owner: str
    tip: str = ""
    """Commit that was read, or the version of a package."""
    cut: str = ""
    """Commit at time T: its tree and what it reaches is trained on."""
    cut_date: str = ""
    """Committer date of `cut`, ISO 8601 in UTC."""
    num_held_out_commits: int = 0


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Rejected:
    """Something that did not go on, and why (`rejected.jsonl` of every data stage)."""

    reason: str
    source: str
    path: str
    commit: str = ""
    detail: str = ""

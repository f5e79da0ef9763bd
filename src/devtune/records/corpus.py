"""Rows of `corpus/`: files, commits, discussions, acted-out commits, and what was replaced."""

from dataclasses import dataclass
from typing import Literal

from pydantic import with_config

from devtune.records.origins import Provenance
from devtune.records.split import STRICT, Split


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class BlameRun:
    """Lines below each other that one person changed last."""

    author: str
    """As in `Provenance.author`; `""` where the history does not tell."""
    first_line: int
    """1-based, in the text of the row."""
    num_lines: int


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class SourceFile:
    """One kept file of the tree at the cut (`corpus/files.jsonl`); secrets already replaced."""

    provenance: Provenance
    split: Split
    text: str
    language: str = ""
    """Fence name of its language, `""` when it is not code. A notebook's is that of its cells."""
    blame: tuple[BlameRun, ...] = ()
    """Who wrote each of its lines; empty without `collect.blame` and outside git."""


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class FileEdit:
    """One file as one commit changed it: `old` and `new` are whole texts, secrets replaced."""

    provenance: Provenance
    old_blob: str
    old: str
    new: str


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Change:
    """One commit with the files it modified, added or deleted (`corpus/changes.jsonl`)."""

    source: str
    commit: str
    author: str
    date: str
    split: Split
    subject: str
    body: str
    num_files: int
    """Files the commit touched, kept or not; a commit of many files is hard to phrase as a task."""
    edits: tuple[FileEdit, ...]
    """The files that were kept. `old == ""` for an added file, `new == ""` for a deleted one."""


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Comment:
    """One remark in a discussion."""

    author: str
    """Login name, as the forge gives it."""
    date: str
    """ISO 8601 in UTC."""
    body: str


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class ReviewComment:
    """One remark on lines of a file under review."""

    author: str
    date: str
    body: str
    path: str
    commit: str
    """The commit whose version of the file is talked about."""
    blob: str
    """Git blob id of `path` at `commit`; `""` where the repository does not have it."""
    first_line: int
    """1-based, in the version at `commit`; 0 where the forge gives none."""
    last_line: int
    """1-based, inclusive."""
    hunk: str
    """The diff hunk it hangs on, as the forge gives it."""
    is_resolved: bool
    """Whether its thread was marked resolved; False where the forge does not say."""


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Discussion:
    """One issue, or one pull or merge request (`corpus/discussions.jsonl`)."""

    source: str
    """Name of the git source it belongs to."""
    kind: Literal["issue", "change_request"]
    number: int
    title: str
    body: str
    author: str
    date: str
    """When it was opened, ISO 8601 in UTC."""
    split: Split
    """`held_out` when it was opened after the cut of its repository."""
    commits: tuple[str, ...]
    """Commits that carried it out: the merge or squash commit and those of its branch."""
    closes: tuple[int, ...]
    """Issues it says it closes; for change requests."""
    comments: tuple[Comment, ...]
    reviews: tuple[ReviewComment, ...]


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Action:
    """One tool call of a replayed commit and what really came out of it."""

    tool: Literal["grep", "read", "edit", "write", "run"]
    arguments: str
    """JSON object; keys by tool: grep pattern path limit; read path offset limit;
    edit path old new; write path content; run command."""
    output: str
    """What was read or printed; how the served tool words it is the matter of `build`."""
    is_grounded: bool = True
    """Whether something seen earlier led here; what is not is kept as context and not trained."""
    exit_code: int = 0
    """Of a command."""
    num_lines: int = 0
    """Of the whole file that a read is part of."""
    num_bytes: int = 0
    """Of the whole file that a read is part of, as UTF-8."""


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Replay:
    """One commit acted out on the tree of its parent (`corpus/replays.jsonl`)."""

    source: str
    commit: str
    author: str
    date: str
    split: Split
    subject: str
    body: str
    provenance: tuple[Provenance, ...]
    """The files it changes."""
    actions: tuple[Action, ...]


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Redaction:
    """One value in one file of a source, replaced everywhere (`corpus/redactions.jsonl`).

    Never the value, nor anything it could be guessed from.
    """

    placeholder: str
    """What stands in its place in every text."""
    layer: Literal["secret", "personal"]
    kind: str
    """In lower case: `github_pat`, `password`, `email`."""
    rule: str
    """Who found it first."""
    source: str
    path: str
    """Empty where it does not stand in a file: a commit message, a discussion."""
    commit: str
    """The first version that was read with it in; empty outside histories."""
    line: int
    """1-based, of its first occurrence in that version as it was before anything was replaced."""
    num_texts: int
    """Versions of this file, or texts of this source outside files, that held it."""

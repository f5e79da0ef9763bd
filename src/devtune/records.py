"""The rows that stages write for each other: what two stages agree on is here and nowhere else.

`devtune.jsonl` reads and writes them; every table is Parquet.
"""

from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict, with_config

IGNORED = -100
"""Label of a token that is not trained, as torch's cross-entropy has it."""
Split = Literal["train", "held_out"]
SPLITS: tuple[Split, ...] = ("train", "held_out")
STRICT = ConfigDict(extra="forbid", strict=True)


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
    kind: Literal["git", "directory", "package", "forge"]
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
class Rejected:
    """Something that did not go on, and why (`rejected.jsonl` of every data stage)."""

    reason: str
    source: str
    path: str
    commit: str = ""
    detail: str = ""


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


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool by the assistant."""

    id: str
    name: str
    arguments: str
    """JSON object as text, as the OpenAI API has it."""


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Message:
    """One chat message in the shape mistral-common and the OpenAI API share."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    """Only the assistant's."""
    tool_call_id: str = ""
    """Of a `tool` message: the call it answers."""
    is_trained: bool = True
    """Only the assistant's: False keeps it as context without loss."""


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Sample:
    """One conversation to train on or to be measured with (`samples/{train,held_out}.jsonl`)."""

    sample_id: str
    """First 16 hex digits of sha256 over family and messages: equal text, equal id."""
    family: str
    """Name of the step that made it, e.g. `commit_edit`."""
    messages: tuple[Message, ...]
    provenance: tuple[Provenance, ...]
    """Every place the text came from; more than one when duplicates were folded together."""
    tools: str = ""
    """JSON array of the tools the assistant may call, as the OpenAI API has it; `""` for none."""
    step: int = 0
    """Number of the step that made it in `build.steps`, from 1."""
    template: str = ""
    """Template of the request and the first 12 hex digits of its sha256: `name.jinja@0123…`."""
    transformations: tuple[str, ...] = ()
    """What was done to texts of the repository on the way into the messages, in this order."""


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class DuplicateCluster:
    """Files that are nearly the same (`samples/duplicates.jsonl`); nothing is made of `dropped`."""

    kept: Provenance
    """The newest of them."""
    dropped: tuple[Provenance, ...]


@with_config(STRICT)
@dataclass(frozen=True, slots=True)
class Contamination:
    """One sample that was left out for words it shares (`samples/contamination.jsonl`)."""

    sample_id: str
    family: str
    source: str
    path: str
    reference: str
    """The benchmark, or the file the user named."""
    document: str
    """Which of its documents."""
    ngram: str
    """The words in a row that stand in both."""


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One rendered sample (`dataset/{train,held_out}.parquet`)."""

    sample_id: str
    family: str
    input_ids: list[int]
    labels: list[int]
    """Same length as `input_ids`; -100 where the token is not trained."""
    num_trained_bytes: int
    """UTF-8 bytes of the trained text, the denominator of bits per byte."""

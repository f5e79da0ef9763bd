"""The grammar of the data half: which code is read, and the steps that make samples of it."""

from typing import Annotated, Literal

from pydantic import Field

from devtune.section import Count, FilePath, Fraction, PlainPath, Section

# --- collect: repository -> corpus/ -------------------------------------------------------------


class GitSource(Section):
    """A git repository, bare or not; read through its objects, never checked out."""

    type: Literal["git"]
    """Which kind of source."""
    path: PlainPath
    """The repository."""
    ref: str | None = None
    """Branch, tag or commit; by default the checked-out branch; `HEAD` takes a detached one too."""
    name: str | None = None
    """Name in provenance; by default the directory's name."""


class DirectorySource(Section):
    """A plain directory without history; split by file."""

    type: Literal["directory"]
    """Which kind of source."""
    path: PlainPath
    """The directory."""
    name: str | None = None
    """Name in provenance; by default the directory's name."""


class PackageSource(Section):
    """The source tree of a Python package installed beside devtune; split by file."""

    type: Literal["package"]
    """Which kind of source."""
    name: str
    """Import name, e.g. `mistral_common`; it is located, not imported."""


Source = Annotated[GitSource | DirectorySource | PackageSource, Field(discriminator="type")]


class CollectSection(Section):
    """Which code is read, and what of it is left out."""

    sources: tuple[Source, ...] = Field(min_length=1)
    """The repositories and directories."""
    exclude: FilePath
    """Policy file: path and header patterns of vendored, generated and lock files."""
    held_out: Fraction = 0.15
    """Share kept for measuring: the latest commits of a history, files of a directory by hash."""
    max_bytes: Count = 1_000_000
    """Larger files are rejected."""
    max_line_length: Count = 1_000
    """Files with a longer line are rejected."""


# --- build: corpus/ -> samples/ -----------------------------------------------------------------


class CommitEdit(Section):
    """Commit message and old text -> search/replace blocks."""

    type: Literal["commit_edit"]
    """Name of the step."""
    prompt: FilePath
    """Jinja template of the request."""
    max_files: Count = 5
    """Commits touching more files are left out."""
    max_changed_lines: Count = 60
    """Edits changing more lines of a file are left out."""
    context_lines: Count = 12
    """Lines shown on each side of a change when the file is long."""
    min_subject_words: Count = 3
    """Commits with a shorter subject say too little."""
    skip_subjects: tuple[str, ...] = ()
    """Regular expressions; a matching subject is left out (merges, reverts, version bumps)."""


class DocstringToFunction(Section):
    """Signature and docstring -> the function."""

    type: Literal["docstring_to_function"]
    """Name of the step."""
    prompt: FilePath
    """Jinja template of the request."""
    min_lines: Count = 3
    """Shorter bodies are left out."""
    max_lines: Count = 40
    """Longer functions are left out."""
    min_docstring_words: Count = 4
    """Shorter docstrings do not say what to write."""


class FunctionToDocstring(Section):
    """The function without its docstring -> the docstring."""

    type: Literal["function_to_docstring"]
    """Name of the step."""
    prompt: FilePath
    """Jinja template of the request."""
    min_lines: Count = 3
    """Shorter bodies are left out."""
    max_lines: Count = 40
    """Longer functions are left out."""
    min_docstring_words: Count = 4
    """Shorter docstrings teach nothing."""


class FillInTheMiddle(Section):
    """A file with one block cut out -> the block."""

    type: Literal["fill_in_the_middle"]
    """Name of the step."""
    prompt: FilePath
    """Jinja template of the request."""
    min_lines: Count = 2
    """Smaller blocks are left out."""
    max_lines: Count = 12
    """Larger blocks are left out."""
    context_lines: Count = 25
    """Lines shown before and after the gap."""
    per_file: Count = 3
    """Blocks taken from one file, chosen by hash."""


class ExactDedup(Section):
    """Samples with equal messages become one, with all their provenance."""

    type: Literal["exact_dedup"]
    """Name of the step."""


class MaxPerFamily(Section):
    """At most so many samples of a family, chosen by hash."""

    type: Literal["max_per_family"]
    """Name of the step."""
    train: Count
    """Ceiling for training."""
    held_out: Count
    """Ceiling for measuring."""


Step = Annotated[
    CommitEdit
    | DocstringToFunction
    | FunctionToDocstring
    | FillInTheMiddle
    | ExactDedup
    | MaxPerFamily,
    Field(discriminator="type"),
]


class BuildSection(Section):
    """How the corpus becomes conversations."""

    steps: tuple[Step, ...] = Field(min_length=1)
    """Families first, then filters; run from top to bottom."""


class RenderSection(Section):
    """How conversations become tokens."""

    max_length: Count
    """Samples of more tokens are rejected, never cut."""

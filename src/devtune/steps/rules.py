"""The grammar of what is left out: rules for files and rules for commits, each a named step."""

from typing import Annotated, Literal

from pydantic import Field

from devtune.section import Count, FilePath, Section

Share = Annotated[float, Field(ge=0, le=1)]

# --- files --------------------------------------------------------------------------------------


class ExcludedPaths(Section):
    """Paths and headers the policy names: vendored, generated, lock_file, minified, data_file."""

    type: Literal["excluded_paths"]
    """Name of the rule."""
    policy: FilePath
    """The policy file; each of its keys is a reason, but for `keep`, which binds linguist."""


class Linguist(Section):
    """GitHub Linguist's own rules, after the repository's .gitattributes had their say."""

    type: Literal["linguist"]
    """Name of the rule."""
    vendored: bool = True
    """Leave out what Linguist or `linguist-vendored` calls vendored."""
    generated: bool = True
    """Leave out what Linguist or `linguist-generated` calls generated."""


class Size(Section):
    """Files by their size."""

    type: Literal["size"]
    """Name of the rule."""
    max_bytes: Count = 1_000_000
    """Larger files are never read whole."""
    min_lines: Count = 1
    """Shorter files are left out."""


class Language(Section):
    """Files by their language, as fence names (`python`, `csharp`); prose is `text`."""

    type: Literal["language"]
    """Name of the rule."""
    allow: tuple[str, ...] = ()
    """Only these languages; empty allows all."""
    deny: tuple[str, ...] = ()
    """Never these."""


class LineLength(Section):
    """Files of long lines, as minified code and data have them."""

    type: Literal["line_length"]
    """Name of the rule."""
    max: Count = 1_000
    """Characters of the longest line; not asked of prose, which may hold a paragraph in one."""
    mean: Count = 100
    """Characters of a line on average, for code."""


class Minified(Section):
    """Code squeezed for browsers, as its text says: it has next to no blanks."""

    type: Literal["minified"]
    """Name of the rule."""
    min_bytes: Count = 1_000
    """Shorter files are not judged."""
    min_blank_share: Share = 0.05
    """Least share of blanks and line ends among all bytes."""


class Alphanumeric(Section):
    """Files of few letters and digits."""

    type: Literal["alphanumeric"]
    """Name of the rule."""
    min_share: Share = 0.25
    """Least share of letters and digits among all characters."""


class Encoded(Section):
    """Files that hold encoded data: base64, hexadecimal or escaped runs."""

    type: Literal["encoded"]
    """Name of the rule."""
    max_run: Count = 1_024
    """Characters of the longest run."""
    max_share: Share = 0.5
    """Share of all runs in the file."""


class License(Section):
    """Files by their licence: SPDX tag, else the nearest licence text, else the source's own."""

    type: Literal["license"]
    """Name of the rule."""
    policy: FilePath
    """Allowed SPDX ids, and what becomes of the unknown and the unclear."""


FileRule = Annotated[
    ExcludedPaths
    | Linguist
    | Size
    | Language
    | LineLength
    | Minified
    | Alphanumeric
    | Encoded
    | License,
    Field(discriminator="type"),
]

# --- commits ------------------------------------------------------------------------------------


class Merge(Section):
    """Merge commits: what they bring stands in the commits they join."""

    type: Literal["merge"]
    """Name of the rule."""


class Bot(Section):
    """Commits of programs, by their author."""

    type: Literal["bot"]
    """Name of the rule."""
    authors: tuple[str, ...] = (
        r"\[bot\]",
        r"(?i)\b(dependabot|renovate|greenkeeper|pre-commit-ci)\b",
    )
    """Regular expressions searched in `Name <mail>`."""


class Revert(Section):
    """Commits that take another back."""

    type: Literal["revert"]
    """Name of the rule."""


class Message(Section):
    """Commits whose message does not say what they do (CommitPackFT's rules, for own code)."""

    type: Literal["message"]
    """Name of the rule."""
    min_words: Count = 3
    """Words of the subject."""
    max_words: Count = 1_000
    """Words of the subject."""
    min_characters: Count = 10
    """Characters of the subject."""
    max_characters: Count = 1_000
    """Characters of the subject."""
    imperative: bool = False
    """Ask for a subject that starts with an imperative verb (`Add`, `Fix`), after its prefix."""
    skip: tuple[str, ...] = ()
    """Regular expressions; a subject in which one is found is left out."""


class TooManyFiles(Section):
    """Commits that touch too many files to be one task."""

    type: Literal["too_many_files"]
    """Name of the rule."""
    max_files: Count = 50
    """Files a commit may touch."""


class MassRename(Section):
    """Commits that mostly move files."""

    type: Literal["mass_rename"]
    """Name of the rule."""
    min_renames: Count = 5
    """Fewer renames are never many."""
    max_share: Share = 0.5
    """Share of renamed files above which a commit is left out."""


class FormattingOnly(Section):
    """Commits whose every edit changes nothing but blank space."""

    type: Literal["formatting_only"]
    """Name of the rule."""


CommitRule = Annotated[
    Merge | Bot | Revert | Message | TooManyFiles | MassRename | FormattingOnly,
    Field(discriminator="type"),
]

"""Why a commit is left out: its author, its message, its files, or edits of nothing but blanks.

Reads what it is handed; writes nothing.
"""

import re
from collections.abc import Sequence

from devtune.data.filters.messages import MessageRule
from devtune.data.languages import language_of
from devtune.records import FileEdit
from devtune.steps.rules import (
    Bot,
    CommitRule,
    FormattingOnly,
    MassRename,
    Message,
    Revert,
    TooManyFiles,
)

MAX_SUBJECT_CHARACTERS = 4096
"""What is looked at of a subject; some messages hold megabytes in one line."""
INDENTED_LANGUAGES = frozenset({"python", "haskell", ""})
"""Where indentation has a meaning; `""` is YAML, Makefiles and whatever else is no code."""
_REVERT = re.compile(r"(?i)(?:revert(?:s|ed|ing)?\b|back(?:s|ed)? ?out\b)")
_REVERTED = re.compile(r"(?i)\s*this reverts (?:commit|merge request|pull request)\b")


class CommitRules:
    """The rules of a recipe for commits, compiled once; the first that objects names the reason.

    Whether a commit is a merge is known to whoever reads the history.
    """

    def __init__(self, rules: Sequence[CommitRule]) -> None:
        self._rules = tuple(rules)
        bots = (rule for rule in rules if isinstance(rule, Bot))
        self._authors = [re.compile(pattern) for rule in bots for pattern in rule.authors]
        messages = (rule for rule in rules if isinstance(rule, Message))
        self._messages = {rule: MessageRule(rule) for rule in messages}
        self._asks_formatting = any(isinstance(rule, FormattingOnly) for rule in rules)

    def reject_head(self, author: str, subject: str, body: str) -> str | None:
        """Return why a commit is left out for what it says of itself, or None.

        `author` is `Name <mail>`.
        """
        subject = subject[:MAX_SUBJECT_CHARACTERS]
        for rule in self._rules:
            match rule:
                case Bot() if any(pattern.search(author) for pattern in self._authors):
                    return "bot"
                case Revert() if _REVERT.match(subject) or _REVERTED.match(body):
                    return "revert"
                case Message() if reason := self._messages[rule].reject(subject):
                    return reason
                case _:
                    continue
        return None

    def reject_entries(self, num_files: int, num_renames: int) -> str | None:
        """Return why a commit is left out for the files it touches, or None."""
        for rule in self._rules:
            match rule:
                case TooManyFiles() if num_files > rule.max_files:
                    return "too_many_files"
                case MassRename() if _is_mass_rename(rule, num_files, num_renames):
                    return "mass_rename"
                case _:
                    continue
        return None

    def is_formatting_only(self, edits: Sequence[FileEdit]) -> bool:
        """Whether the rule is set and every edit changes nothing but blank space."""
        return self._asks_formatting and bool(edits) and all(map(_is_formatting, edits))


def _is_mass_rename(rule: MassRename, num_files: int, num_renames: int) -> bool:
    return num_renames >= rule.min_renames and num_renames > rule.max_share * num_files


def _is_formatting(edit: FileEdit) -> bool:
    if "".join(edit.old.split()) != "".join(edit.new.split()):
        return False
    if language_of(edit.provenance.path) not in INDENTED_LANGUAGES:
        return True
    old, new = _lines(edit.old), _lines(edit.new)
    if [text for _, text in old] != [text for _, text in new]:
        return True
    # The same lines: what moved into or out of a block changed what the code does.
    return _depths(old) == _depths(new)


def _lines(text: str) -> list[tuple[int, str]]:
    """Each line that is not blank: its indentation, a tab being eight, and its words."""
    found: list[tuple[int, str]] = []
    for line in text.split("\n"):
        words = " ".join(line.split())
        if words:
            expanded = line.expandtabs()
            found.append((len(expanded) - len(expanded.lstrip()), words))
    return found


def _depths(lines: list[tuple[int, str]]) -> list[int]:
    """How many open blocks each line stands in."""
    depths: list[int] = []
    open_blocks: list[int] = []
    for indentation, _ in lines:
        while open_blocks and open_blocks[-1] >= indentation:
            open_blocks.pop()
        open_blocks.append(indentation)
        depths.append(len(open_blocks))
    return depths

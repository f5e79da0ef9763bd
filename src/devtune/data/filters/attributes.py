"""What the `.gitattributes` files of a tree say to Linguist: vendored, generated, language.

Reads the texts it is handed; writes nothing. Macros, filters and every other attribute are unread.
"""

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath

PREFIX = "linguist-"
MAX_LINE_CHARACTERS = 2048
"""Longer lines are skipped, as git does."""
Value = bool | str
_LINE = re.compile(r'(?:"((?:[^"\\]|\\.)+)"|(\S+))\s+(.*)')
_ESCAPED = re.compile(r"\\(.)")
_CACHED_PATHS = 65_536


@dataclass(frozen=True, slots=True)
class _Line:
    """One line: where it applies, and what it sets; None takes a value back."""

    folder: tuple[str, ...]
    pattern: tuple[re.Pattern[str] | None, ...]
    """One a part of the path; None stands for `**`."""
    values: tuple[tuple[str, Value | None], ...]


class Attributes:
    """The attributes of a tree, asked path by path.

    `files` maps the path of each `.gitattributes` file, with forward slashes, to its text.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        ordered = sorted(files, key=lambda path: (path.count("/"), path))
        self._lines = [line for path in ordered for line in _read(path, files[path])]
        self._of = lru_cache(_CACHED_PATHS)(self._look_up)

    def of(self, path: str) -> Mapping[str, Value]:
        """Return what is said of a path, without `linguist-`: `{"vendored": True}`.

        As in git, the nearer file wins, and in one file the later line.
        """
        return self._of(path) if self._lines else {}

    def _look_up(self, path: str) -> Mapping[str, Value]:
        parts = tuple(path.split("/"))
        found: dict[str, Value | None] = {}
        for line in self._lines:
            depth = len(line.folder)
            if parts[:depth] == line.folder and _matches(line.pattern, parts[depth:]):
                found.update(line.values)
        return {name: value for name, value in found.items() if value is not None}


def _read(path: str, text: str) -> Iterator[_Line]:
    folder = PurePosixPath(path).parent.parts
    for raw in text.split("\n"):
        stripped = raw.strip()
        if PREFIX not in stripped or len(stripped) > MAX_LINE_CHARACTERS:
            continue
        # A comment, a macro, and a negative pattern, which git forbids here.
        if stripped.startswith(("#", "[attr]", "!")):
            continue
        line = _LINE.fullmatch(stripped)
        if line is None:
            continue
        pattern, words = line[1] or line[2], line[3]
        values = tuple(_values(words))
        if values:
            yield _Line(folder, _compile(pattern), values)


def _values(words: str) -> Iterator[tuple[str, Value | None]]:
    for word in words.split():
        name, equals, value = word.lstrip("-!").partition("=")
        if not name.startswith(PREFIX):
            continue
        name = name.removeprefix(PREFIX)
        match word[0]:
            case "-":
                yield name, False
            case "!":
                yield name, None
            case _ if equals and value.lower() != "true":
                yield name, False if value.lower() == "false" else value
            case _:
                yield name, True


def _compile(pattern: str) -> tuple[re.Pattern[str] | None, ...]:
    parts = pattern.removeprefix("/").split("/")
    if "/" not in pattern:
        parts = ["**", *parts]
    if parts[-1] == "**":
        # Everything inside, but not the directory itself.
        parts.append("*")
    return tuple(None if part == "**" else _compile_part(part) for part in parts)


def _compile_part(part: str) -> re.Pattern[str]:
    # The standard library's translation takes linear time whatever the number of stars, which a
    # plain regular expression does not: a hostile pattern must not stop a run.
    literal = _ESCAPED.sub(lambda escaped: f"[{escaped[1]}]", part).replace("[^", "[!")
    return re.compile(fnmatch.translate(literal))


def _matches(pattern: tuple[re.Pattern[str] | None, ...], parts: tuple[str, ...]) -> bool:
    """Whether a pattern covers a whole path; each `**` takes as few parts as it can."""
    at_pattern = at_part = 0
    resume: tuple[int, int] | None = None
    while at_part < len(parts):
        piece = pattern[at_pattern] if at_pattern < len(pattern) else _NOTHING
        if piece is None:
            at_pattern += 1
            resume = (at_pattern, at_part)
        elif piece.match(parts[at_part]):
            at_pattern += 1
            at_part += 1
        elif resume is None:
            return False
        else:
            resume = (resume[0], resume[1] + 1)
            at_pattern, at_part = resume
    return all(piece is None for piece in pattern[at_pattern:])


_NOTHING = re.compile(r"(?!)")

"""Under which licence a file of a tree stands, as an SPDX expression.

Reads the texts it is handed; writes nothing. The first of these that says something decides: a tag
or a licence in the file's own head, its REUSE sidecar, the nearest licence text or manifest below
the top of the tree, the source's declared licence, the licence at the top.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from devtune.data.filters.expressions import UNCLEAR, ids_of, is_known, join_all, normalize
from devtune.data.filters.manifests import MANIFESTS, stated_license
from devtune.data.languages import language_of

SIDECAR = ".license"
TAG = "SPDX-License-Identifier:"
TAGGED_LINES = 20
HEAD_CHARACTERS = 4096
MAX_TERMS_CHARACTERS = 200_000
"""A longer licence text is a list of other people's, and takes seconds to recognise."""
TEXT_COVERAGE = 75.0
"""Percent of a file's words that must be of known licences."""
HEAD_COVERAGE = 50.0
"""Percent of the words of the comment at the head of a file."""
_LICENSE_NAME = re.compile(
    r"(?i)(?:(?:mit|bsd|apache|gpl|lgpl|mpl)[-_])?(?:un)?licen[cs]e(?:[-_.][\w.+-]*)?"
    r"|copying(?:[-.][\w.+-]*)?"
)
_OTHERS = re.compile(
    r"(?i)third|3rd|notice|depend|header|template|\.(?:json|ya?ml|toml|xml|csv|lock)$"
)
_FORMAL = ("LICEN", "COPYING", "UNLICEN")
_TAG_LINE = re.compile(rf"{TAG}[ \t]*([^\n]*)")
_COMMENT_END = re.compile(r"\s*(?:\*/|-->|--\}\}|#\}|\*\)|%>|\"\"\"|''').*$")
_HINTS = ("icens", "icenc", "ICENS", "ermission is hereby", "edistribution and use")
_HEAD_COMMENT = re.compile(
    r"""
    (?:\#![^\n]*\n)?\s*+
    (?: /\*.*?(?:\*/|\Z) | <!--.*?(?:-->|\Z) | \"{3}.*?(?:\"{3}|\Z) | '{3}.*?(?:'{3}|\Z)
      | (?:[ \t]*+(?:(?:\#|//|--|;|%)[^\n]*+)?\n)++ )
    """,
    re.VERBOSE | re.DOTALL,
)
_OWN_LINE = re.compile(r"(?i)(?:copyright|\(c\)|©).*\d|@author|@file|\$id|created (?:by|on)")


class Licenses:
    """The licences of a tree, asked file by file.

    `files` maps the path of each file `is_license_file` names to its text; `declared` is the
    licence of what carries none of its own, as an SPDX expression or `""`.
    """

    def __init__(self, files: Mapping[str, str], declared: str = "") -> None:
        self._files = files
        self._declared = normalize(declared) if declared else ""
        self._names: dict[str, list[str]] = {}
        for path in sorted(files):
            folder, _, name = path.rpartition("/")
            self._names.setdefault(folder, []).append(name)
        self._top_texts = frozenset(
            _squeeze(files[name]) for name in self._names.get("", ()) if _is_text(name)
        )
        self._around = lru_cache(16_384)(self._look_around)
        self._inside = lru_cache(None)(self._in_folder)

    def of(self, path: str, text: str) -> str:
        """Return the licence of a file as an SPDX expression.

        `""` where nothing says one, `NOASSERTION` where what says one is not understood.
        """
        if own := _own(text[:HEAD_CHARACTERS]):
            return own
        if sidecar := _tagged(self._files.get(path + SIDECAR, "")):
            return sidecar
        return self._around(path.rpartition("/")[0]) if self._names else self._declared

    def _look_around(self, folder: str) -> str:
        """What holds for the files of a folder that say nothing themselves."""
        while folder:
            if folder in self._names and (found := self._inside(folder)):
                return found
            folder = folder.rpartition("/")[0]
        top = self._declared or self._inside("")
        # At the top an unknown text is most likely the owner's own terms.
        return "" if top == UNCLEAR else top

    def _in_folder(self, folder: str) -> str:
        names = self._names.get(folder, ())
        place = f"{folder}/" if folder else ""
        texts = {name: self._files[place + name] for name in names if _is_text(name)}
        # A copy of the licence at the top says what the top says.
        others = {
            name: recognise(text)
            for name, text in texts.items()
            if not folder or _squeeze(text) not in self._top_texts
        }
        by_text = join_all(each for each in others.values() if each != UNCLEAR)
        stated = [stated_license(name, self._files[place + name]) for name in names
                  if name in MANIFESTS]  # fmt: skip
        known = [each for each in map(normalize, filter(None, stated)) if is_known(each)]
        by_manifest = join_all(known)
        if by_manifest and (not by_text or ids_of(by_manifest) >= ids_of(by_text)):
            # Of several texts only the manifest says whether one of them or all hold.
            return by_manifest
        # `LICENSE` has legal force; `license.md` may be a page about it.
        is_unclear = any(name.startswith(_FORMAL) for name in others)
        return by_text or (UNCLEAR if is_unclear else "")


def is_license_file(name: str) -> bool:
    """Whether a file of this name says under which licence other files stand."""
    return name in MANIFESTS or name.endswith(SIDECAR) or _is_text(name)


@lru_cache(1024)
def recognise(text: str, coverage: float = TEXT_COVERAGE) -> str:
    """Return the licences a text consists of, all of them holding, or `NOASSERTION`."""
    if not text.strip() or len(text) > MAX_TERMS_CHARACTERS:
        return UNCLEAR
    # Unpacks its patterns; not worth it for a tree without licences.
    from licenseclassifier import identify_license

    found = [normalize(each.id) for each in identify_license(text, coverage)]
    return join_all(found) or UNCLEAR


def _is_text(name: str) -> bool:
    if name.endswith(SIDECAR) or not _LICENSE_NAME.fullmatch(name) or _OTHERS.search(name):
        return False
    # `license.py` checks licences.
    return not language_of(name)


@lru_cache(4096)
def _own(head: str) -> str:
    """What the head of a file says; most versions of a file have the same one."""
    return _tagged(head) or _in_head(head)


def _tagged(text: str) -> str:
    head = text[:HEAD_CHARACTERS]
    if TAG not in head:
        return ""
    lines = "\n".join(head.split("\n")[:TAGGED_LINES])
    stated = (_COMMENT_END.sub("", found).strip() for found in _TAG_LINE.findall(lines))
    return join_all(normalize(each) for each in stated if each)


def _in_head(head: str) -> str:
    """The licence whose text or notice is the comment at the head of a file, or `""`."""
    if not any(hint in head for hint in _HINTS):
        return ""
    comment = _HEAD_COMMENT.match(head)
    if comment is None:
        return ""
    # The same notice with another name and year is recognised once.
    lines = [line for line in comment[0].split("\n") if not _OWN_LINE.search(line)]
    found = recognise("\n".join(lines), HEAD_COVERAGE)
    return "" if found == UNCLEAR else found


def _squeeze(text: str) -> str:
    return " ".join(text.split())

"""Names of internal hosts in texts, told from packages, attributes and files.

Reads texts and the name patterns of a policy; writes nothing.
"""

import re
from collections.abc import Callable, Sequence
from fnmatch import translate

MAX_HOST = 253
MAX_BEFORE = 60
_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_REVERSED = frozenset(
    ("com", "org", "net", "io", "de", "edu", "gov", "dev", "java", "javax", "www")
)
_CODE = frozenset(("this", "self", "cls", "super", "window", "document", "process", "module"))
_NAMED = re.compile(
    r"(?i)(?:host(?:s|name)?|server|domain|endpoint|addr(?:ess)?|ur[li]|dns|node|fqdn|machine|proxy"
    r"|registry|gateway|upstream|broker|cluster|database|remote)[\w-]{0,20}[\"']?\s{0,3}"
    r"(?:[:=]|=>|\s)\s{0,3}[\"'`(\[]{0,2}\Z|(?:\b(?:ssh|scp|ping|curl|wget|telnet|nslookup|dig"
    r"|traceroute|rsync)\s(?:-\w+\s){0,3})\Z"
)
_PORT = re.compile(r":[0-9]{2,5}(?![\w.])")


def any_of(globs: Sequence[str]) -> Callable[[str], object]:
    """Return what says whether one of `globs` matches a whole text in lower case."""
    if not globs:
        return lambda _: None
    # `[` stands for itself; `translate` makes patterns that take linear time.
    plain = (each.lower().replace("[", "[[]") for each in globs)
    return re.compile("|".join(map(translate, plain))).match


class Hosts:
    """The names of a policy: globs such as `*.corp`, and what to look for in texts first."""

    def __init__(self, globs: Sequence[str]) -> None:
        self._matches = any_of(globs)
        self.literals = tuple(max(re.split(r"[*?]+", each.lower()), key=len) for each in globs)
        """A part of each glob that stands in every name it matches."""

    def span(self, text: str, start: int, end: int) -> tuple[int, int] | None:
        """Return the host name around a literal found at `start:end`, or None if it is none."""
        left = text[max(0, start - MAX_HOST) : start]
        right = text[end : end + MAX_HOST]
        start -= len(left) - len(left.rstrip(_CHARACTERS))
        end += len(right) - len(right.lstrip(_CHARACTERS))
        name = text[start:end].rstrip(".-")
        end = start + len(name)
        if not self._matches(name.lower()) or not _is_host(text, start, end):
            return None
        return start, end


def _is_host(text: str, start: int, end: int) -> bool:
    labels = text[start:end].split(".")
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    if not all(map(_LABEL.fullmatch, labels)) or before == "_" or after in ("_", "("):
        return False
    if labels[0].lower() in _REVERSED or labels[0] in _CODE:
        return False
    if before == "@" or text[max(0, start - 2) : start] == "//" or _PORT.match(text, end):
        return True
    if before in ("/", "\\", "$", "#", "%") and before:
        return False  # a file
    if "-" in labels[0] or any(each.isdigit() for each in labels[0]):
        return True  # no package and no attribute is called like this
    return bool(_NAMED.search(text[max(0, start - MAX_BEFORE) : start]))

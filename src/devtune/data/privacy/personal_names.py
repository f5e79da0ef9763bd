"""Names of people in the lines that say who wrote something, and beside e-mail addresses.

Reads texts; writes nothing. Looks only at lines with one of `HINTS`, and at so many characters.
"""

import re
from collections.abc import Iterator

MAX_LINE = 300
"""Characters of a line that are looked at, on either side of a hint."""
MAX_NAME, MAX_WORDS = 60, 5
_ROLES = ("author", "maintainer", "packager")
_MAKING = (
    "created by", "written by", "contributed by", "maintained by", "authored by", "modified by",
    "ported by", "coded by", "developed by",
)  # fmt: skip
_TASKS = ("todo(", "fixme(", "xxx(", "hack(")
_TRAILER = "-by:"
_ENTRY = "<developer>"
OWNER_HINTS = ("copyright", "(c) ", "\xa9")
HINTS = (*_ROLES, *_MAKING, *_TASKS, _TRAILER, _ENTRY)
"""In lower case."""
_OWNER = re.compile(r"(?i)copyright|\(c\)|\xa9")
_AFTER_ROLE = re.compile(
    r"s?(?:(?P<dunder>__\s*=\s*[(\[]?\s*[\"'])|(?P<quoted>[\"']?\s*(?::|=>|=)\s*[(\[]?\s*(?=[\"']))"
    r"|(?P<element>>\s*(?=[^<\s]))|(?P<tagged>(?:::?|\{)?[ \t]+(?=\S)|\{)"
    r"|(?P<headed>(?:\(s\))?\s*:\s*))"
)
_HEADED = re.compile(r"s?(?:\(s\))?[ \t]*:[ \t]*(?=[^\s\"'])")
_TAG = re.compile(r"(?i)(?:[@\\]|(?<![\w:]):|\.\.\s)(?:code|module|section)?\Z")
_HEAD = re.compile(r"[\W_]*(?:\w{1,12}[ -])?\Z")
_TRAILED = re.compile(
    r"[\W_]*(?:[A-Z][A-Za-z-]{1,40}|signed-off|co-authored|reviewed|acked|tested|reported)\Z"
)
_MADE = re.compile(r":?\s+")
_TASK = re.compile(r"@?(?=[a-z][\w.-]{1,30}\))")
_ENTERED = re.compile(r"\s*(?:<id>[^<]{0,60}</id>\s*)?<name>")
_HELD = re.compile(
    r"(?i)(?:copyright|\(c\)|\xa9)(?:[\s,:-]|\(c\)|\xa9|&copy;|\d{4}|present|by\b|copyright|\u2013)+"
)
_END = re.compile(
    r"[<()\[{}\"|@\\=]|'(?!\w)|https?:|www\.| -|\*/|--| on \d| at | in |(?<=[^\W\d_]{2})\.\s"
)
_ADDRESSED = re.compile(r"<[^<>\s]{1,64}@")
_BETWEEN = re.compile(r"\s*(?:[,;/&]|\band\b|\bund\b)\s*")
_STRING = re.compile(r"[\"']([^\"'\n]{2,80})[\"']")
_WORD = re.compile(r"[^\W\d_][\w.'\u2019-]{0,30}")
_LOGIN = re.compile(r"[A-Za-z][\w.-]{1,38}")
_VERSIONED = re.compile(r"(?:^|[-_.])v?\d+(?:\.\d+)*$")
_PARTICLES = frozenset(
    (
        "van", "von", "de", "der", "den", "da", "di", "do", "dos", "del", "della", "la", "le",
        "ter", "ten", "bin", "ibn", "al", "el", "zu", "y", "e",
    )
)  # fmt: skip
_NO_NAMES = frozenset(
    (
        "unknown", "none", "me", "anonymous", "author", "authors", "name", "names", "todo", "team",
        "the", "string", "str", "user", "username", "null", "undefined", "true", "false", "tbd",
        "na", "all", "several", "various", "others", "see", "this", "you", "your", "us", "we", "it",
        "a", "an", "default", "auto", "admin", "root", "system", "bot", "security", "perf",
        "performance", "cleanup", "later", "test", "tests", "docs", "refactor", "bug", "fix", "api",
        "i18n", "v1", "v2", "v3", "next", "future", "optional", "deprecated", "maintainer",
    )
)  # fmt: skip
_KEYED = re.compile(
    r"(?i)name[\"']?\s{0,3}(?::|=>|=)\s{0,3}[\"']([^\"'\n<>]{2,60})[\"']\s{0,3},?\s{1,40}"
    r"[\"']?e-?mail[\"']?\s{0,3}(?::|=>|=)\s{0,3}[\"']\Z|<name>([^<\n]{2,60})</name>\s{0,40}<email>\Z"
)
_BEHIND = re.compile(r" ?\(([^()\n@]{3,60})\)")
MAX_BESIDE = 200


def line_of(text: str, place: int) -> tuple[int, int]:
    """Return the line around a place, of a long one only what is near."""
    start = text.rfind("\n", max(0, place - MAX_LINE), place) + 1 or max(0, place - MAX_LINE)
    end = text.find("\n", place, place + MAX_LINE)
    return start, end if end >= 0 else min(len(text), place + MAX_LINE)


def names_owner(text: str, place: int) -> bool:
    """Whether a place is on a line that says who holds the rights."""
    start, end = line_of(text, place)
    return _OWNER.search(text, start, end) is not None


def find_names(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where names stand in a line that says who wrote something: the hint at `start:end`."""
    hint = text[start:end].lower()
    first, last = line_of(text, start)
    if hint in _ROLES:
        yield from _of_role(text, first, start, end, last)
    elif hint in _MAKING:
        if not text[start - 1 : start].isalnum() and (found := _MADE.match(text, end)):
            yield from _people(text, found.end(), last, 2)
    elif hint in _TASKS:
        if text[start : end - 1].isupper() and (found := _TASK.match(text, end)):
            yield from _people(text, found.end(), last, 1)
    elif hint == _TRAILER:
        if _TRAILED.match(text, first, start):
            yield from _people(text, end, last, 1)
    elif found := _ENTERED.match(text, end):
        yield from _people(text, found.end(), line_of(text, found.end())[1], 2)


def _of_role(text: str, first: int, start: int, end: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield the names after a word such as `author` at `start:end` of the line `first:last`."""
    found = _AFTER_ROLE.match(text, end, last)
    if found is None:
        return
    form, before = found.lastgroup, text[first:start]
    if form == "quoted":
        is_list = found[0].rstrip()[-1:] in ("[", "(")
        for each in _STRING.finditer(text, found.end(), last):
            yield from _people(text, each.start(1), each.end(1), 2)
            if not is_list or text[each.end() : each.end() + 1] in ("]", ")"):
                break  # what follows is another key's
    elif form == "dunder" or (form == "tagged" and _TAG.search(before[-12:])):
        yield from _people(text, found.end(), last, 1)
    elif form == "element":
        yield from _people(text, found.end(), last, 2) if before.endswith("<") else ()
    elif (found := _HEADED.match(text, end, last)) and _HEAD.fullmatch(before):
        yield from _people(text, found.end(), last, 2)


def find_owners(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Yield where names stand in a line that says who holds the rights: the hint at `start`."""
    last = line_of(text, start)[1]
    if found := _HELD.match(text, start, last):
        yield from _people(text, found.end(), last, 2)


def find_beside(text: str, email: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the name beside an address: `Ada Example <`, `"name": …, "email": `, ` (Ada L)`."""
    if text[max(0, email - 1) : email] in ("<", "("):
        yield from _before(text, email - 1)
        return
    if (found := _BEHIND.match(text, end)) and _is_name(found[1], 2):
        yield found.span(1)
    begins = max(0, email - MAX_BESIDE)
    if found := _KEYED.search(text[begins:email]):
        group = 1 if found[1] else 2
        if _is_name(found[group], 2):
            yield begins + found.start(group), begins + found.end(group)


def _before(text: str, end: int) -> Iterator[tuple[int, int]]:
    begins = max(0, end - MAX_NAME, text.rfind("\n", max(0, end - MAX_NAME), end) + 1)
    words = list(_WORD.finditer(text, begins, end))
    end = first = words[-1].end() if words else end
    if not words or text[end : end + 3].strip("\"' ")[:1] not in ("<", "("):
        return
    for word in reversed(words[-MAX_WORDS:]):
        is_joined = word.end() == end or text[word.end() : first] == " "
        if not is_joined or not (word[0][0].isupper() or word[0] in _PARTICLES):
            break
        first = word.start()
    if _is_name(text[first:end], 2):
        yield first, end


def _people(text: str, start: int, end: int, least: int) -> Iterator[tuple[int, int]]:
    """Yield the names a list begins with; `least` is how many words make one."""
    stop = _END.search(text, start, end)
    end = stop.start() if stop else end
    if _ADDRESSED.match(text, end):
        least = 1
    elif stop and stop[0] == "@" and text[end - 1] != " ":
        return  # an address, not a name
    place = start
    for gap in (*_BETWEEN.finditer(text, start, end), None):
        piece = text[place : gap.start() if gap else end]
        first = place + len(piece) - len(piece.lstrip(" \t*:-"))
        name = piece.strip(" \t*:-").rstrip(" .:;*#/\r")
        if not _is_name(name, least):
            return
        yield first, first + len(name)
        place = gap.end() if gap else end


def _is_name(value: str, least: int) -> bool:
    words = value.split()
    if not least <= len(words) <= MAX_WORDS or len(value) > MAX_NAME:
        return False
    if any(word.lower().strip(".") in _NO_NAMES or _VERSIONED.search(word) for word in words):
        return False
    if len(words) == 1:
        return bool(_LOGIN.fullmatch(value) or _WORD.fullmatch(value)) and len(value) > 1
    if words[0] in _PARTICLES and words[0].islower() and len(words) < 3:
        return False
    return all(
        _WORD.fullmatch(word) and (not word[0].islower() or word in _PARTICLES) for word in words
    )

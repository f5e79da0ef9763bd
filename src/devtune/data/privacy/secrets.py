"""The second layer: what providers' formats do not say, found around hints and nowhere else.

Reads texts; writes nothing. One automaton looks for every hint there is; a text without one costs
a single pass. Each hint has one reader, which looks at a bounded stretch around it.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial

from ahocorasick_rs import AhoCorasick, BytesAhoCorasick, Implementation, MatchKind

from devtune.data.privacy.addresses import ADDRESS, in_address
from devtune.data.privacy.armour import ARMOUR, BARE_KEYS, armoured, bare_key
from devtune.data.privacy.assignments import assigned
from devtune.data.privacy.commands import CALLS, COMMANDS, KEYED_CALLS, in_command, passed
from devtune.data.privacy.credential_files import (
    GENERATED,
    JWK,
    MANIFEST,
    PORTS,
    generated_value,
    kubernetes_secret,
    pgpass_line,
    private_jwk,
)
from devtune.data.privacy.detection import Detection
from devtune.data.privacy.formats import SHAPE, WORD_START, Format, formats
from devtune.data.privacy.keywords import Keyword, keywords
from devtune.data.privacy.providers import KEYS, PROVIDERS, beside_provider
from devtune.data.privacy.rarity import looks_random
from devtune.data.privacy.wrapping import MAX_DEPTH, hints, unwrapped

Reader = Callable[[str, int, int], Iterator[Detection]]
"""Reads a text around a hint, given where the hint begins and ends."""
StretchReader = Callable[[str, int, int], tuple[int, list[Detection]]]
"""Reads a whole stretch around a hint, given where it begins and how deep the text was wrapped.

It says where the stretch ends too: hints before that are not read again, so that a text full of
them takes no longer than its length.
"""
_RUN = re.compile(r"[A-Za-z0-9]{14,200}+")


def find_secrets(text: str) -> list[Detection]:
    """Return what rules of this layer find, in order, none overlapping another.

    Placeholders and marks are no secrets, so a text that was marked gives nothing new.
    """
    return _find(text, 0)


def reaches_far(text: str) -> bool:
    """Whether something in a text makes secrets of lines that may be far from it.

    Such as the kind of a manifest. It is looked for as tools write it, which takes no time.
    """
    return bool(_reaching().find_matches_as_indexes(text))


def _find(text: str, depth: int) -> list[Detection]:
    readers = _readers()
    found: list[Detection] = []
    read_to: dict[StretchReader, int] = {}
    sure_from = sure_to = 0
    allowance = _Allowance()
    for index, start, end in _automaton().find_matches_as_indexes(_lowered(text), overlapping=True):
        hint = readers[index]
        # What is replaced has nothing more to tell, but another format may begin at the same place.
        if start >= sure_to or start == sure_from:
            new = [each for reader in hint.sure for each in reader(text, start, end)]
            new += allowance.read(hint.costly, text, start, end)
            found += new
            last = max((each.end for each in new if _is_named(each)), default=0)
            if last > sure_to:
                sure_from, sure_to = start, last
        for reader in hint.stretches:
            if start >= read_to.get(reader, 0):
                read_to[reader], inside = reader(text, start, depth)
                found += inside
    return _apart(found)


@dataclass(slots=True)
class _Hint:
    """Who reads around a hint."""

    sure: list[Reader] = field(default_factory=list[Reader])
    """Formats, which match or fail at once."""
    costly: list[Reader] = field(default_factory=list[Reader])
    """Those which judge a value by its make."""
    stretches: list[StretchReader] = field(default_factory=list[StretchReader])


@dataclass(slots=True)
class _Allowance:
    """How often a text may still be read in vain: at will at first, then once for each stretch.

    Hints closer together than values could be are no announcements; a dump of secrets is not read
    in vain.
    """

    left: float = 64
    place: int = 0

    def read(self, readers: list[Reader], text: str, start: int, end: int) -> Iterator[Detection]:
        """Yield what the readers find, or nothing when too little text has passed."""
        if not readers:
            return
        self.left = min(64, self.left + (start - self.place) / 32)
        self.place = start
        if self.left < 1:
            return
        found = [each for reader in readers for each in reader(text, start, end)]
        self.left -= not found
        yield from found


def _unwrapped(spelling: str, text: str, start: int, depth: int) -> tuple[int, list[Detection]]:
    """Look into the stretch in another spelling around `start`; its wrapping goes as well."""
    if depth == MAX_DEPTH:
        return len(text), []
    first, end, plain = unwrapped(text, start, spelling)
    if not plain:
        return max(end, start + 1), []
    stretch = text[first:end]
    inside = _find(plain, depth + 1)
    inside = [each for each in inside if plain[each.start : each.end] not in stretch]
    if not inside:
        return max(end, start + 1), []
    hidden = [plain[each.start : each.end] for each in inside]
    hidden += [value for each in inside for value in each.hidden]
    is_generic = all(each.is_generic for each in inside)
    rule = f"{spelling}.{inside[0].rule}"
    whole = Detection(first, end, inside[0].kind, rule, is_generic, hidden=tuple(hidden))
    return max(end, start + 1), [whole]


def _apart(found: list[Detection]) -> list[Detection]:
    """Join overlapping detections, so that no end of a secret sticks out; the longest names it."""
    found.sort(key=lambda each: (each.start, -each.end, each.is_generic, each.rule))
    apart: list[Detection] = []
    longest = 0
    for each in found:
        length = each.end - each.start
        if not apart or each.start >= apart[-1].end:
            apart.append(each)
            longest = length
            continue
        last = apart[-1]
        named = each if length > longest else last
        longest = max(longest, length)
        hidden = tuple(dict.fromkeys((*last.hidden, *each.hidden)))
        is_generic = last.is_generic and each.is_generic
        span = (last.start, max(last.end, each.end))
        apart[-1] = Detection(*span, named.kind, named.rule, is_generic, hidden=hidden)
    return apart


def _lowered(text: str) -> bytes:
    """Lower case with a byte for each character; hints are ASCII, so others need not be told apart.

    Twice as fast as a search in characters, and half surrogates are no trouble.
    """
    return text.encode("ascii", "replace").lower()


@cache
def _readers() -> list[_Hint]:
    return list(_table().values())


@cache
def _automaton() -> BytesAhoCorasick:
    written = [hint.encode() for hint in _table()]
    return BytesAhoCorasick(written, implementation=Implementation.DFA)


@cache
def _table() -> dict[str, _Hint]:
    table: dict[str, _Hint] = defaultdict(_Hint)
    for row in formats():
        for hint in row.hints:
            table[hint].sure.append(partial(_in_format, row))
    for hint, reader in _costly():
        table[hint].costly.append(reader)
    for names, reader in _STRETCHES:
        for hint in names:
            table[hint.lower()].stretches.append(reader)
    spellings = {each: partial(_unwrapped, each) for each in ("base64", "hex", "escapes")}
    for hint, spelling in hints().items():
        table[hint].stretches.append(spellings[spelling])
    return dict(table)


_STRETCHES: tuple[tuple[tuple[str, ...], StretchReader], ...] = (
    (ARMOUR, armoured),
    (BARE_KEYS, bare_key),
    (MANIFEST, kubernetes_secret),
    (GENERATED, generated_value),
    (JWK, private_jwk),
)


@cache
def _reaching() -> AhoCorasick:
    return AhoCorasick((*ARMOUR, *MANIFEST, *GENERATED, *JWK), MatchKind.LeftmostFirst)


def _costly() -> Iterator[tuple[str, Reader]]:
    for hint, keyword in keywords().items():
        yield hint, partial(_assigned, keyword)
    for hint in ADDRESS:
        yield hint, _in_address
    for hint in CALLS:
        yield hint, partial(_passed, False)
    for hint in KEYED_CALLS:
        yield hint, partial(_passed, True)
    for hint, (name, pattern) in COMMANDS.items():
        yield hint, partial(_in_command, name, pattern)
    for hint in PORTS:
        yield hint, _in_pgpass
    for hint in (*PROVIDERS, *KEYS):
        yield hint, beside_provider


def _in_address(text: str, _: int, end: int) -> Iterator[Detection]:
    return in_address(text, end)


def _passed(is_first: bool, text: str, _: int, end: int) -> Iterator[Detection]:
    return passed(text, end, is_first)


def _in_pgpass(text: str, start: int, _: int) -> Iterator[Detection]:
    return pgpass_line(text, start)


def _in_format(row: Format, text: str, start: int, _: int) -> Iterator[Detection]:
    place = max(0, start - row.num_before)
    match = row.pattern.match(text, place)
    if row.is_at_most and (match is None or match.end() <= start):
        places = (each.start() for each in WORD_START.finditer(text, place, start))
        tries = (row.pattern.match(text, each) for each in places)
        match = next((each for each in tries if each is not None and start < each.end()), None)
    if match is None:
        return
    group = match.re.groups and 1
    value = match[group]
    if not _is_example(value) and (row.kind != SHAPE or _has_random_run(value)):
        layer = "shape" if row.kind == SHAPE else "format"
        yield Detection(*match.span(group), row.kind, f"{layer}.{row.kind.lower()}")


def _is_named(found: Detection) -> bool:
    """Whether it is sure what was found, so that no other hint in it need be read."""
    return not found.is_generic and found.kind != SHAPE


def _has_random_run(value: str) -> bool:
    return any(looks_random(run, 14) for run in _RUN.findall(value))


def _is_example(value: str) -> bool:
    lowered = value[:200].lower()
    if "example" in lowered or "xxxxx" in lowered or "redacted" in lowered or "your" in lowered:
        return True
    return len(set(lowered)) < 8


def _assigned(keyword: Keyword, text: str, start: int, _: int) -> Iterator[Detection]:
    return assigned(text, start, keyword)


def _in_command(
    name: str, pattern: "re.Pattern[str]", text: str, _: int, end: int
) -> Iterator[Detection]:
    return in_command(text, end, name, pattern)

"""The second layer: what providers' formats do not say, found around hints and nowhere else.

Reads texts; writes nothing. One automaton looks for every hint there is; a text without one costs
a single pass. Each hint has one reader, which looks at a bounded stretch around it.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache, partial

from ahocorasick_rs import AhoCorasick, Implementation

from devtune.data.privacy.addresses import ADDRESS, in_address
from devtune.data.privacy.armour import ARMOUR, BARE_STARTS, armoured, bare_key
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
from devtune.data.privacy.formats import Format, formats
from devtune.data.privacy.keywords import Keyword, keywords
from devtune.data.privacy.wrapping import MAX_DEPTH, hints, unwrapped

Reader = Callable[[str, int, int], Iterator[Detection]]
"""Reads a text around a hint, given where the hint begins and ends."""


def find_secrets(text: str) -> list[Detection]:
    """Return what rules of this layer find, in order, none overlapping another.

    Placeholders and marks are no secrets, so a text that was marked gives nothing new.
    """
    return _find(text, 0)


def _find(text: str, depth: int) -> list[Detection]:
    hits = _automaton().find_matches_as_indexes(_lowered(text), overlapping=True)
    if not hits:
        return []
    readers, spellings = _readers()
    found: list[Detection] = []
    unwrapped_to = {"base64": 0, "hex": 0, "escapes": 0}
    for index, start, end in hits:
        for reader in readers[index]:
            found += reader(text, start, end)
        spelling = spellings[index]
        if spelling and depth < MAX_DEPTH and start >= unwrapped_to[spelling]:
            unwrapped_to[spelling] = _unwrap(text, start, spelling, depth, found)
    return _apart(found)


def _unwrap(text: str, start: int, spelling: str, depth: int, found: list[Detection]) -> int:
    """Look into a stretch in another spelling; return up to where there is nothing more to see."""
    stretch = unwrapped(text, start, spelling)
    if stretch is None:
        return start + 1
    first, end, plain = stretch
    inside = _find(plain, depth + 1)
    if inside:
        hidden = [plain[each.start : each.end] for each in inside]
        hidden += [value for each in inside for value in each.hidden]
        is_generic = all(each.is_generic for each in inside)
        kind, rule = inside[0].kind, f"{spelling}.{inside[0].rule}"
        found.append(Detection(first, end, kind, rule, is_generic, hidden=tuple(hidden)))
    return end


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


def _lowered(text: str) -> str:
    """Lower case of the same length: the one letter that would become two stays one."""
    return text.lower() if text.isascii() else text.replace("\u0130", "i").lower()


@cache
def _readers() -> tuple[list[list[Reader]], list[str]]:
    """Return for each hint who reads around it, and the spelling it stands for, if any."""
    table = _table()
    return [readers for readers, _ in table.values()], [spelling for _, spelling in table.values()]


@cache
def _automaton() -> AhoCorasick:
    return AhoCorasick(list(_table()), implementation=Implementation.DFA)


@cache
def _table() -> dict[str, tuple[list[Reader], str]]:
    table: dict[str, tuple[list[Reader], str]] = {}

    def add(hint: str, reader: Reader) -> None:
        table.setdefault(hint, ([], ""))[0].append(reader)

    for row in formats():
        for hint in row.hints:
            add(hint, partial(_in_format, row))
    for hint, keyword in keywords().items():
        add(hint, partial(_assigned, keyword))
    for hint in ADDRESS:
        add(hint, lambda text, _, end: in_address(text, end))
    for hint in CALLS:
        add(hint, lambda text, _, end: passed(text, end, is_first=False))
    for hint in KEYED_CALLS:
        add(hint, lambda text, _, end: passed(text, end, is_first=True))
    for hint, (name, pattern) in COMMANDS.items():
        add(hint, partial(_in_command, name, pattern))
    readers = ((ARMOUR, armoured), (PORTS, pgpass_line), (MANIFEST, kubernetes_secret),
               (GENERATED, generated_value), (JWK, private_jwk))  # fmt: skip
    for names, reader in readers:
        for hint in names:
            add(hint, partial(_from_start, reader))
    for begin in BARE_STARTS:
        add(begin.lower(), partial(_bare_key, begin))
    for hint, spelling in hints().items():
        table[hint] = (table.get(hint, ([], ""))[0], spelling)
    return table


def _in_format(row: Format, text: str, start: int, _: int) -> Iterator[Detection]:
    place = start - row.num_before
    if row.is_at_most:
        match = row.pattern.search(text, max(0, place), start + 1000)
    else:
        match = row.pattern.match(text, place) if place >= 0 else None
    if match is None or not match.start() <= start < match.end():
        return
    group = match.re.groups and 1
    if not _is_example(match[group]):
        yield Detection(*match.span(group), row.kind, "format." + row.kind.lower())


def _is_example(value: str) -> bool:
    lowered = value.lower()
    if "example" in lowered or "xxxxx" in lowered or "redacted" in lowered or "your" in lowered:
        return True
    return len(set(value)) < 8


def _assigned(keyword: Keyword, text: str, start: int, _: int) -> Iterator[Detection]:
    return assigned(text, start, keyword)


def _in_command(
    name: str, pattern: "re.Pattern[str]", text: str, _: int, end: int
) -> Iterator[Detection]:
    return in_command(text, end, name, pattern)


def _from_start(
    reader: Callable[[str, int], Iterator[Detection]], text: str, start: int, _: int
) -> Iterator[Detection]:
    return reader(text, start)


def _bare_key(begin: str, text: str, start: int, _: int) -> Iterator[Detection]:
    if text.startswith(begin, start):
        yield from bare_key(text, start)

"""IP addresses in texts, told from version numbers, section numbers and paths of names.

Reads texts; writes nothing. `ipaddress` decides what an address is, its surroundings whether.
"""

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address

MAX_BEFORE = 40
MAX_V6 = 45
SMALL = 32
"""Four numbers below this are a version rather than an address, unless something says so."""
_V4 = re.compile(r"\.(?<=[0-9]\.)[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?!\w|[.-]\w|-\.|\*)")
_V6 = re.compile(r":(?<=[0-9a-fA-F]:)(?=:|[0-9a-fA-F]{1,4}:)")
_MAPPED = re.compile(r":[0-9a-fA-F:]*:\Z")
_V6_CHARACTERS = "0123456789abcdefABCDEF:"
_V6_FIRST = re.compile(r"[23][0-9a-f]{3}|f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]")
_VERSION = re.compile(
    r"(?i)(?:version|\bver\b|\brev|release|\brv\b|\boid\b|\basn|section|\bsec\.|§|chapter|clause"
    r"|\brfc|\bbuild|upgrad|updat|\bbump|\bsince\b|nuget|package|assembl|[=<>~^!]=|~>|\^|~|\btag\b"
    r"|firmware|\bsdk\b|chrome|mozilla|\bv\b)[^\n]*\Z"
)
_ADDRESSED = re.compile(
    r"(?i)(?:\bip|addr|host|server|\bdns\b|remote|peer|client|gateway|://|@|listen|bind|\bping\b"
    r"|\bcurl\b|\bssh\b|connect|\bnode\b|forward|\bfrom\b)[^\n]*\Z"
)
_NUMBERS_AFTER = re.compile(r"(?:,\s?-?|\s-?(?=\d*\.\d))\.?\d(?!\d{0,2}(?:\.\d{1,3}){3}\b)")
_SERVED = re.compile(r"(?::[0-9]{2,5}\b|/[0-9]{1,2}\b)(?![.\w])")


def find_addresses(text: str) -> Iterator[tuple[int, int]]:
    """Yield where addresses of both versions stand, each version in order."""
    for found in _V4.finditer(text):
        if (start := _v4_start(text, found)) is not None:
            yield start, found.end()
    end = 0
    for found in _V6.finditer(text):
        if found.start() < end:
            continue
        start, end = _v6_span(text, found.start())
        if _is_v6(text, start, end):
            yield start, end


def _v4_start(text: str, found: re.Match[str]) -> int | None:
    """Return where the address begins whose first dot was found; None if it is none."""
    dot = found.start()
    window = text[max(0, dot - 4) : dot]
    first = window[len(window.rstrip("0123456789")) :]
    start = dot - len(first)
    value = text[start : found.end()]
    before = text[max(0, start - 2) : start]
    if not _stands_alone(before) or not _is_v4(value) or len(set(value.split("."))) == 1:
        return None
    line = text[max(0, start - MAX_BEFORE) : start].rpartition("\n")[2]
    if _MAPPED.search(line) or _VERSION.search(line) or _NUMBERS_AFTER.match(text, found.end()):
        return None  # the last is what paths of drawings look like
    is_small = all(int(each) < SMALL for each in value.split(".")) or value.endswith(".0.0")
    if is_small and not (_ADDRESSED.search(line) or _SERVED.match(text, found.end())):
        return None
    return start


def _stands_alone(before: str) -> bool:
    """`before` are the two characters in front."""
    last = before[-1:]
    if last == "/":
        return before == "//"
    return not (last.isalnum() or last in ("_", ".", "-", "+", "%", "^", "~", "$", "#", "\\"))


def _is_v4(value: str) -> bool:
    try:
        IPv4Address(value)
    except AddressValueError:
        return False
    return True


def _v6_span(text: str, colon: int) -> tuple[int, int]:
    left = text[max(0, colon - MAX_V6) : colon]
    right = text[colon : colon + MAX_V6]
    start = colon - len(left) + len(left.rstrip(_V6_CHARACTERS))
    end = colon + len(right) - len(right.lstrip(_V6_CHARACTERS))
    return start, end


def _is_v6(text: str, start: int, end: int) -> bool:
    value = text[start:end]
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    if before.isalnum() or before in ("_", ".", "-", "$", "@") and before:
        return False
    if after.isalnum() or after == "_" or text[end : end + 2].lstrip(".").isdigit():
        return False
    if not _V6_FIRST.fullmatch(value.partition(":")[0].lower()):
        return False  # `abc::def` is a path of names in C++, Rust and Ruby
    try:
        IPv6Address(value)
    except AddressValueError:
        return False
    return True

"""The objects of a JSON file, however they were put together: pages, lines, or one by one.

Reads an open file as a stream: memory stays at the size of its largest object.
"""

import codecs
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

from devtune.data.sources.fields import Object

MAX_LINE_BYTES = 8 << 20
WINDOW = 8 << 20
"""In characters. An object that is longer may be taken for a broken one."""
# Pages are often written one after the other, without an array around them or commas between.
_GAP = re.compile(r"[ \t\r\n,\[\]\x1e]*+")
_DECODER = json.JSONDecoder()
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Found:
    """One object that is in no other object."""

    value: Object
    place: str
    """For people: the line it begins on."""
    page: int
    """Equal for the objects of one array."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is no object, and where it stands."""

    reason: str
    detail: str


def read_objects(file: IO[bytes]) -> Iterator[Found | Fault]:
    """Yield every outermost object of a file, and what could not be read.

    After a fault the rest of its line is left out, or of the file when it is not JSON Lines.
    """
    is_lines = _is_lines(file.readline(MAX_LINE_BYTES + 1))
    file.seek(0)
    yield from _read_lines(file) if is_lines else _read_stream(file)


def _is_lines(first: bytes) -> bool:
    first = first.removeprefix(codecs.BOM_UTF8).strip()
    if not (first.startswith(b"{") and first.endswith(b"}")):
        return False
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _read_stream(file: IO[bytes]) -> Iterator[Found | Fault]:
    encoding = "utf-16" if file.read(2) in _WIDE else "utf-8-sig"
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        yield from _read_text(text.read, 1, 0)
    except UnicodeError:
        yield Fault("not_utf8", "")
    finally:
        text.detach()


def _read_lines(file: IO[bytes]) -> Iterator[Found | Fault]:
    number = page = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            yield Fault("oversized", f"line {number}: more than {MAX_LINE_BYTES >> 20} MiB")
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE_BYTES)
            continue
        try:
            text = io.StringIO(line.decode("utf-8-sig"), newline="")
        except UnicodeDecodeError:
            yield Fault("not_utf8", f"line {number}")
            continue
        page += 1
        for each in _read_text(text.read, number, page):
            page = each.page if isinstance(each, Found) else page
            yield each


def _read_text(read: Callable[[int], str], line: int, page: int) -> Iterator[Found | Fault]:
    text, position = "", 0
    while True:
        gap = cast("re.Match[str]", _GAP.match(text, position))
        page += gap.group().count("[")
        line += gap.group().count("\n")
        position = gap.end()
        if position == len(text):
            text, position = read(WINDOW), 0
            if not text:
                return
            continue
        try:
            value, end = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            more = read(WINDOW)
            if more and len(text) - position <= WINDOW:
                text, position = text[position:] + more, 0
                continue
            yield Fault("broken_json", f"line {line}: {_explain(error, more)}")
            return
        yield _sort(value, f"line {line}", page)
        line += text.count("\n", position, end)
        position = end


def _sort(value: Any, place: str, page: int) -> Found | Fault:
    if isinstance(value, dict):
        return Found(cast(Object, value), place, page)
    return Fault("unknown_object", f"{place}: not an object")


def _explain(error: Exception, more: str) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if not isinstance(error, json.JSONDecodeError):
        return "a number of too many digits"
    too_long = f", or an object of more than {WINDOW >> 20} MiB" if more else ""
    return f"{error.msg}{too_long}"

"""One log file, taken apart as JSON: a document, an array, or lines.

Reads bytes it is handed; writes nothing.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from devtune.data.sources.fields import Object, as_objects

MAX_DEPTH = 64
"""No agent nests deeper; what does would make others fail that read the row."""
_SURROGATE = re.compile("[\ud800-\udfff]")


class Unreadable(Exception):
    """Why a log is left out: a reason to count, and where it lies."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True)
class Log:
    """The objects of one file, in order."""

    path: str
    objects: tuple[Object, ...]
    """Of the lines, or of the array; one for a document."""
    kind: str
    """`document`, `array` or `lines`."""
    is_cut: bool = False
    """Whether the last line ends in the middle, as after a crash."""

    @property
    def document(self) -> Object:
        """The document, empty where the file is none."""
        return self.objects[0] if self.kind == "document" else {}

    @property
    def first(self) -> Object:
        """The first object, empty where there is none."""
        return self.objects[0] if self.objects else {}


def parse(path: str, content: bytes) -> Log:
    """Take a file apart. Raises `Unreadable` for what is no JSON of objects."""
    text = _decode(content).strip()
    if not text:
        raise Unreadable("empty")
    if text[0] not in "{[":
        raise Unreadable("not_a_session", "no JSON")
    first, _, rest = text.partition("\n")
    if rest and text[0] == "{" and _is_object(first):
        return _lines(path, text.split("\n"))
    value = _load(text, "")
    if isinstance(value, dict):
        return Log(path, (cast(Object, value),), "document")
    return Log(path, tuple(as_objects(value)), "array")


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            raise Unreadable("not_utf8", f"byte {error.start}") from None
        return content[: error.start].decode("utf-8-sig")  # a crash cut a character in two


def _lines(path: str, lines: list[str]) -> Log:
    found: list[Object] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = _load(line, f"line {number}")
        except Unreadable:
            if number == len(lines) and found:
                return Log(path, tuple(found), "lines", is_cut=True)
            raise
        if not isinstance(value, dict):
            raise Unreadable("broken_json", f"line {number}: not an object")
        found.append(cast(Object, value))
    return Log(path, tuple(found), "lines")


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _load(text: str, where: str) -> Any:
    try:
        value = json.loads(text)
    except RecursionError:
        raise Unreadable("nested_too_deeply", where) from None
    except ValueError as error:
        detail = error.msg if isinstance(error, json.JSONDecodeError) else "a number too long"
        raise Unreadable("broken_json", ": ".join(filter(None, (where, detail)))) from None
    if _depth(value) > MAX_DEPTH:
        raise Unreadable("nested_too_deeply", where)
    return value


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level and depth <= MAX_DEPTH:
        depth += 1
        holders = [each for each in level if isinstance(each, dict | list)]
        level = [inner for each in holders for inner in _inside(each)]
    return depth


def _inside(value: Any) -> Iterable[Any]:
    return cast(dict[str, Any], value).values() if isinstance(value, dict) else value


def as_string(value: Any) -> str:
    r"""Return a text as it is but for lone surrogates, which UTF-8 cannot hold; else `""`."""
    return _SURROGATE.sub("\ufffd", value) if isinstance(value, str) else ""


def as_arguments(value: Any) -> tuple[Object, str]:
    """Return the arguments of a call as an object, and its text where it is no JSON object."""
    if isinstance(value, dict):
        return cast(Object, value), ""
    text = value if isinstance(value, str) else json.dumps(value)
    if not text.strip():
        return {}, ""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return {}, as_string(text)
    if isinstance(parsed, dict) and _depth(parsed) <= MAX_DEPTH:
        return cast(Object, parsed), ""
    return {}, as_string(text)


def as_content(value: Any) -> str:
    """Return the text of a message: a string, or parts that have a text, one below the other."""
    if isinstance(value, str):
        return as_string(value)
    texts = [as_string(part.get("text")) for part in as_objects(value)]
    return "\n".join(each for each in texts if each)

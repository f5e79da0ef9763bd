"""Looks into JSON of unknown shape: each gives a plain value of one type, whatever is there.

Works on values in memory; reads and writes no files.
"""

import re
from datetime import UTC, datetime
from typing import Any, cast

Object = dict[str, Any]
"""A JSON object whose values may be anything."""

LARGEST = 2**53
"""Numbers beyond are no ids: JSON of most forges cannot hold them exactly."""
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def as_object(value: Any) -> Object:
    """Return an object as it is, anything else as an empty one."""
    return cast(Object, value) if isinstance(value, dict) else {}


def as_objects(value: Any) -> list[Object]:
    """Return the objects of an array."""
    if not isinstance(value, list):
        return []
    return [each for each in cast(list[Any], value) if isinstance(each, dict)]


def as_text(value: Any) -> str:
    r"""Return a text with `\n` line ends, and U+FFFD for what UTF-8 or git cannot hold."""
    if not isinstance(value, str):
        return ""
    lines = value.replace("\r\n", "\n").replace("\r", "\n")
    return _UNWRITABLE.sub("\ufffd", lines)


def as_number(value: Any) -> int:
    """Return a positive whole number, anything else as 0."""
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if 0 < value < LARGEST else 0


def as_commit(value: Any) -> str:
    """Return a full commit id, anything else as `""`."""
    text = value.lower() if isinstance(value, str) else ""
    return text if _COMMIT.fullmatch(text) else ""


def as_commits(*values: Any) -> tuple[str, ...]:
    """Return those of `values` that are full commit ids, each once."""
    return tuple(dict.fromkeys(found for each in values if (found := as_commit(each))))


def as_moment(value: Any) -> str:
    """Return a time as ISO 8601 in UTC to the second, what is none (or the year 1) as `""`."""
    try:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        moment = moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return ""
    return moment.isoformat(timespec="seconds") if moment.year >= 1970 else ""

"""The rules of a recipe on the shape of a text, each as a check of what `content` measures.

Reads what it is handed; writes nothing.
"""

from collections.abc import Callable
from functools import partial

from devtune.data.filters.content import (
    has_longer_line,
    is_alphanumeric,
    is_blank_enough,
    is_encoded,
    mean_line,
)
from devtune.data.languages import language_of
from devtune.steps.rules import Alphanumeric, Encoded, LineLength, Minified, Size

TextCheck = Callable[[str, str, bytes], str | None]
"""Path, text, and the text as UTF-8 -> why it is left out, or None."""
PARAGRAPHS = (".md", ".markdown", ".mdx", ".rst", ".adoc", ".tex", ".html", ".htm")
"""Endings of prose, which may hold a paragraph in a line."""
_BEGINNING = 4096
"""Bytes that hold as many lines as are asked for, as a rule."""


def shape_check(rule: Size | LineLength | Minified | Alphanumeric | Encoded) -> TextCheck:
    """Return the check a rule asks for."""
    match rule:
        case Size():
            return partial(_size, rule)
        case LineLength():
            return partial(_line_length, rule)
        case Minified():
            return partial(_minified, rule)
        case Alphanumeric():
            return partial(_alphanumeric, rule)
        case Encoded():
            return partial(_encoded, rule)


def _size(rule: Size, path: str, text: str, data: bytes) -> str | None:
    if data.count(b"\n", 0, _BEGINNING) >= rule.min_lines:
        return None
    num_lines = data.count(b"\n") + (not data.endswith(b"\n"))
    return "too_short" if num_lines < rule.min_lines else None


def _line_length(rule: LineLength, path: str, text: str, data: bytes) -> str | None:
    if path.lower().endswith(PARAGRAPHS):
        return None
    if has_longer_line(text, rule.max):
        return "long_line"
    return "long_mean_line" if language_of(path) and mean_line(text) > rule.mean else None


def _minified(rule: Minified, path: str, text: str, data: bytes) -> str | None:
    if len(data) < rule.min_bytes or not language_of(path):
        return None
    return None if is_blank_enough(data, rule.min_blank_share) else "minified"


def _alphanumeric(rule: Alphanumeric, path: str, text: str, data: bytes) -> str | None:
    return None if is_alphanumeric(text, data, rule.min_share) else "few_alphanumerics"


def _encoded(rule: Encoded, path: str, text: str, data: bytes) -> str | None:
    return "encoded" if is_encoded(data, rule.max_run, rule.max_share) else None

"""Other spellings of a value: base64, hexadecimal digits, escapes of URLs, strings and C.

Reads single stretches of text; writes nothing.
"""

import re
from base64 import b64decode
from binascii import Error
from urllib.parse import unquote

MAX_CHARACTERS = 200_000
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){6,}")
_ESCAPE = re.compile(r"\\x([0-9a-fA-F]{2})|\\u00([0-9a-fA-F]{2})|\\([0-3][0-7]{2})")


def from_base64(text: str) -> str | None:
    """Return what base64 of either alphabet says, `None` when that is no text.

    `text` may begin or end in the middle of a longer run: what is left over is dropped.
    """
    joined = re.sub(r"(?:\\[nr]|\s)+", "", text).rstrip("=").replace("-", "+").replace("_", "/")
    if len(joined) > MAX_CHARACTERS:
        return None
    whole = joined[: len(joined) - (len(joined) % 4 == 1)]
    try:
        return _printable(b64decode(whole + "=" * (-len(whole) % 4), validate=True))
    except (Error, ValueError):
        return None


def from_hex(text: str) -> str | None:
    """Return what hexadecimal digits say, `None` when that is no text."""
    if len(text) > MAX_CHARACTERS or len(text) % 2:
        return None
    try:
        return _printable(bytes.fromhex(text))
    except ValueError:
        return None


def from_escapes(text: str) -> str:
    """Return a text with `\\x41`, `\\u0041`, `\\101` and `%41` as the characters they stand for."""
    plain = _ESCAPE.sub(_character, text)
    return unquote(plain) if "%" in plain else plain


def other_spellings(value: str) -> tuple[str, ...]:
    """Return the texts a value is a spelling of, to be known as secrets as well."""
    found: list[str] = []
    if _HEX.fullmatch(value):
        found.append(from_hex(value) or "")
    elif _BASE64.fullmatch(value):
        found.append(from_base64(value) or "")
    elif "\\" in value or "%" in value:
        found.append(from_escapes(value))
    return tuple(each for each in found if len(each) >= 6 and each != value)


def _character(match: re.Match[str]) -> str:
    digits = match[1] or match[2]
    return chr(int(digits, 16) if digits else int(match[3], 8))


def _printable(data: bytes) -> str | None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    num_other = sum(not (each.isprintable() or each in "\r\n\t") for each in text)
    return text if text and num_other == 0 else None

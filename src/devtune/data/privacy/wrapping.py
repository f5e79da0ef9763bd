"""Stretches of base64, hexadecimal digits or escapes that hold a hint of a secret once decoded.

Reads texts around the spellings of hints; writes nothing.
"""

import re
from base64 import b64encode
from collections.abc import Iterator

from devtune.data.privacy.spellings import MAX_CHARACTERS, from_base64, from_escapes, from_hex

MAX_DEPTH = 2
# What is looked for in other spellings: prefixes of tokens, and words that announce a secret.
_WRAPPED = re.findall(
    r"\S+",
    "password passwd secret token api_key apikey api-key access_key private_key credential "
    "client_ PASSWORD PASSWD SECRET TOKEN API_KEY APIKEY ACCESS_KEY Password Secret Token "
    "ApiKey :// BEGIN ghp_ gho_ ghs_ ghu_ github_pat_ glpat- xoxb- xoxp- xapp- sk_live_ "
    "rk_live_ sk-ant- sk-proj- AKIA ASIA AIza GOCSPX- npm_ pypi- dop_v1_ hf_ SG. SK EAAA key- "
    "shpat_ dckr_pat_ hvs. glsa_ glc_ sntrys_ lin_api_ figd_ NRAK- PMAK- dapi xkeysib- "
    "rubygems_ ATATT3 AGE-SECRET-KEY- eyJhbGci Bearer Authorization -----BEGIN ",
)
_HEX_RUN = re.compile(r"[0-9a-fA-F]+")
_BASE64_RUN = re.compile(
    r"(?:[A-Za-z0-9+/_-]|\\n(?=[A-Za-z0-9+/]{20})|\r?\n[ \t]{0,20}(?=[A-Za-z0-9+/]{40}))+={0,2}"
)
_ESCAPED_RUN = re.compile(
    r"(?:\\x[0-9a-fA-F]{2}|\\u00[0-9a-fA-F]{2}|%[0-9A-Fa-f]{2}|[\w!#*+.~@$^&:/?=-])+"
)
_NUM_BEFORE = 4_000
_MIN_MIDDLE = 4


def hints() -> dict[str, str]:
    """Return each spelling of what is looked for, in lower case, and the name of its spelling."""
    found: dict[str, str] = {}
    for word in _WRAPPED:
        data = word.encode()
        if len(data) >= 4:
            found.update(dict.fromkeys(_base64_middles(data), "base64"))
            found[data.hex()] = "hex"
        if len(data) >= 3:
            found["".join(f"\\x{each:02x}" for each in data)] = "escapes"
            found["".join(f"\\u00{each:02x}" for each in data)] = "escapes"
            found["".join(f"%{each:02x}" for each in data)] = "escapes"
    return found


def _base64_middles(data: bytes) -> Iterator[str]:
    """Yield the characters a text has in base64 wherever it stands: one for each place of three."""
    for num_before in range(3):
        coded = b64encode(b"\0" * num_before + data).decode().rstrip("=")
        first = (num_before * 8 + 5) // 6
        last = (num_before + len(data)) * 8 // 6
        middle = coded[first:last].lower()
        if len(middle) >= _MIN_MIDDLE:
            yield middle


def unwrapped(text: str, start: int, spelling: str) -> tuple[int, int, str | None]:
    """Return the stretch around `start` in this spelling and what it says, if that is text."""
    run = {"hex": _HEX_RUN, "base64": _BASE64_RUN, "escapes": _ESCAPED_RUN}[spelling]
    first = _run_start(text, start, spelling)
    match = run.match(text, first, first + MAX_CHARACTERS)
    if match is None:
        return start, start + 1, None
    stretch = match[0]
    if spelling == "escapes":
        return first, match.end(), from_escapes(stretch)
    if spelling == "base64":
        return first, match.end(), from_base64(stretch)
    stretch = stretch[: len(stretch) // 2 * 2]
    return first, first + max(len(stretch), 1), from_hex(stretch)


_OUTSIDE = {
    "hex": re.compile(r"[^0-9a-fA-F]"),
    "base64": re.compile(r"[^A-Za-z0-9+/_-]"),
    "escapes": re.compile(r"[\s\"'`<>,;(){}\[\]]"),
}


def _run_start(text: str, start: int, spelling: str) -> int:
    """Where the run of a spelling that holds `start` begins, at most some thousands before it."""
    outside = _OUTSIDE[spelling]
    place = start
    limit = max(0, start - _NUM_BEFORE)
    while place > limit and outside.match(text, place - 1) is None:
        place -= 1
    return place

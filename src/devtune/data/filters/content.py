"""Whether a text looks like code or prose: its lines, its letters, its blanks, its encoded runs.

Reads what it is handed; writes nothing. Every check takes linear time and stays in C for ordinary
code; `data` is always the text as UTF-8.
"""

import re
import string
from collections.abc import Iterator

_ALPHANUMERIC = (string.ascii_letters + string.digits).encode()
_BLANKS = b" \t\r\n"
_LETTER = re.compile(r"[^\W_]")
MIN_RUN = 64
"""Bytes of the shortest run of base64 or hexadecimal digits."""
MIN_ESCAPES = 8
"""Escapes, or pairs of hexadecimal digits, in a row that are a run."""
MAX_GAP = 24
"""Bytes between two runs, such as quotes and indentation at the end of a line, that join them."""
MIN_DISTINCT = 10
"""Different bytes in a run: a rule of equal signs or slashes encodes nothing."""
COUNTED_BYTES = 1024
MARGIN = 0.1
"""Share by which a sample of so many bytes must be above the one asked for: five deviations."""
SAMPLED_BYTES = 32
SAMPLED_FINELY = 4096
"""Bytes up to which the shorter stride is taken."""
STRIDES = (131, 509)
"""A sample shows that ordinary code holds no runs; primes, so as not to follow the lines."""
_DIGITS = set(string.ascii_letters + string.digits + "+/")
_IN_RUN = bytes(ord("a") if chr(byte) in _DIGITS else ord(" ") for byte in range(256))
_IN_ESCAPES = bytes(
    ord("h") if chr(byte) in string.hexdigits + "xXu\\, " else ord(".") for byte in range(256)
)
_SAMPLED_ESCAPES = b"h" * (SAMPLED_BYTES - 8)
_PAIRS = bytes(
    ord("h") if chr(byte) in string.hexdigits else ord(" ") if byte in b" ,\t\r\n" else ord(".")
    for byte in range(256)
)
_ESCAPES = {
    start: re.compile(rb"%b(?:%b){%d,}+" % (each, joint + each, MIN_ESCAPES - 1))
    for start, each, joint in (
        (b"\\x", rb"\\x[0-9a-fA-F]{2}", b""),
        (b"\\u", rb"\\u[0-9a-fA-F]{4}", b""),
        (b"0x", rb"0x[0-9a-fA-F]{2}", rb"[\s,]{1,32}+"),
    )
}
_PAIRS_IN_A_ROW = (b"hh " * MIN_ESCAPES, b"hh  " * MIN_ESCAPES)
_PAIR_RUN = re.compile(rb"(?:hh {1,3}+)++")


def has_longer_line(text: str, max_characters: int) -> bool:
    """Whether a line has more characters than `max_characters`; its end is not counted."""
    text = _with_newlines(text)
    start = 0
    while len(text) - start > max_characters:
        # Leaps over as many lines as fit: the last end within reach is where the next leap starts.
        end = text.rfind("\n", start, start + max_characters + 1)
        if end < 0:
            return True
        start = end + 1
    return False


def mean_line(text: str) -> float:
    """Return the characters of a line on average, its end not counted."""
    text = _with_newlines(text)
    num_ends = text.count("\n")
    num_lines = num_ends + (not text.endswith("\n"))
    return (len(text) - num_ends) / num_lines if num_lines else 0.0


def is_alphanumeric(text: str, data: bytes, min_share: float) -> bool:
    """Whether at least `min_share` of the characters are letters or digits of any script."""
    wanted = min_share * len(text)
    if _has(data, _ALPHANUMERIC, wanted):
        return True
    return len(text) != len(data) and len(_LETTER.findall(text)) >= wanted


def is_blank_enough(data: bytes, min_share: float) -> bool:
    """Whether at least `min_share` of the bytes are blanks and line ends, unlike minified code."""
    return _has(data, _BLANKS, min_share * len(data))


def encoded_runs(data: bytes) -> list[int]:
    """Return the lengths of the runs of base64, hexadecimal and escaped bytes, in bytes.

    Runs that stand on lines below each other count as one.
    """
    sample = _sample(data)
    spans: list[tuple[int, int]] = []
    if b"a" * SAMPLED_BYTES in sample.translate(_IN_RUN):
        spans += _digit_runs(data)
    # Deep indentation is no run of anything.
    if _SAMPLED_ESCAPES in sample.replace(b"  ", b"..").translate(_IN_ESCAPES):
        spans += _pair_runs(data)
        spans += _escape_runs(data)
    return _join(data, sorted(spans))


def is_encoded(data: bytes, max_run: int, max_share: float) -> bool:
    """Whether one run is longer than `max_run` bytes, or all runs than that share of the text."""
    runs = encoded_runs(data)
    return bool(runs) and (max(runs) > max_run or sum(runs) > max_share * len(data))


def _with_newlines(text: str) -> str:
    # What has no line feed may still have lines: of the classic Mac.
    return text.replace("\r", "\n") if "\r" in text and "\n" not in text else text


def _has(data: bytes, wanted: bytes, number: float) -> bool:
    """Whether `data` has so many of the `wanted` bytes; a sample far above that is believed."""
    sample = data[:: len(data) // COUNTED_BYTES + 1]
    believed = number / max(len(data), 1) + MARGIN
    if len(sample) - len(sample.translate(None, wanted)) >= believed * len(sample) > 0:
        return True
    return len(data) - len(data.translate(None, wanted)) >= number


def _sample(data: bytes) -> bytes:
    """Pieces of `data`: one at least lies in any long run, and in some of many short ones."""
    stride = STRIDES[len(data) > SAMPLED_FINELY]
    starts = range(0, len(data), stride)
    return b".".join([data[start : start + SAMPLED_BYTES] for start in starts])


def _digit_runs(data: bytes) -> Iterator[tuple[int, int]]:
    mask = data.translate(_IN_RUN)
    start = mask.find(b"a" * MIN_RUN)
    while start >= 0:
        end = mask.find(b" ", start)
        end = len(data) if end < 0 else end
        if len(set(data[start:end])) >= MIN_DISTINCT:
            yield start, end
        start = mask.find(b"a" * MIN_RUN, end)


def _pair_runs(data: bytes) -> Iterator[tuple[int, int]]:
    mask = data.translate(_PAIRS)
    for row in _PAIRS_IN_A_ROW:
        start = mask.find(row)
        while start >= 0:
            found = _PAIR_RUN.match(mask, start)
            end = found.end() if found else start + len(row)
            yield start, end
            start = mask.find(row, end)


def _escape_runs(data: bytes) -> Iterator[tuple[int, int]]:
    for escape, pattern in _ESCAPES.items():
        if data.count(escape) >= MIN_ESCAPES:
            yield from (found.span() for found in pattern.finditer(data))


def _join(data: bytes, spans: list[tuple[int, int]]) -> list[int]:
    runs: list[int] = []
    last_end = None
    for start, end in spans:
        if last_end is not None and start <= last_end:
            # Two kinds of run over the same bytes.
            runs[-1] += max(end - last_end, 0)
        elif last_end is not None and _is_gap(data[last_end:start]):
            runs[-1] += end - start
        else:
            runs.append(end - start)
        last_end = max(end, last_end or 0)
    return runs


def _is_gap(between: bytes) -> bool:
    return len(between) <= MAX_GAP and not between.translate(None, _BLANKS + b"\"'`+\\,;")

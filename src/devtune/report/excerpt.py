"""The text of a sample as a page can show it: cut to size, nothing in it invisible.

Reads spans of tokens; writes nothing.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from markupsafe import Markup, escape

from devtune.data.renderers.rows import Span

MAX_CONTEXT, MAX_TRAINED, MAX_SAMPLE = 2400, 4000, 16_000
"""Characters shown of one untrained span, of one trained span, and of a sample."""
_UNCOMMON = re.compile(r"([^\x20-\x7e])\1*")
_LAYOUT = frozenset("\n\t")
_CONTROL = re.compile(r"\[[^\]]*\]|<[^>]*>")
_INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs", "Cs", "Co", "Cn"})
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Letters and marks by category that are drawn as nothing."""
_ASCII = [
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR",
    "SO", "SI", "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC",
    "FS", "GS", "RS", "US",
]  # fmt: skip
_CLOSING = re.compile(r"\[/|</")


class Piece(NamedTuple):
    """A run of text that is shown alike; `num_cut` characters follow that are not shown."""

    text: str
    is_trained: bool
    is_control: bool
    num_cut: int = 0


def visible(text: str, *, has_lines: bool = False) -> Markup:
    """Escape `text` for HTML; what cannot be seen is spelt, repeats of it counted, in `<i>`.

    Where the page keeps lines (`has_lines`), line ends and tabs are left as they are.
    """

    def shown(run: re.Match[str]) -> str:
        character, count = run[1], len(run[0])
        if not _hides(character) or (has_lines and character in _LAYOUT):
            return run[0]
        return f"<i>{_name(character)}{f'×{count}' if count > 1 else ''}</i>"

    return Markup(_UNCOMMON.sub(shown, str(escape(text))))


def spelt(text: str, *, has_lines: bool = False) -> str:
    """The same without markup, for places where only text may stand."""

    def shown(run: re.Match[str]) -> str:
        is_shown = not _hides(run[1]) or (has_lines and run[1] in _LAYOUT)
        return run[0] if is_shown else _name(run[1]) * len(run[0])

    return _UNCOMMON.sub(shown, text)


def _hides(character: str) -> bool:
    """Whether a reader could miss it, or it could move what stands around it."""
    if character == " ":
        return False
    if unicodedata.category(character) in _INVISIBLE or character in _FILLERS:
        return True
    # Variation selectors can carry bytes; the last of the first sixteen only colours emoji.
    return "\ufe00" <= character < "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _name(character: str) -> str:
    number = ord(character)
    return _ASCII[number] if number < len(_ASCII) else f"U+{number:04X}"


def turns(spans: Iterable[Span]) -> Iterator[list[Piece]]:
    """Yield the pieces of each turn, closed by its control token; long texts lose their middle."""
    turn: list[Piece] = []
    room, num_cut = MAX_SAMPLE, 0
    for span in spans:
        if room <= 0:
            num_cut += len(span.text)
        elif span.is_control:
            for token in _CONTROL.findall(span.text):
                turn.append(Piece(token, span.is_trained, is_control=True))
                if _CLOSING.match(token):
                    yield turn
                    turn = []
        else:
            pieces = list(_cut(span, min(MAX_TRAINED if span.is_trained else MAX_CONTEXT, room)))
            room -= sum(len(each.text) for each in pieces)
            turn += pieces
    if num_cut:
        turn.append(Piece("", is_trained=False, is_control=False, num_cut=num_cut))
    if turn:
        yield turn


def _cut(span: Span, limit: int) -> Iterator[Piece]:
    text = span.text
    if len(text) <= limit:
        yield Piece(text, span.is_trained, is_control=False)
        return
    head, tail = limit - limit // 2, limit // 2
    yield Piece(text[:head], span.is_trained, is_control=False, num_cut=len(text) - limit)
    if tail:
        yield Piece(text[-tail:], span.is_trained, is_control=False)

"""Second half of redaction: marks become placeholders, and a known secret is replaced everywhere.

Reads marked texts and what was learned while they were marked; writes nothing.
"""

import re
from collections import Counter
from collections.abc import Iterable

from ahocorasick_rs import AhoCorasick

from devtune.data.privacy.marking import MARK, MARK_START, Learned, Replacement, replaced
from devtune.data.privacy.salt import keyed

MIN_LITERAL_CHARACTERS = 8
LONG_CHARACTERS = 16
_MARK_IN_BYTES = re.compile(MARK.pattern.encode())


class Redactor:
    """Marks become placeholders; the same value is the same one in every text.

    With the same `salt` it is so in every dataset. A short word (`guest`, `password`) is replaced
    only where it stands as a secret, and so is personal data. `learned` is in the order the texts
    are in.
    """

    def __init__(self, learned: Iterable[Learned], salt: bytes = b"") -> None:
        self._placeholders: dict[str, str] = {}
        self._numbers: Counter[str] = Counter()
        self.learned: dict[str, Learned] = {}
        """What each placeholder stands for."""
        literals: dict[str, str] = {}
        for each in learned:
            if each.digest in self._placeholders:
                continue
            self._numbers[each.kind] += 1
            name = keyed(each.value, salt) if salt else self._numbers[each.kind]
            placeholder = f"REDACTED_{each.kind}_{name}"
            self._placeholders[each.digest] = placeholder
            self.learned[placeholder] = each
            if not each.is_personal and _is_distinctive(each.value):
                literals[each.value] = placeholder
        self._literals = list(literals.items())
        self._finder = AhoCorasick(list(literals)) if literals else None

    @property
    def literals(self) -> list[str]:
        """What is replaced wherever it stands."""
        return [value for value, _ in self._literals]

    def name_marks(self, line: bytes) -> bytes:
        """Return UTF-8 with placeholders in place of marks, and all else as it is."""
        return _MARK_IN_BYTES.sub(self._named_in_bytes, line)

    def redact(self, text: str) -> str:
        """Return a marked text with placeholders in place of its marks and of all known secrets."""
        if MARK_START in text:
            text = MARK.sub(self._named, text)
        found = self._finder.find_matches_as_indexes(text, overlapping=True) if self._finder else ()
        spans = [Replacement(start, end, self._literals[index][1]) for index, start, end in found]
        return replaced(text, spans) if spans else text

    def _named_in_bytes(self, match: re.Match[bytes]) -> bytes:
        known = self._placeholders.get(match[1].decode("ascii"))
        return match[0] if known is None else known.encode("ascii")

    def _named(self, match: re.Match[str]) -> str:
        return self._placeholders.get(match[1], match[0])


def _is_distinctive(value: str) -> bool:
    """Whether a value may be replaced wherever it occurs without mangling ordinary words."""
    if len(value) < MIN_LITERAL_CHARACTERS:
        return False
    return len(value) >= LONG_CHARACTERS or any(each.isdigit() for each in value)

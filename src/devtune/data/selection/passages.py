"""Which passages of held-out answers stand, in one piece, in texts that are trained on.

Reads and writes one JSON file of the passages that are looked for.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from devtune.data.corpus import Passage, passage_of

MIN_LINES = 3
MIN_CHARACTERS = 60


def passage_id(passage: Passage) -> str:
    """First 16 hex digits of sha256 over the lines: equal passages, equal ids."""
    content = "\n".join(passage).encode("utf-8", "surrogatepass")
    return hashlib.sha256(content).hexdigest()[:16]


def is_decisive(passage: Passage) -> bool:
    """Whether finding it elsewhere says anything: `return None` stands everywhere."""
    return len(passage) >= MIN_LINES or sum(map(len, passage)) >= MIN_CHARACTERS


class Wanted:
    """Passages to look for, found by their rarest line so that `}` costs nothing."""

    def __init__(self, passages: Iterable[Passage]) -> None:
        self._passages = sorted(set(filter(None, passages)))
        counts = Counter(line for each in self._passages for line in each)
        self._places: dict[str, dict[tuple[int, int], dict[Passage, str]]] = {}
        for each in self._passages:
            offset = min(range(len(each)), key=lambda at: (counts[each[at]], -len(each[at]), at))
            shapes = self._places.setdefault(each[offset], {})
            shapes.setdefault((offset, len(each)), {})[each] = passage_id(each)

    @classmethod
    def of(cls, evidence: Iterable[str]) -> "Wanted":
        """Look for texts, whatever their indentation and blank lines."""
        return cls(map(passage_of, evidence))

    def __len__(self) -> int:
        return len(self._passages)

    def save(self, file: Path) -> None:
        """Write the passages."""
        file.write_text(json.dumps(self._passages), encoding="utf-8")

    @classmethod
    def load(cls, file: Path) -> "Wanted":
        """Read what `save` wrote."""
        return cls(tuple(each) for each in json.loads(file.read_text(encoding="utf-8")))

    def find(self, text: str) -> set[str]:
        """Return the ids of the passages that stand in `text`."""
        lines = passage_of(text)
        found: set[str] = set()
        for at in range(len(lines)):
            for (offset, length), passages in self._places.get(lines[at], {}).items():
                start = at - offset
                if start >= 0 and (known := passages.get(lines[start : start + length])):
                    found.add(known)
        return found

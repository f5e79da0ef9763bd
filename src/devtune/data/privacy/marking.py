"""First half of redaction: every layer looks at a text, and marks stand where it found something.

Reads texts, writes nothing; `sealed` is how what was learned goes from one process to another.
"""

import re
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from devtune.data.privacy.detection import MAX_KIND_CHARACTERS, Detection
from devtune.data.privacy.kingfisher import scan
from devtune.data.privacy.personal import PersonalPolicy, find_personal
from devtune.data.privacy.personal_authors import author_key, is_program
from devtune.data.privacy.secrets import find_secrets, reaches_far
from devtune.data.privacy.unchanged import changed_part

MARK_START = "REDACTED_"
AUTHOR = "AUTHOR"
"""Kind of the pseudonyms of those who wrote a text; they stand in fields of their own."""
_KIND = rf"{MARK_START}[A-Z0-9_]{{1,{MAX_KIND_CHARACTERS}}}_"
MARK = re.compile(_KIND + r"([0-9a-f]{32})(?![0-9a-f])")
PLACEHOLDER = re.compile(_KIND + r"(?:[0-9a-f]{16}|[0-9]+)(?![0-9a-f])")
"""What stands in a corpus: numbered, or named under a salt."""


@dataclass(frozen=True, slots=True)
class Learned:
    """One value: found by a rule of this kind, known by the digest that stands in marked texts."""

    digest: str
    kind: str
    value: str = field(repr=False)
    rule: str = ""
    is_personal: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Replacement:
    """One stretch of a text, in characters, and what takes its place."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Marked:
    """A text with marks in it."""

    text: str
    num_generic: int
    """Secrets in it that only their surroundings give away."""
    is_clean: bool = False
    """Whether there was nothing to mark."""


@dataclass(slots=True)
class Marker:
    """Replaces what the layers find by keyed digests, and remembers it.

    Several processes mark texts with one `key`; what they learned is put together afterwards, and
    only then do placeholders get their names.
    """

    key: bytes = field(repr=False)
    rules_dir: Path | None = None
    """Where compiled rules are, if anywhere."""
    personal: PersonalPolicy | None = None
    """What of people is replaced; nothing without it."""
    learned: dict[str, Learned] = field(default_factory=dict[str, Learned], repr=False)
    """By digest, in the order they were found."""

    def mark(self, text: str) -> str:
        """Return `text` with all that must not be learned replaced by marks."""
        return self.look(text).text

    def look(self, text: str, clean: str = "") -> Marked:
        """Mark a text and count what would make it a dump of secrets.

        `clean` is another version of it with nothing to mark, where one is known: what it has
        too is not searched again, unless what changed could say something about it.
        """
        if not text:
            return Marked(text, 0, is_clean=True)
        part = changed_part(text, clean) if clean and not reaches_far(text) else text
        found = self._detect(part)
        if found and part is not text:
            found = self._detect(text)
        if not found:
            return Marked(text, 0, is_clean=True)
        found.sort(key=lambda each: (each.start, -each.end, each.rule))
        spans: list[Replacement] = []
        for each in found:
            if MARK.search(text, each.start, each.end):
                continue  # marked before
            value = text[each.start : each.end]
            spans.append(Replacement(each.start, each.end, self._learn(value, each)))
            for hidden in each.hidden:
                self._learn(hidden, each)
        return Marked(replaced(text, spans), sum(each.is_generic for each in found))

    def pseudonym(self, author: str) -> str:
        """Return what stands in a row for who wrote it: `Name <mail>`, or a login of a forge.

        One person is one pseudonym, however the name is spelt; programs keep theirs.
        """
        if self.personal is None or MARK.fullmatch(author):
            return self.mark(author)
        if self.personal.authors == "keep" or not author or is_program(author):
            return Marker(self.key, self.rules_dir, learned=self.learned).mark(author)
        found = Detection(0, 0, AUTHOR, "personal.author", is_personal=True)
        return self._learn(author_key(author), found, f"{AUTHOR} ")

    def _detect(self, text: str) -> list[Detection]:
        found = list(scan(text, self.rules_dir))
        found += _added(find_secrets(text), found)
        if self.personal:
            found += find_personal(text, self.personal)
        return found

    def _learn(self, value: str, found: Detection, prefix: str = "") -> str:
        """Return the mark of a value; with a `prefix` it is not that of the value in a text."""
        named = f"{prefix}{value}".encode("utf-8", "replace")
        digest = blake2b(named, key=self.key, digest_size=16).hexdigest()
        new = Learned(digest, found.kind, value, found.rule, found.is_personal)
        first = self.learned.setdefault(digest, new)
        return f"REDACTED_{first.kind}_{digest}"


def _added(found: list[Detection], known: list[Detection]) -> list[Detection]:
    """Leave out what an earlier layer has replaced whole, so that it counts and is named once."""
    return [
        each
        for each in found
        if not any(other.start <= each.start and each.end <= other.end for other in known)
    ]


def replaced(text: str, spans: list[Replacement]) -> str:
    """Return `text` with each span replaced; spans may overlap."""
    pieces: list[str] = []
    done = 0
    for span in _merged(spans):
        pieces += (text[done : span.start], span.text)
        done = span.end
    return "".join((*pieces, text[done:]))


def _merged(spans: list[Replacement]) -> list[Replacement]:
    """Join overlapping spans, so that no end of a secret sticks out; the longest one names it."""
    merged: list[Replacement] = []
    longest = 0
    for span in sorted(spans, key=lambda each: (each.start, -each.end, each.text)):
        length = span.end - span.start
        if not merged or span.start >= merged[-1].end:
            merged.append(span)
            longest = length
            continue
        last = merged[-1]
        name = span.text if length > longest else last.text
        longest = max(longest, length)
        merged[-1] = Replacement(last.start, max(last.end, span.end), name)
    return merged

"""Secrets found by Kingfisher's rules, in process and offline, and replaced by placeholders.

Reads texts, writes nothing; `sealed` is how what was learned goes from one process to another.
A candidate is never sent to its vendor; the SDK's `Validator` and `Revoker` are not used.
"""

import hmac
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from ahocorasick_rs import AhoCorasick

from devtune.errors import RecipeError, one_line

if TYPE_CHECKING:  # loaded by who scans; `devtune check` does not
    from kingfisher_sdk import Finding, Rules, Scanner

MIN_LITERAL_CHARACTERS = 8
MIN_SALT_BYTES = 32
LONG_CHARACTERS = 16
MARK_START = "REDACTED_"
_MARK = re.compile(r"REDACTED_[A-Z0-9_]+_([0-9a-f]{32})(?![0-9a-f])")

# The catalogue hides parts of a credential that do not prove anything alone. Of these, what is
# secret by its name is replaced; account names, hosts and client ids are not.
_SECRET_PART = re.compile(r"(secret|passphrase|security-token|(?<!public-)key)(\.\d+)?$")


@cache
def _rules(rules_dir: Path | None) -> "Rules":
    """Compile the rules once a process (seconds), or read them from where one has compiled them.

    Only where devtune says: the scanner's own place for them in the user's home stays empty.
    """
    from kingfisher_sdk import Rules

    return Rules(confidence="low", cache=rules_dir is not None, cache_dir=rules_dir)


@cache
def _scanner(rules_dir: Path | None) -> "Scanner":
    from kingfisher_sdk import DetectionPolicy, Scanner

    # Comments such as `gitleaks:allow` are the text's own wish; markup context would skip HTML.
    policy = DetectionPolicy(
        inline_ignores=False, markup_context=False, cli_match_semantics=False, base64_max_depth=2
    )
    return Scanner(_rules(rules_dir), policy=policy)


@dataclass(frozen=True, slots=True)
class Learned:
    """One secret: found by a rule of this kind, known by the digest that stands in marked texts."""

    digest: str
    kind: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True, order=True)
class _Span:
    """One stretch of a text, in characters, and what takes its place."""

    start: int
    end: int
    placeholder: str


@dataclass(slots=True)
class Marker:
    """First half of redaction: replaces what the rules find by keyed digests, and remembers it.

    Several processes mark texts with one `key`; what they learned is put together afterwards, and
    only then do placeholders get their numbers.
    """

    key: bytes = field(repr=False)
    rules_dir: Path | None = None
    """Where compiled rules are, if anywhere."""
    learned: dict[str, Learned] = field(default_factory=dict[str, Learned], repr=False)
    """By digest, in the order they were found."""

    def mark(self, text: str) -> str:
        """Return `text` with each secret the rules see replaced by its mark."""
        if not text:
            return text
        found = _scanner(self.rules_dir).scan(text.encode("utf-8"))
        findings = [each for each in found if _is_secret(each)]
        if not findings:
            return text
        findings.sort(key=lambda e: (e.location["start_offset"], -_length(e), e.rule_id))
        offsets = _byte_offsets(text)
        spans: list[_Span] = []
        for finding in findings:
            start = bisect_left(offsets, finding.location["start_offset"])
            end = bisect_left(offsets, finding.location["end_offset"])
            if _MARK.search(text, start, end):
                continue  # marked before
            kind = _kind(finding.rule_id)
            spans.append(_Span(start, end, self._learn(text[start:end], kind)))
            if finding.is_base64_encoded:
                self._learn(finding.secret, kind)
        return _replaced(text, spans)

    def _learn(self, value: str, kind: str) -> str:
        digest = blake2b(value.encode("utf-8", "replace"), key=self.key, digest_size=16).hexdigest()
        first = self.learned.setdefault(digest, Learned(digest, kind, value))
        return f"REDACTED_{first.kind}_{digest}"


class Redactor:
    """Second half: marks become numbered placeholders, and a known value is replaced everywhere.

    The same value is the same placeholder in every text, and with the same `salt` in every dataset.
    A short word (`guest`, `password`) is replaced only where it stands as a secret. `learned` is in
    the order the texts are in.
    """

    def __init__(self, learned: Iterable[Learned], salt: bytes = b"") -> None:
        self._placeholders: dict[str, str] = {}
        self._numbers: Counter[str] = Counter()
        literals: dict[str, str] = {}
        for each in learned:
            if each.digest in self._placeholders:
                continue
            self._numbers[each.kind] += 1
            name = _keyed(each.value, salt) if salt else self._numbers[each.kind]
            placeholder = f"REDACTED_{each.kind}_{name}"
            self._placeholders[each.digest] = placeholder
            if _is_distinctive(each.value):
                literals[each.value] = placeholder
        self._literals = list(literals.items())
        self._finder = AhoCorasick(list(literals)) if literals else None

    @property
    def counts(self) -> dict[str, int]:
        """Different secrets found, by kind in lower case."""
        return {kind.lower(): number for kind, number in sorted(self._numbers.items())}

    @property
    def needles(self) -> list[str]:
        """Texts without any of these need no `redact`."""
        return [*(value for value, _ in self._literals), MARK_START]

    def redact(self, text: str) -> str:
        """Return a marked text with placeholders in place of its marks and of all known secrets."""
        if MARK_START in text:
            text = _MARK.sub(self._named, text)
        found = self._finder.find_matches_as_indexes(text, overlapping=True) if self._finder else ()
        spans = [_Span(start, end, self._literals[index][1]) for index, start, end in found]
        return _replaced(text, spans) if spans else text

    def _named(self, match: re.Match[str]) -> str:
        return self._placeholders.get(match[1], match[0])


def compile_rules(rules_dir: Path) -> bool:
    """Leave compiled rules in `rules_dir`; return whether they lie there for other processes.

    The scanner believes no folder others can write to, and no rules of another version or CPU.
    """
    return _rules(rules_dir).cache_status != "bypassed"


def read_salt(file: Path | None) -> bytes:
    """Return what names placeholders, nothing where there is no file.

    Raises `RecipeError` for a salt that could be guessed, or that others can read.
    """
    if file is None:
        return b""
    try:
        salt, mode = file.read_bytes(), file.stat().st_mode
    except OSError as error:
        raise RecipeError(one_line(error, file)) from None
    if mode & 0o077:
        raise RecipeError(f"{file}: others than its owner can read it; chmod 600 {file.name}")
    if len(salt) < MIN_SALT_BYTES:
        raise RecipeError(
            f"{file}: a salt of less than {MIN_SALT_BYTES} bytes can be guessed; write one with"
            " `openssl rand -hex 32`"
        )
    return salt


def _keyed(value: str, salt: bytes) -> str:
    return hmac.digest(salt, value.encode("utf-8", "replace"), "sha256")[:8].hex()


def _is_secret(finding: "Finding") -> bool:
    return finding.visible or _SECRET_PART.search(finding.rule_id) is not None


def _length(finding: "Finding") -> int:
    return finding.location["end_offset"] - finding.location["start_offset"]


def _kind(rule_id: str) -> str:
    """`betterleaks.github-pat` -> `GITHUB_PAT`."""
    name = re.sub(r"\.\d+$", "", re.split(r"[./]", rule_id, maxsplit=1)[-1])
    name = name.removeprefix("secrets/")
    return re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")


def _is_distinctive(value: str) -> bool:
    """Whether a value may be replaced wherever it occurs without mangling ordinary words."""
    if len(value) < MIN_LITERAL_CHARACTERS:
        return False
    return len(value) >= LONG_CHARACTERS or any(each.isdigit() for each in value)


def _byte_offsets(text: str) -> "list[int] | range":
    """Byte offset of each character and of the end; the scanner counts bytes of UTF-8."""
    if text.isascii():
        return range(len(text) + 1)
    return list(accumulate(map(_width, text), initial=0))


def _width(character: str) -> int:
    point = ord(character)
    return 1 + (point > 0x7F) + (point > 0x7FF) + (point > 0xFFFF)


def _replaced(text: str, spans: list[_Span]) -> str:
    pieces: list[str] = []
    done = 0
    for span in _merged(spans):
        pieces += (text[done : span.start], span.placeholder)
        done = span.end
    return "".join((*pieces, text[done:]))


def _merged(spans: list[_Span]) -> list[_Span]:
    """Join overlapping spans, so that no end of a secret sticks out; the longest one names it."""
    merged: list[_Span] = []
    longest = 0
    for span in sorted(spans, key=lambda each: (each.start, -each.end, each.placeholder)):
        length = span.end - span.start
        if not merged or span.start >= merged[-1].end:
            merged.append(span)
            longest = length
            continue
        last = merged[-1]
        name = span.placeholder if length > longest else last.placeholder
        longest = max(longest, length)
        merged[-1] = _Span(last.start, max(last.end, span.end), name)
    return merged

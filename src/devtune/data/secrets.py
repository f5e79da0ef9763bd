"""Secrets found by Kingfisher's rules, in process and offline, and replaced by placeholders.

Reads texts, writes nothing: found values live in the memory of one `Redactor` and nowhere else.
A candidate is never sent to its vendor; the SDK's `Validator` and `Revoker` are not used.
"""

import re
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate

from kingfisher_sdk import DetectionPolicy, Finding, Rules, Scanner

MIN_LITERAL_CHARACTERS = 8
LONG_CHARACTERS = 16

# The catalogue hides parts of a credential that do not prove anything alone. Of these, what is
# secret by its name is replaced; account names, hosts and client ids are not.
_SECRET_PART = re.compile(r"(secret|passphrase|security-token|(?<!public-)key)(\.\d+)?$")


@cache
def _scanner() -> Scanner:
    """Compile the rules once a process (seconds); the disk cache in the user's home stays off."""
    rules = Rules(confidence="low", cache=False)
    # Comments such as `gitleaks:allow` are the text's own wish; markup context would skip HTML.
    policy = DetectionPolicy(
        inline_ignores=False, markup_context=False, cli_match_semantics=False, base64_max_depth=2
    )
    return Scanner(rules, policy=policy)


@dataclass(frozen=True, slots=True, order=True)
class _Span:
    """One stretch of a text, in characters, and the placeholder that takes its place."""

    start: int
    end: int
    placeholder: str


@dataclass(slots=True)
class Redactor:
    """Replaces secrets; the same value becomes the same placeholder in every text it is given.

    Feed every text of a corpus to `learn` first and to `redact` afterwards, in a fixed order:
    then a value that any text gave away is replaced in all of them, and the numbers are stable.
    A short word (`guest`, `password`) is replaced only where it stands as a secret.
    """

    _placeholders: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    _literals: list[str] = field(default_factory=list[str], repr=False)
    _numbers: Counter[str] = field(default_factory=Counter[str], repr=False)

    @property
    def counts(self) -> dict[str, int]:
        """Different secrets found so far, by kind in lower case."""
        return {kind.lower(): number for kind, number in sorted(self._numbers.items())}

    def learn(self, text: str) -> None:
        """Remember the secrets of `text`."""
        self._detect(text)

    def redact(self, text: str) -> str:
        """Return `text` with its secrets, and all secrets known so far, replaced."""
        spans = [*self._detect(text), *self._find_literals(text)]
        if not spans:
            return text
        pieces: list[str] = []
        done = 0
        for span in _merged(spans):
            pieces += (text[done : span.start], span.placeholder)
            done = span.end
        return "".join((*pieces, text[done:]))

    def _detect(self, text: str) -> list[_Span]:
        findings = [each for each in _scan(text) if _is_secret(each)]
        if not findings:
            return []
        findings.sort(key=lambda e: (e.location["start_offset"], -_length(e), e.rule_id))
        offsets = _byte_offsets(text)
        spans: list[_Span] = []
        for finding in findings:
            start = bisect_left(offsets, finding.location["start_offset"])
            end = bisect_left(offsets, finding.location["end_offset"])
            kind = _kind(finding.rule_id)
            spans.append(_Span(start, end, self._placeholder(text[start:end], kind)))
            if finding.is_base64_encoded:
                self._placeholder(finding.secret, kind)
        return spans

    def _placeholder(self, value: str, kind: str) -> str:
        known = self._placeholders.get(value)
        if known is not None:
            return known
        self._numbers[kind] += 1
        placeholder = f"REDACTED_{kind}_{self._numbers[kind]}"
        self._placeholders[value] = placeholder
        if _is_distinctive(value):
            self._literals.append(value)
        return placeholder

    def _find_literals(self, text: str) -> list[_Span]:
        spans: list[_Span] = []
        for value in self._literals:
            start = text.find(value)
            while start >= 0:
                end = start + len(value)
                spans.append(_Span(start, end, self._placeholders[value]))
                start = text.find(value, start + 1)
        return spans


def _scan(text: str) -> list[Finding]:
    return _scanner().scan(text.encode("utf-8")) if text else []


def _is_secret(finding: Finding) -> bool:
    return finding.visible or _SECRET_PART.search(finding.rule_id) is not None


def _length(finding: Finding) -> int:
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

"""Commit messages as a request can quote them: prefixes parsed, ticket ids and trailers taken off.

Reads and writes nothing. Every repetition in a pattern is bounded: a message may be hostile.
"""

import re
from dataclasses import dataclass

KINDS = {
    "feat": "feature", "feature": "feature", "fix": "bug fix", "bugfix": "bug fix",
    "hotfix": "bug fix", "docs": "documentation", "doc": "documentation",
    "refactor": "refactoring", "perf": "performance", "test": "tests", "tests": "tests",
    "build": "build", "ci": "continuous integration", "style": "code style", "chore": "chore",
    "deps": "dependencies", "security": "security",
}  # fmt: skip
"""Prefixes of conventional commits, in words."""
_NO_SCOPES = frozenset(
    ("add", "added", "change", "changed", "cleanup", "enhancement", "fixed", "fixes", "improve")
    + ("improved", "misc", "minor", "new", "note", "notes", "remove", "removed", "todo", "update")
    + ("updated", "various", "wip")
)
LONGEST = 2_000
"""Characters of a subject or body a request quotes."""

_PREFIX = re.compile(
    r"(?P<kind>[A-Za-z][\w./+-]{0,40})(?:\((?P<scope>[^()\n]{1,60})\))?!?:[ \t]{1,3}(?=\S)"
    r"|\[(?P<mark>[\w ./+-]{1,30})\][ \t]{0,3}:?[ \t]{0,3}(?=\S)"
)
# Standards look like ticket ids: UTF-8, SHA-256, PEP-8.
_TICKET = (
    r"\b(?!(?:UTF|UCS|UTC|GMT|ISO|IEC|SHA|MD|AES|RSA|DES|PEP|RFC|CVE|CWE|HTTP|TLS|SSL|IP|CP|RS|EC"
    r"|ES|HS|PS|KOI|WINDOWS|CSS|HTML|ASCII|BASE|GB|BIG|JIS|ECMA|POSIX|IEEE|AVX|SSE|GPL|LGPL|BSD"
    r"|MIT|PY|GPT|MP)-)[A-Z][A-Z0-9]{1,9}-\d{1,7}\b(?!-)"
)
_NUMBER = r"(?:[\w.-]{1,60}/[\w.-]{1,60})?(?:(?<![&\w])#|(?<=\w)#|(?<!\w)!|\b(?i:gh)-)\d{1,6}\b"
_ADDRESS = (
    r"https?://[^\s()]{1,200}/(?:issues|pull|pulls|merge_requests|browse|work_items)/[\w#/-]{1,80}"
)
_ID = rf"(?:{_ADDRESS}|{_TICKET}|{_NUMBER})"
_IDS = rf"{_ID}(?:\s{{0,3}}(?:,|&|,?\s?\band\b)\s{{0,3}}{_ID}){{0,9}}"
_CLOSING = (
    r"(?i:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|address(?:es)?"
    r"|implement(?:s|ed)?|refs?|references|re|see(?: also)?|part of|related to|relates to)"
)
_NOUN = r"(?i:issues?|bugs?|tickets?|PRs?|pull requests?|MRs?|merge requests?)"
_NAMED = rf"(?:{_NOUN} )?{_IDS}"
_BRACKETED = re.compile(rf"\s{{0,3}}[(\[](?:{_CLOSING}:? )?{_NAMED}[)\]]")
_CLOSES = re.compile(
    rf"(?:[,;.–-] ?|\s|^)(?:[Tt]his )?{_CLOSING}:? {_NAMED}(?=\.?(?:\s{{0,3}}$|\s[A-Z])|[,;)])\.?",
    re.MULTILINE,
)
_FIXES_WHAT = re.compile(rf"(?i:(fix(?:e[sd])?|resolves?)) {_NAMED}(?= [a-z(`'\"])")
_LEADING = re.compile(rf"(?:\[?{_NAMED}\]?|{_CLOSING} {_NAMED}(?= ?[:–-] ))(?: ?[:–-])? (?=\S)")
_INSIDE = re.compile(
    rf"\s(?:(?i:from|in|of|by|for|with|since|per|via|after) (?:the )?{_NAMED}(?=\s|$|[.,;:)])"
    rf"|{_IDS}(?=[\s.]{{0,3}}$))"
)
_TRAILER = re.compile(
    r"(?:(?:signed[- ]off|co-?[- ]?authored|co-developed|reviewed|acked|tested|reported|suggested"
    r"|helped|approved|mentored|paired?|reviewed-and-tested)[- ]by"
    r"|change-id|reviewed-on|piperorigin-revid|git-svn-id|cc|commit-queue|auto-submit"
    r"|differential revision|release-note|patchwork-id|cherry-picked-from|x-[\w-]{1,30})\s?[:=]"
    r"|\(?cherry[- ]picked from|\(?(?:backported|cherry-picked) from commit"
    r"|this reverts commit\b|--hg--|branch : "
    # What a squash quotes of `git log`.
    r"|squashed commit of the following:|commit [0-9a-f]{40}$"
    r"|author:\s{1,9}[^<>]{1,99}<[^<>]{1,99}>$|date:\s{1,9}\w{3} \w{3} \d",
    re.IGNORECASE,
)
_SIGNED = re.compile(r"[A-Z][\w-]{1,40}-(?:[Bb]y|[Ii]d|[Oo]n|[Tt]o|[Uu]rl): \S.*")
_REFERENCE = re.compile(
    r"(?i:bugs?|issues?|jira|tickets?|refs?|references|closes|fixes|resolves|see|links?|url|related"
    rf"|backports?)\s?[:=] ?(?:{_IDS}|#?\d{{1,9}}|https?://\S{{1,300}}|[0-9a-f]{{7,40}}\b.*)[\s.]*"
)
_IDS_ONLY = re.compile(rf"[-*(\s]{{0,9}}(?:{_CLOSING}:? )?{_NAMED}[\s).]{{0,9}}")
_CONFLICTS = re.compile(r"#?\s?conflicts:", re.IGNORECASE)
_RULE = re.compile(r"[-=*_#~]{3,200}|https?://\S{1,300}")

_VERSION_TALK = re.compile(
    r"(?i)v?\d+(?:\.\w{1,9}){0,5}(?:[-+.]?(?:dev|rc|alpha|beta|a|b|snapshot|post)\.?\d{0,4})?[.,:]?"
    r"|versions?|releases?d?|this|is|start|begin|bump|prepare|cut|tag|set|mark|open|next|new|the|for"
    r"|to|of|as|a|from|development|dev|version:|number|v|and|in|back|post-release|final"
)


@dataclass(frozen=True, slots=True)
class Words:
    """What a commit message says, fit to be asked for."""

    subject: str
    body: str
    kind: str = ""
    """Words for its conventional prefix, e.g. `bug fix`; `""` if it has none."""
    scope: str = ""
    """What its prefix says it is about, e.g. `parser`."""

    def is_empty(self) -> bool:
        """Whether too little is left to know what to do, or no more than the name of a version."""
        words = [each for each in self.subject.split() if not _VERSION_TALK.fullmatch(each)]
        return not words or (len(self.subject.split()) < 3 and len(self.body.split()) < 5)


def clean_message(subject: str, body: str) -> Words:
    """Return the words of a commit message, and what its prefixes say apart from them."""
    rest = " ".join(subject[:LONGEST].split())
    kind = scope = ""
    for _ in range(3):
        if found := _LEADING.match(rest):
            rest = rest[found.end() :]
        if found := _PREFIX.match(rest):
            new_kind, new_scope = _read_prefix(found)
            kind, scope = kind or new_kind, scope or new_scope
            rest = rest[found.end() :]
    rest = _FIXES_WHAT.sub(r"\1", rest)
    text = _INSIDE.sub("", strip_ids(rest)).strip().rstrip(" ,;:–-")
    if text.endswith(".") and not text.endswith(".."):
        text = text[:-1]
    lines = clean_body(body).split("\n")
    # A squash lists the subjects of its commits, which is the same again where there was one.
    told = "\n".join(line for line in lines if line.strip(" *-.").lower() != text.lower())
    return Words(_capitalised(text), told.strip("\n"), kind, scope)


def clean_body(body: str) -> str:
    """Return the paragraphs of a message without trailers, ticket ids and lists of conflicts."""
    lines: list[str] = []
    is_skipping = False
    for raw in body[: 4 * LONGEST].replace("\r\n", "\n").split("\n"):
        line = raw.rstrip()
        bare = line.strip()
        is_skipping = bool(bare) and (is_skipping or bool(_CONFLICTS.fullmatch(bare)))
        if not is_skipping and not _is_trailer(bare):
            lines.append(_INSIDE.sub("", strip_ids(line)))
    text = "\n".join(lines).strip("\n")[:LONGEST]
    return re.sub(r"\n{3,}", "\n\n", text)


def strip_ids(text: str) -> str:
    """Return text without ticket ids in brackets and without what it says it closes."""
    return _CLOSES.sub("", _BRACKETED.sub("", text))


def is_reference(line: str) -> bool:
    """Whether a line only points at tickets."""
    return bool(_IDS_ONLY.fullmatch(line) or _REFERENCE.fullmatch(line))


def _is_trailer(line: str) -> bool:
    return bool(_TRAILER.match(line) or _SIGNED.fullmatch(line) or _RULE.fullmatch(line)) or (
        is_reference(line)
    )


def _read_prefix(found: "re.Match[str]") -> tuple[str, str]:
    word, scope = found["kind"] or found["mark"], found["scope"] or ""
    if kind := KINDS.get(word.lower()):
        return kind, scope
    if word.lower() in _NO_SCOPES:
        return "", scope
    # `net/http: …`, `[parser] …`: what stands before is what it is about.
    return "", f"{word} ({scope})" if scope else word


def _capitalised(text: str) -> str:
    """Raise the first letter of a plain word; names of code stay as they are."""
    first = text.split(" ", 1)[0]
    return text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text

"""What people write in issues and reviews, without their names, forms and small talk.

Reads and writes nothing. Every repetition in a pattern is bounded: a text may be hostile.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from devtune.data.families.messages import is_reference, strip_ids

MAX_CHARACTERS = 65_536
"""Of one text; a forge takes no more."""
_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_IMAGE = re.compile(r"!\[[^\]\n]{0,300}\]\([^)\n]{0,500}\)|<img\b[^>\n]{0,500}>")
_CHECKBOX = re.compile(r"[ \t]*[-*+] \[[ xX]\]")
_MAIL_QUOTE = re.compile(r"On .{5,100} wrote:|From: .*|Sent from my .*")
_HEADING = re.compile(r"#{1,6} ")
_CODE = re.compile(
    r"(^ {0,3}(?:`{3,}+|~{3,}+)[^\n]*+\n.*?(?:^ {0,3}(?:`{3,}+|~{3,}+) *$|\Z)|`[^`\n]+`)",
    re.MULTILINE | re.DOTALL,
)
_MENTION = re.compile(
    r"(?<![\w@/.])@([A-Za-z0-9][A-Za-z0-9-]{0,38}|REDACTED_AUTHOR_[0-9a-f]{1,16})(?![\w(/@]|\.\w)"
)
# Without an `@` only names that no sentence holds by chance are taken for a login.
_LOGIN = re.compile(r"(?<![\w@.-])(?=[\w-]{0,38}[\d-])[A-Za-z][\w-]{3,38}(?![\w-])")
_TALK = re.compile(
    r"(?i)\W{0,9}(?:lgtm|looks (?:good|great)|thanks?\b|thank you|nice|great|cool|awesome|done\b"
    r"|fixed\b|\+1|-1|ping\b|bump\b|good (?:point|catch|call)|agreed?\b|same here|me too"
    r"|any (?:news|updates?)|/\w+|bors\b|@\S+ (?:rebase|merge|retest|try)\b)"
)
_ASKING = re.compile(
    r"(?i)\W{0,9}(?:why|what|how|when|where|who|which|is|are|was|were|do|does|did|can|could|should"
    r"|would|wouldn't|isn't|don't|i wonder|(?:just )?curious)\b"
)
_WANTING = re.compile(
    r"(?i)\b(?:please|should|must|instead|rather than|needs? to|lets?|suggest|better|prefer"
    r"|remove|rename|replace|use|add|move|drop|change|make|missing|wrong)\b|```suggestion"
)
_NIT = re.compile(r"(?i)\W{0,9}(?:(?:super|tiny|minor|small) )?(?:nit(?:pick)?s?|optional)\b")


def clean_prose(text: str) -> str:
    """Return a description or comment without hidden parts, images, checklists and ticket ids."""
    text = text[:MAX_CHARACTERS].replace("\r\n", "\n")
    text = _IMAGE.sub("", _HIDDEN.sub("", text))
    cleaned = change_prose(text, strip_ids)
    lines = [line.rstrip() for line in cleaned.split("\n") if not _is_form(line)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(_without_empty_sections(lines))).strip()


def _is_form(line: str) -> bool:
    return bool(_CHECKBOX.match(line) or _MAIL_QUOTE.fullmatch(line)) or is_reference(line)


def _without_empty_sections(lines: list[str]) -> list[str]:
    """Drop headings under which nobody wrote anything."""
    kept: list[str] = []
    is_filled = False
    level_below = 0
    for line in reversed(lines):
        found = _HEADING.match(line)
        level = found.end() if found else 0
        if level and not is_filled and level >= level_below:
            continue
        kept.append(line)
        if level:
            is_filled, level_below = False, level
        elif line.strip():
            is_filled, level_below = True, 0
    return kept[::-1]


def change_prose(text: str, change: Callable[[str], str]) -> str:
    """Return `text` with what stands outside of code changed."""
    pieces = _CODE.split(text)
    return "".join(piece if number % 2 else change(piece) for number, piece in enumerate(pieces))


def hide_names(texts: Iterable[str], authors: Iterable[str]) -> list[str]:
    """Return texts in which people are `username_0`, `username_1`, …, in order of appearance.

    `authors` are logins of people; any other `@name` outside code is hidden as well.
    """
    numbers: dict[str, int] = {}
    known = {each.lower() for each in authors if each}

    def hidden(name: str) -> str:
        return f"username_{numbers.setdefault(name.lower(), len(numbers))}"

    def prose(text: str) -> str:
        text = _MENTION.sub(lambda found: f"@{hidden(found[1])}", text)
        return _LOGIN.sub(
            lambda found: hidden(found[0]) if found[0].lower() in known else found[0], text
        )

    return [change_prose(text, prose) for text in texts]


def is_talk(text: str) -> bool:
    """Whether a comment thanks, agrees, pings or commands a bot, and says no more."""
    return bool(_TALK.match(text)) and len(text.split()) < 12


def is_nit(text: str) -> bool:
    """Whether a review comment calls itself unimportant."""
    return bool(_NIT.match(text))


def is_only_a_question(text: str) -> bool:
    """Whether a review comment asks without wanting something done."""
    asks = text.rstrip().endswith("?") or _ASKING.match(text)
    return bool(asks) and not _WANTING.search(text)


def moment(date: str) -> datetime | None:
    """Return the point in time a forge or git writes; None for what is no date."""
    try:
        parsed = datetime.fromisoformat(date)
    except ValueError:
        return None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)

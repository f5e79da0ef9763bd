"""Values given to a name that announces a secret, in every notation people write them in.

Reads texts around keywords; writes nothing. All repetitions have a limit, so that a keyword costs
the same in the worst of texts.
"""

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass, replace

from devtune.data.privacy.addresses import is_example_login
from devtune.data.privacy.detection import Detection
from devtune.data.privacy.keywords import Keyword, is_aspect, is_public
from devtune.data.privacy.notations import (
    AFTER_BARE,
    BARE,
    BARE_END,
    BLOCK_DEFAULT,
    COMMAND,
    COMPARED,
    DIRECTIVE,
    FALLBACK,
    LINE_END,
    NEXT,
    OPERATOR,
    QUOTED,
    REST,
)
from devtune.data.privacy.rarity import is_harmless, is_uuid, looks_made_up, looks_random
from devtune.data.privacy.spellings import from_base64, from_escapes, other_spellings

_NUM_BEFORE = 40
NAME_CHARACTERS = string.ascii_letters + string.digits + "_.$-"


@dataclass(frozen=True, slots=True)
class _Judge:
    """Decides on a value by what announces it."""

    keyword: Keyword
    is_aspect: bool
    """Whether the name goes on as one of something about the secret."""

    def is_secret(self, value: str, is_quoted: bool) -> bool:
        """Whether a value may be one of the announced secrets."""
        if "\\" in value or "%" in value:
            value = from_escapes(value)
        if self.is_aspect:
            return looks_random(value, 16)
        login = from_base64(value) or "" if self.keyword.word.startswith("auth") else ""
        if ":" in login:
            return not is_harmless(value) and not is_example_login(login)
        if looks_random(value, 12 if is_quoted else 16) or is_uuid(value):
            return True
        if self.keyword.is_password:
            return looks_made_up(value, is_quoted)
        return is_quoted and num_classes(value) == 4 and looks_made_up(value, True)

    def detection(self, text: str, start: int, end: int) -> Detection:
        """Say what stands there."""
        kind = "PASSWORD" if self.keyword.is_password else "TOKEN"
        hidden = other_spellings(text[start:end])
        return Detection(start, end, kind, "assignment", is_generic=True, hidden=hidden)


SIGNS = frozenset("!#%*+?~^&@$=;|")


def num_classes(value: str) -> int:
    """Of small letters, capitals, digits and signs, how many kinds are in it."""
    return (
        any("a" <= each <= "z" for each in value)
        + any("A" <= each <= "Z" for each in value)
        + any("0" <= each <= "9" for each in value)
        + any(each in SIGNS for each in value)
    )


def assigned(text: str, start: int, keyword: Keyword) -> Iterator[Detection]:
    """Yield the value given to the name around the keyword at `start`, if it may be a secret."""
    end = start + len(keyword.word)
    if _is_inside_word(text, start, end, keyword):
        return
    rest = REST.match(text, end)
    if rest is None:
        return
    before = text[max(0, start - _NUM_BEFORE) : start]
    name_start = start - len(before) + len(before.rstrip(NAME_CHARACTERS))
    judge = _Judge(keyword, is_aspect(rest[1]))
    found = _value_after(text, name_start, rest.end(), judge)
    if found is None:
        found = _value_before(text, start, judge)
    if not found or is_public(text[name_start : rest.end(1)]):
        return
    for span in found:
        yield judge.detection(text, *span)


def _is_inside_word(text: str, start: int, end: int, keyword: Keyword) -> bool:
    """Whether the letters around it make it another word: `tokenizer`, `compass`, `Passage`."""
    following, last = text[end : end + 1], text[end - 1]
    if following.isalpha():
        is_plural = following in "sS" and not text[end + 1 : end + 2].islower()
        is_camel = following.isupper() and last.islower()
        if not (is_plural or is_camel):
            return True
    if len(keyword.word) > 4 or start == 0:
        return False
    preceding, first = text[start - 1], text[start]
    is_escape = text[start - 2 : start] in ("\\n", "\\t", "\\r")
    return preceding.isalpha() and not (first.isupper() and preceding.islower()) and not is_escape


_Span = tuple[int, int]


def _value_after(text: str, name_start: int, place: int, judge: _Judge) -> list[_Span] | None:
    operator = OPERATOR.match(text, place)
    if operator is None:
        return None
    place = operator.end()
    if operator["markup"]:
        end = min(each for each in (text.find("<", place), text.find("]]>", place)) if each >= 0)
        return _judged(text, place, end, judge, is_quoted=True)
    if operator["nested"]:  # one of several, named otherwise: it must be rare
        judge = replace(judge, is_aspect=True)
    quoted = QUOTED.match(text, place)
    if quoted is not None:
        return _quoted_values(text, quoted, judge) or _fallback(text, place, judge)
    if operator["space"] and (block := BLOCK_DEFAULT.match(text, place - 1)):
        quoted = QUOTED.match(text, block.end())
        return _quoted_values(text, quoted, judge) if quoted is not None else None
    return _bare_value(text, name_start, operator, judge)


def _bare_value(
    text: str, name_start: int, operator: re.Match[str], judge: _Judge
) -> list[_Span] | None:
    """Find a value without quotes, or one in quotes that stands in for the first thing given."""
    if operator["call"] or ("," in operator[0] and operator["pair"] is None):
        return None
    if "\n" in operator[0] and operator.lastgroup not in ("pair", "block", "nested"):
        return None
    bare = _bare(text, operator.end(), judge, operator[0] == "=")
    if bare and operator["space"] and not _may_stand_bare(text, name_start, bare[0], judge):
        return None
    return bare or _fallback(text, operator.end(), judge)


def _value_before(text: str, start: int, judge: _Judge) -> list[_Span] | None:
    if (
        "=" not in text[max(0, start - 44) : start]
        and "equals" not in text[max(0, start - 52) : start]
    ):
        return None
    compared = COMPARED.search(text, max(0, start - 200), start)
    return _judged(text, *compared.span(2), judge, True) if compared is not None else None


def _quoted_values(text: str, quoted: re.Match[str], judge: _Judge) -> list[_Span] | None:
    found = _judged(text, *quoted.span("value"), judge, True) or []
    following = NEXT.match(text, quoted.end()) if quoted["list"] else None
    for _ in range(50):
        if following is None:
            break
        found += _judged(text, *following.span(2), judge, True) or []
        following = NEXT.match(text, following.end())
    return found or None


def _fallback(text: str, place: int, judge: _Judge) -> list[_Span] | None:
    fallback = FALLBACK.match(text, place)
    quoted = QUOTED.match(text, fallback.end()) if fallback is not None else None
    return _quoted_values(text, quoted, judge) if quoted is not None else None


def _bare(text: str, place: int, judge: _Judge, is_tight: bool) -> list[_Span] | None:
    bare = BARE.match(text, place)
    if bare is None:
        return None
    ending = BARE_END.search(bare[1])
    end = bare.start(1) + (ending.start() if ending is not None else len(bare[1]))
    value = text[bare.start(1) : end]
    if (
        any(each in value for each in "(){}[]")
        or re.match(r"\w+=[a-zA-Z_]", value)
        or not (AFTER_BARE.match(text, end) or (is_tight and text[end] == " "))
    ):
        return None
    return _judged(text, bare.start(1), end, judge, False)


def _may_stand_bare(text: str, name_start: int, span: _Span, judge: _Judge) -> bool:
    """Whether a word after a keyword is its value, and not the next word of a sentence."""
    if looks_random(text[span[0] : span[1]], 16):
        return True
    if re.search(r"\b(?:is|was)\s{1,9}\Z", text[max(0, span[0] - 12) : span[0]]):
        return judge.keyword.is_password
    before = text[max(0, name_start - 60) : name_start]
    if DIRECTIVE.search(before) and LINE_END.match(text, span[1]):
        return any(map(str.isdigit, text[span[0] : span[1]]))
    return judge.keyword.is_password and (
        text.startswith("-", name_start) or COMMAND.search(before) is not None
    )


def _judged(text: str, start: int, end: int, judge: _Judge, is_quoted: bool) -> list[_Span] | None:
    value = text[start:end]
    stripped = re.sub(r"(?:\\[nrt]|\s)+\Z", "", value)
    start += len(value) - len(value.lstrip())
    end -= len(value) - len(stripped)
    return [(start, end)] if judge.is_secret(text[start:end], is_quoted) else None

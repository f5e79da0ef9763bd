"""Values given to a name that announces a secret, in every notation people write them in.

Reads texts around keywords; writes nothing. All repetitions have a limit, so that a keyword costs
the same in the worst of texts.
"""

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass

from devtune.data.privacy.detection import Detection
from devtune.data.privacy.keywords import Keyword, is_aspect, is_public
from devtune.data.privacy.rarity import is_harmless, is_uuid, looks_made_up, looks_random
from devtune.data.privacy.spellings import from_base64, from_escapes, other_spellings

_NUM_BEFORE = 40
_NAME_CHARACTERS = string.ascii_letters + string.digits + "_.$-"
# What is left of the name (`password` -> `_prod`), then closing quotes, brackets and indexes.
_REST = re.compile(
    r"""([\w.$?-]{0,40}+)(?:\[\w{0,8}\])?(?:\\{0,3}["'`])?(?:\s?[\])}]|\\{0,3}["'`](?=[\s,).])){0,4}"""
)
_OPERATOR = re.compile(
    r"""(?x)
    (?P<pair> \s{0,60}+ ,?+ \s{0,60}+ [\\"'{]{0,4} (?:android:)? (?i:value|default|content)
        [\\"']{0,4} \s{0,9}+ [:=] \s{0,9}+ )
    | \s{0,9}+ [:=] \s{0,9}+ \{ \s{0,60}+ [\\"']{0,4} (?:value|default) [\\"']{0,4} \s{0,9}+ [:=]
        \s{0,9}+
    | (?P<block> \s{0,9}+ : [ ]{0,9}+ [|>][-+]?+ [ ]{0,9}+ \r?\n \s{1,40}+ )
    | (?P<nested> \s{0,9}+ [:=] [ ]{0,9}+ (?: [{\[(] \s{0,60}+ | \r?\n [ ]{1,40}+ )
        (?: -[ ] | ["']?[\w.-]{1,40}["']?+ \s? (?::|=>|=) \s{1,9}+ ) )
    | (?P<markup> \s? </\w{1,20}> \s{0,60}+ <\w{1,20}> \s{0,60}+
        | (?:[ ][\w:-]{1,30}+=["'][^"'<>\n]{0,60}+["']){0,4}+ [ ]?/?> (?:<!\[CDATA\[)?+ )
        (?=[^<\n]{6,200}+ <|[^<\n]{6,200}\]\]>)
    | \s{0,9}+ : \s{0,9}+ [&\w.'<>\[\]?|,* ]{1,50}? [ ] =[ ] (?=[\w"'`@&])
    | [ ] \{ [^{}\n]{1,40}+ \} [ ] = [ ]
    | [=:] ["'] \s? [+.] \s? (?=["'])
    | \s{0,20}+ (?: :=|=>|===?|!==?|\|\|=?|\?\?=?|\?=|\+=|=|<-|->|<>|\?:|or\b ) \s{0,60}+
    | \s{0,9}+ : \s{0,60}+
    | [ \t]{0,9}+ , [ \t]{0,20}+
    | \s (?:for|of|to|on|at|in) \s [\w' -]{1,40}? (?:\sis|\s?[:=]) \s{1,9}+
    | (?P<call> (?:\.\w{1,20}+)?+ \( \s{0,60}+ (?:[\w.]{1,40}+,\s{0,60}+)?+ )
    | \s{1,9}+ [\w*\[\].]{1,30}+ \s{1,9}+ = \s{1,9}+ (?=["'`])
    | (?P<space> \s{1,60}+ (?:(?:is|was|to|as)\s{1,9}+){0,2} (?:\d\s)?+ )
    """
)
_SCHEME = r"(?:(?i:basic|bearer|token|apikey|api-key|key|bot|ssws|digest)[ ]{1,4}+)?+"
_QUOTED = re.compile(
    r"""(?x)
    (?: [\w.:&@!<>*-]{1,60}+ \s? \( \s{0,40}+ | new\s{1,9}+ [\w.<>]{1,40}+ \( \s{0,40}+ ){0,3}
    (?P<list> [\[({] \s{0,60}+ ){0,2} (?:return[ ] | [bBrRfFuULN@$&]{1,2}+ | ![!\w]{1,6}[ ] | &\w{1,20}[ ])?+
    (?P<quote> \"{3} | '{3} | \\{0,3}["'`] ) """
    + _SCHEME
    + r"""(?P<value> (?:(?!(?P=quote))(?:[^\\\r\n]|\\[^\r\n])){1,512}+ ) (?P=quote) """
)
_NEXT = re.compile(r"""\s{0,60}+,\s{0,60}+(["'])([^"'\\\n]{1,512}+)\1""")
_FALLBACK = re.compile(  # `getenv("PASSWORD", "v")`, `env.PASSWORD || "v"`
    r"""(?x) [^\n"'`;,|?]{0,80}? (?:["'`][\w.:/-]{1,60}+["'`][\s\])]{0,3}+)?+
    (?:,|\|\||\?\?|\?:|\bor\b) \s{0,40}+ (?:default\s?=\s?)?+ (?=["'`]) """
)
_BLOCK_DEFAULT = re.compile(
    r"""["']?\s{0,9}+\{[^{}]{0,300}?\bdefault["']?\s{0,40}+[=:]\s{0,9}+(?=["'])"""
)
_BARE = re.compile(
    _SCHEME + r"""(?:!!?\w{1,9} |&\w{1,20} |[\w.@-]{1,30} / )?([^\s"'`<>\\]{6,512}+)"""
)
_BARE_END = re.compile(r"&(?=amp;|[\w.-]+=)|;|,(?=\w*=|$)|\}\}?$|[,.:)\]}]+$")
_AFTER_BARE = re.compile(
    r"""[ \t]{0,40}+(?:$|[\r\n\\"'`<#;/,()\]}|&}]|-|(?:for|on|and|to|at|in)\b|[.)]+(?:\s|$)|\w{1,20}+=|host\b|user)"""
)
_COMMAND = re.compile(
    r"(?m:^\s{0,9}(?:ENV|ARG|set|setx|export|define) )\s{0,9}\Z|login |machine |/\Z"
)
_DIRECTIVE = re.compile(
    r"(?:^|\n|\\n)[ \t\\*#+>-]{0,40}(?:(?:enable|target|default|username|user)\b[^\n]{0,40})?\Z"
)
_LINE_END = re.compile(r"[ \t]{0,9}(?:$|[\r\n\\])")
_COMPARED = re.compile(
    r"""(["'])([^"'\n\\]{6,128}+)\1(?:\s?[=!]={1,2}\s?|\.equals\(\s?)[\w.$>(-]{0,40}\Z"""
)


@dataclass(frozen=True, slots=True)
class _Judge:
    """Decides on a value by what announces it."""

    keyword: Keyword
    rest: str
    """How the name goes on after the keyword."""

    def is_secret(self, value: str, is_quoted: bool) -> bool:
        """Whether a value may be one of the announced secrets."""
        if "\\" in value or "%" in value:
            value = from_escapes(value)
        if is_aspect(self.rest):
            return looks_random(value, 16)
        if looks_random(value, 12 if is_quoted else 16) or is_uuid(value):
            return True
        if self.keyword.word == "auth" and ":" in (from_base64(value) or ""):
            return not is_harmless(value)
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
    rest = _REST.match(text, end)
    if rest is None:
        return
    before = text[max(0, start - _NUM_BEFORE) : start]
    name_start = start - len(before) + len(before.rstrip(_NAME_CHARACTERS))
    judge = _Judge(keyword, rest[1])
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
    operator = _OPERATOR.match(text, place)
    if operator is None:
        return None
    place = operator.end()
    if operator["markup"]:
        end = text.find("<", place)
        end = text.find("]]>", place, end) if text.find("]]>", place, end) >= 0 else end
        return _judged(text, place, end, judge, True)
    if operator["nested"]:
        judge = _Judge(judge.keyword, "_type")
    quoted = _QUOTED.match(text, place)
    if quoted is not None:
        return _quoted_values(text, quoted, judge) or _fallback(text, place, judge)
    block = _BLOCK_DEFAULT.match(text, place - 1) if operator["space"] else None
    if block is not None and (quoted := _QUOTED.match(text, block.end())):
        return _quoted_values(text, quoted, judge)
    if operator["call"] or "," in operator[0] and operator["pair"] is None:
        return None
    if "\n" in operator[0] and operator.lastgroup not in ("pair", "block", "nested"):
        return None
    bare = _bare(text, place, judge, operator[0] == "=")
    if bare and operator["space"] and not _may_stand_bare(text, name_start, bare[0], judge):
        return None
    return bare or _fallback(text, place, judge)


def _value_before(text: str, start: int, judge: _Judge) -> list[_Span] | None:
    if (
        "=" not in text[max(0, start - 44) : start]
        and "equals" not in text[max(0, start - 52) : start]
    ):
        return None
    compared = _COMPARED.search(text, max(0, start - 200), start)
    return _judged(text, *compared.span(2), judge, True) if compared is not None else None


def _quoted_values(text: str, quoted: re.Match[str], judge: _Judge) -> list[_Span] | None:
    found = _judged(text, *quoted.span("value"), judge, True) or []
    following = _NEXT.match(text, quoted.end()) if quoted["list"] else None
    for _ in range(50):
        if following is None:
            break
        found += _judged(text, *following.span(2), judge, True) or []
        following = _NEXT.match(text, following.end())
    return found or None


def _fallback(text: str, place: int, judge: _Judge) -> list[_Span] | None:
    fallback = _FALLBACK.match(text, place)
    quoted = _QUOTED.match(text, fallback.end()) if fallback is not None else None
    return _quoted_values(text, quoted, judge) if quoted is not None else None


def _bare(text: str, place: int, judge: _Judge, is_tight: bool) -> list[_Span] | None:
    bare = _BARE.match(text, place)
    if bare is None:
        return None
    ending = _BARE_END.search(bare[1])
    end = bare.start(1) + (ending.start() if ending is not None else len(bare[1]))
    value = text[bare.start(1) : end]
    if (
        any(each in value for each in "(){}[]")
        or re.match(r"\w+=[a-zA-Z_]", value)
        or not (_AFTER_BARE.match(text, end) or (is_tight and text[end] == " "))
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
    if _DIRECTIVE.search(before) and _LINE_END.match(text, span[1]):
        return any(map(str.isdigit, text[span[0] : span[1]]))
    return judge.keyword.is_password and (
        text.startswith("-", name_start) or _COMMAND.search(before) is not None
    )


def _judged(text: str, start: int, end: int, judge: _Judge, is_quoted: bool) -> list[_Span] | None:
    value = text[start:end]
    stripped = re.sub(r"(?:\\[nrt]|\s)+\Z", "", value)
    start += len(value) - len(value.lstrip())
    end -= len(value) - len(stripped)
    return [(start, end)] if judge.is_secret(text[start:end], is_quoted) else None

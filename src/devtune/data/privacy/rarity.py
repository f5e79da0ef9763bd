"""How rare a value is: drawn at random, made up by a person, or plainly harmless.

Reads single values; writes nothing.
"""

import re
from functools import lru_cache
from itertools import pairwise

MIN_CHARACTERS = 6
MAX_CHARACTERS = 600
_NUM_JUDGED = 120
"""So many characters of a long value say as much as all of them."""
_NUM_KEPT = 512
"""Judgements remembered: the same values come again and again."""
RANDOM = 0.36
"""From this rarity on a value of 20 characters was drawn, not written."""

# Letters that often follow a letter in the words of programs (nine of ten pairs in them).
_FOLLOWERS = (
    "aabcdgiklmnprstuvxy babefilorsu cacehiklorstu dabdeilorsu eabcdefgilmnopqrstvwxy faefilortu "
    "gaehilnorsu haeiort iabcdefglmnoprstvxz keis ladeilostuy mabeilmopsu nacdefgiklnopstuv "
    "oabcdfgiklmnoprstuvw paehiloprstuy qu racdegiklmnoprstuvy sacehiklopstuy tacehiloprstuy "
    "uabcdeilmnprst vaei waeio xipt ypst ze"
)
_COMMON = frozenset(row[0] + each for row in _FOLLOWERS.split() for each in row[1:])

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_MARK = re.compile(r"(?i)REDACTED")
# What stands where a value would be filled in, in the syntaxes of shells, templates and formats.
_REFERENCE = re.compile(
    r"""(?x) \$\{ | \{\{ | \$\( | \#\{ | <% | %> | \}\} | \\\( | ^\$[A-Za-z_][\w:>.-]*$
    | ^%[A-Za-z_]\w*%$ | ^@[A-Za-z_]\w*@$ | ^[<\[({].*[>\])}]$ | ^%[-\d.]*[a-z]$ | %\(\w+\)s
    | ^&[a-z]+;$ | \{\w*\} | ^!\w+$ | ^ENC\( | <[a-zA-Z][\w -]*> | ^\\[a-zA-Z]+$ | ^__\w+__$ """
)
_PLACEHOLDER = re.compile(
    r"""(?xi) change.?(?:me|it|this) | example | placeholder | redacted | dummy | foo.?bar | lorem
    | (?<![a-z0-9])(?:your|my|the|some|any)[-_ ]?(?:own|real|super|very|new|secret|api|access|auth|
      token|pass|key|user|client|app|db|database|strong|secure|private|custom|account|name|id)
    | (?<![a-z])(?:insert|replace|enter|put|fill|paste|set|type|add)[-_ ]?(?:here|me|with|your|this)
    | -here$ | _here$ | (?<![a-z])(?:todo|fixme|tbd|n/a|none|null|nil|undefined|unset|empty|masked|
      hidden|omitted|snip|sample|fake|mock|stub|invalid|wrong|incorrect|default|unknown|anything|
      whatever|notreal|bogus)(?![a-z]) | xxxx | \*\*\*\* | \.\.\. | \#\#\#\# | ____
    | 0123456|12345678|abcdef0|abcdefg|qwerty|deadbeef|cafebabe """
)
_HARMLESS = re.compile(
    r"""(?x) (?: [A-Za-z]{0,3}[-+]?[\d.,:_/\ -]+[A-Za-z%]{0,3}   # numbers, dates, versions, sizes
    | \d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-][\d:]+)?
    | v?\d+(?:\.[\dx]+)+(?:[-+.]?[A-Za-z]+[\d.]*)*
    | (?:sha\d+|md5|sha|blake2\w?|sha3)[-:_][A-Za-z0-9+/=]+      # digests that say so
    | [a-z]+/[a-z0-9.+*-]+                                       # media types
    | \#[0-9a-fA-F]{3,8} | 0[xX][0-9a-fA-F]{1,16}
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+                               # mail addresses
    | [a-z]+:\?\S+ | [A-Za-z]+(?:\|[A-Za-z]+)+
    | arn:\S+ | urn:\S+ | projects/\S+ | refs/\S+ | [a-z]+:[a-z_-]+
    ) """
)
_PATH = re.compile(  # or a name of an attribute or a module
    r"(?:\.{0,2}|~|[A-Za-z]:)[/\\][\w@.+/\\-]*|[\w-]+/[\w/-]*\w\.[a-z]{1,5}"
    r"|[~@:]?[A-Za-z_]\w*(?:(?:\.|::|->|/)[A-Za-z_]\w*)+|~?[A-Za-z_]\w*=[\w.]*"
)
_FILE = re.compile(r"\.(?:[a-z]{2,4}|json|[a-z]\d)\Z")
_CODE = re.compile(
    r"\(\)|\(\w+\||\[\w*\]|->|::|=>|&&|\|\||[=!<>]=(?!=?$)|\)\.|^\^|\$$|\\[dwsSDW]|\[\^|\(\?|\]\+"
)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_SYMBOLS = frozenset("!#%*+?~^&@$=;,:|")
# Words that make a value a name of what it is about, not the thing itself.
_TRIVIAL = frozenset(
    re.findall(
        r"\w+",
        "password passwd passwort pass pwd secret token key api auth oauth user username admin "
        "test tests id name my new old the a an field form input access refresh client server "
        "login bearer basic type sha md aes rsa des utf base http https tls ssl v x p s n i e "
        "db app service account credential credentials private public jwt hmac hs rs es ecdsa "
        "ed curve secp bit bits keys tokens some value string text str var arg param step part "
        "item group level row col column line no number num usr foo bar baz qux abc abcd xyz "
        "aaa bbb one two three first second third fourth pw psw valid good bad short long min "
        "max size len length hash digest salt iv session cookie header error message msg label "
        "code status data config host ",
    )
)


def is_uuid(value: str) -> bool:
    """Whether it is a UUID, which is a secret only where its name says so."""
    return _UUID.fullmatch(value) is not None


@lru_cache(maxsize=_NUM_KEPT)
def is_harmless(value: str) -> bool:
    """Whether a value is a mark, a reference, a placeholder, a digest, a path, or words."""
    if not MIN_CHARACTERS <= len(value) <= MAX_CHARACTERS or _MARK.search(value):
        return True
    value = value[:_NUM_JUDGED]
    if _REFERENCE.search(value) or _PLACEHOLDER.search(value) or _HARMLESS.fullmatch(value):
        return True
    if "://" in value or _CODE.search(value) or " " in value or "\t" in value:
        return True
    limit = 0.5 if _FILE.search(value) else RANDOM
    if _PATH.fullmatch(value) and rarity(value) < limit:
        return True
    return len(set(value)) < 5 or _is_sequence(value)


def _is_sequence(value: str) -> bool:
    """Whether most of it counts up, stays the same or repeats: a test vector or a filler."""
    steps = [ord(b) - ord(a) for a, b in pairwise(value)]
    if sum(abs(step) <= 1 for step in steps) * 2 > len(steps):
        return True
    if len(value) >= 16 and value[: len(value) // 4] * 4 == value[: len(value) // 4 * 4]:
        return True
    digits = value.lower().replace(":", "").replace(" ", "").removeprefix("0x")
    if len(digits) < 16 or not re.fullmatch(r"[0-9a-f]+", digits):
        return False
    numbers = bytes.fromhex(digits[: len(digits) // 2 * 2])
    jumps = [(b - a) % 256 for a, b in pairwise(numbers)]
    return max(map(jumps.count, set(jumps))) * 2 > len(jumps)


@lru_cache(maxsize=_NUM_KEPT)
def rarity(value: str) -> float:
    """Return how often its characters change class or follow each other as in no word (0 to 1).

    Words and names in any case stay below a quarter; what is drawn at random comes above .4.
    """
    changes = num = 0
    for first, second in pairwise(value[:_NUM_JUDGED]):
        if not (first.isalnum() and second.isalnum()):
            continue
        num += 1
        changes += (
            first.isalpha() != second.isalpha()
            or (first.islower() and second.isupper())
            or (first.isalpha() and (first + second).lower() not in _COMMON)
        )
    return changes / num if num else 0.0


@lru_cache(maxsize=_NUM_KEPT)
def looks_random(value: str, min_characters: int = 12) -> bool:
    """Whether a value has the make of a generated one."""
    if len(value) < min_characters or is_harmless(value) or is_uuid(value):
        return False
    if len(value) >= 24 and _HEX.fullmatch(value):
        return not value.isdigit()
    has_digit = any(each.isdigit() for each in value)
    return rarity(value) >= (RANDOM if len(value) >= 20 else 0.42) + (0 if has_digit else 0.06)


def is_trivial(value: str) -> bool:
    """Whether there is no word in it but such as names are made of."""
    return all(each.lower() in _TRIVIAL for each in _WORDS.findall(value))


@lru_cache(maxsize=_NUM_KEPT)
def looks_made_up(value: str, is_quoted: bool) -> bool:
    """Whether a value is like a password: words no program is named by, digits and signs."""
    if len(value) > 64 or is_harmless(value) or is_uuid(value):
        return False
    if looks_random(value):
        return True
    num_digits = sum(each.isdigit() for each in value)
    num_signs = sum(each in _SYMBOLS for each in value)
    if is_trivial(value):
        return False
    if num_digits + num_signs == 0 or (num_digits < 2 and num_signs == 0):
        return False
    if re.fullmatch(r"\w+", value) and not is_quoted:
        return False
    return len(value) >= 8 and num_digits > 0 or len(value) >= 10

"""Telephone, bank account and card numbers in texts, each with the check its kind has.

Reads texts and their shapes (see `personal_hints`); writes nothing.
"""

import re
from collections.abc import Iterator

MAX_BEFORE = 40
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}(?:[ ]?[A-Z0-9]{1,4}){2,8}")
_IBAN_CHARACTERS = {
    15: "NO", 16: "BE", 18: "DK FI FO GL NL SD FK", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL",
    24: "AD CZ DZ ES MD PK RO SA SE SK TN VG", 25: "AO CV GW LY MZ PT ST", 26: "IS TR",
    27: "BF BI BJ CF CG CI CM DJ FR GA GR IT MC MG ML MR SM SN TD TG",
    28: "AL AZ BY CY DO GT HN HU LB MA NE NI PL SV", 29: "BR EG PS QA UA", 30: "JO KW MU YE",
    31: "MT SC", 32: "LC", 33: "RU",
}  # fmt: skip
_IBAN_LENGTH = {
    country: length for length, names in _IBAN_CHARACTERS.items() for country in names.split()
}
_CARD = re.compile(
    r"[2-6](?:[0-9]{12,18}|[0-9]{3}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{3})?"
    r"|[0-9]{3}([ -])[0-9]{6}\2[0-9]{5})(?![\w-]|\.\w)"
)
_ISSUERS = (
    (re.compile(r"4"), (13, 16, 19)),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),
    (re.compile(r"3[47]"), (15,)),
    (re.compile(r"30[0-5]|3[689]"), (14,)),
    (re.compile(r"35(?:2[89]|[3-8])"), (16,)),
    (re.compile(r"6011|64[4-9]|65|62"), (16, 19)),
    (re.compile(r"50|5[6-9]|6"), (16,)),
)
_CARD_NAMED = re.compile(r"(?i)(?:\bcard|credit|debit|\bpan\b|\bvisa|master|amex|cc_?num)[^\n]*\Z")
_PLUS = re.compile(r"\+(?<![\w+.)\]}]\+)(?=\(?[1-9])[0-9() ./-]{7,26}")
_COUNTRY = re.compile(
    r"1|7|20|21[12368]|22\d|23\d|24\d|25[0-8]|26\d|27|29[0178]|3[0-469]|35\d|37\d|38[01235679]"
    r"|4[013-9]|42[0134]|50\d|5[1-8]|59\d|6[0-6]|67[02-9]|68\d|69[0-2]|8[1246]|80[08]|85[02356]"
    r"|87[08]|88[0-368]|9[0-58]|96[0-8]|97[0-79]|99[2-68]"
)
_AMERICAN = re.compile(r"1[2-9]\d\d[2-9]\d{6}")
_MADE_UP = re.compile(r"1234567|7654321|(\d)\1{4}|^555\d{4}$")
_PHONE_NAMED = re.compile(
    r"(?i)(?:[ _-]?(?:no|num|number|nr))?[\"']?(?:\s{0,2}[.:=]{1,2}>?\s{0,3}|\s{1,2})[\"']?"
)
PHONE_HINTS = (
    "phone",
    "telephone",
    "telefon",
    "tel",
    "fax",
    "mobile",
    "mobil",
    "cell",
    "call us at",
)
"""In lower case."""
_LOCAL = re.compile(r"[(0-9][0-9() ./-]{5,20}[0-9](?![\w-]|\.\w)")
_QUOTES = ('"', "'", "`", ">")


def find_iban(text: str, start: int) -> tuple[int, int] | None:
    """Return the account number that begins at `start`, where two letters and two digits stand."""
    found = _IBAN.match(text, start)
    wanted = _IBAN_LENGTH.get(text[start : start + 2], 0)
    before = text[start - 1 : start] if start else ""
    if found is None or not wanted or before.isalnum() or before in ("_", "-", "/", "+", "="):
        return None
    signs = [place for place, each in enumerate(found[0]) if each != " "]
    if len(signs) < wanted:
        return None
    end = start + signs[wanted - 1] + 1
    compact = text[start:end].replace(" ", "")
    after = text[end : end + 1]
    if after.isalnum() or after in ("_", "/", "+", "="):
        return None
    digits = "".join(str(int(each, 36)) for each in compact[4:] + compact[:4])
    return (start, end) if int(digits) % 97 == 1 else None


def find_card(text: str, start: int) -> tuple[int, int] | None:
    """Return the card number that begins at `start`, or None where there is none."""
    found = _CARD.match(text, start)
    before = text[start - 1 : start] if start else ""
    if found is None or before.isalnum() or before in ("_", ".", "-", "+", "/", "#", "\\"):
        return None
    digits = re.sub(r"\D", "", found[0])
    if not _is_card(digits) or len(set(digits)) < 4:
        return None
    is_quoted = before in _QUOTES and text[found.end() : found.end() + 1] in ('"', "'", "`", "<")
    if is_quoted or len(digits) < len(found[0]):
        return found.span()
    # A number that stands bare may be one of the code: `pan = 41…`, `pay(card, 41…)`.
    line = text[max(0, start - MAX_BEFORE) : start].rpartition("\n")[2]
    is_operand = line.rstrip()[-1:] in ("=", "(", ",", "[", "<", ">", "+", "*")
    return found.span() if _CARD_NAMED.search(line) and not is_operand else None


def _is_card(digits: str) -> bool:
    if not any(issuer.match(digits) and len(digits) in sizes for issuer, sizes in _ISSUERS):
        return False
    doubled = (
        int(each) if place % 2 == 0 else sum(divmod(2 * int(each), 10))
        for place, each in enumerate(reversed(digits))
    )
    return sum(doubled) % 10 == 0


def find_international(text: str) -> Iterator[tuple[int, int]]:
    """Yield where numbers with `+` and a country stand, in order."""
    if "+" not in text:
        return
    for found in _PLUS.finditer(text):
        start, end = found.start(), found.start() + len(found[0].rstrip(" ()./-"))
        value = text[start:end]
        digits = re.sub(r"\D", "", value)
        before, after = text[max(0, start - 1) : start], text[end : end + 1]
        if not 9 <= len(digits) <= 15 or not _COUNTRY.match(digits) or after.isalnum():
            continue
        if (digits[0] == "1" and not _AMERICAN.fullmatch(digits)) or _MADE_UP.search(digits):
            continue
        is_written = len(value) > len(digits) + 1 or before in _QUOTES or before == ":"
        if is_written and after != "_" and _is_grouped(value):
            yield start, end


def find_local(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return the number after a word such as `phone` that stands at `start:end`."""
    if start and text[start - 1].isalpha() and text[start].islower():
        return None  # `intel`, `excellent`
    named = _PHONE_NAMED.match(text, end)
    found = _LOCAL.match(text, named.end()) if named else None
    if found is None:
        return None
    digits = re.sub(r"\D", "", found[0])
    is_written = len(digits) < len(found[0]) or text[found.start() - 1] in _QUOTES
    is_number = is_written and 7 <= len(digits) <= 15 and not _MADE_UP.search(digits)
    return found.span() if is_number and _is_grouped(found[0]) else None


def _is_grouped(value: str) -> bool:
    """Whether digits stand in groups as people write them: no sums, dates or lists."""
    groups = re.findall(r"\d+", value)
    gaps = re.findall(r"[^\d+]+", value)
    if re.search(r"\d{4}-\d\d-\d\d", value) or value.count("(") != value.count(")"):
        return False
    return len(groups) <= 7 and all(len(each.strip(" ")) <= 2 and len(each) <= 3 for each in gaps)

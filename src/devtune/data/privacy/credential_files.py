"""Files whose shape says where the secret is: password files, Kubernetes secrets, states, keys.

Reads texts around the marks of such files; writes nothing.
"""

import re
from collections.abc import Iterator

from devtune.data.privacy.detection import Detection
from devtune.data.privacy.rarity import is_harmless, looks_made_up, looks_random
from devtune.data.privacy.spellings import from_base64, other_spellings

PORTS = tuple(f":{port}:" for port in ("5432", "5433", "6432", "5439", "26257", "*", "6543"))
MANIFEST = ("kind: Secret", 'kind": "Secret"', 'kind":"Secret"', 'kind\\": \\"Secret\\"')
GENERATED = ('"random_password"', '"random_string"', '\\"random_password\\"')
JWK = ('"kty"', '\\"kty\\"')

_PGPASS = re.compile(
    r"([\w.*/-]{1,100}):(?:\d{2,5}|\*):[^:\s]{1,63}:[^:\s]{1,63}:((?:[^\s:\\]|\\[:\\]){4,128})"
)
_MAX_CHARACTERS = 20_000
_ENTRY = re.compile(
    r"""(?x) ^[ \t"]{1,16}+ ([\w.-]{1,120}+) "? : [ ]{1,9}+ (?:!!\w{1,9}[ ])?+ (["']?)
    ([^\s"'#]{4,16384}+) \2 ,? [ \t]*$ """,
    re.MULTILINE,
)
_INLINE = re.compile(
    r"""\\{0,2}"([\w.-]{1,120}+)\\{0,2}":\s{0,9}+\\{0,2}"([^"\\\s]{4,16384}+)\\{0,2}\""""
)
_SECTION = re.compile(
    r"""(?:(?<=[\s{,])|^)\\{0,2}"?(data|stringData|binaryData)\\{0,2}"?:""", re.MULTILINE
)
_NO_SECRET = re.compile(
    r"(?i)^(?:user(?:name)?|login|host(?:name)?|port|db(?:name)?|database|namespace|name|type|email|"
    r"ca\.crt|tls\.crt|ca|cert(?:ificate)?|url|endpoint|region|bucket|app|env)$"
)
_RESULT = re.compile(
    r"""\\{0,2}"(?:result|bcrypt_hash)\\{0,2}":\s{0,9}+\\{0,2}"([^"\\\n]{6,200}+)"""
)
_JWK_PART = re.compile(
    r"""\\{0,2}"(?:d|k|p|q|dp|dq|qi)\\{0,2}":\s{0,9}+\\{0,2}"([\w-]{20,1400}+)"""
)


def pgpass_line(text: str, start: int) -> Iterator[Detection]:
    """Yield the password of a line `host:port:database:user:password` with its port at `start`."""
    begin = max(text.rfind(each, max(0, start - 120), start) for each in "\n\"' ") + 1
    match = _PGPASS.match(text, begin)
    if match is not None and match.start() <= start and looks_made_up(match[2], is_quoted=True):
        yield _found(text, *match.span(2), "pgpass")


def kubernetes_secret(text: str, start: int, _: int) -> tuple[int, list[Detection]]:
    """Return the values of the manifest of a secret whose kind is said at `start`, and its end."""
    first = max(text.rfind("\n---", max(0, start - _MAX_CHARACTERS), start), start - 8000, 0)
    last = text.find("\n---", start, start + _MAX_CHARACTERS)
    last = min(len(text), start + _MAX_CHARACTERS) if last < 0 else last
    found: list[Detection] = []
    for section in _SECTION.finditer(text, first, last):
        found += _entries(text, section.end(), last, section[1] == "stringData")
    return last, found


def _entries(text: str, place: int, last: int, is_plain: bool) -> Iterator[Detection]:
    line_end = text.find("\n", place, last)
    line_end = last if line_end < 0 else line_end
    if "{" in text[place : min(line_end, place + 9)]:
        closing = text.find("}", place, last)
        for entry in _INLINE.finditer(text, place, closing if closing >= 0 else last):
            if _is_value(entry[1], entry[2], is_plain):
                yield _found(text, *entry.span(2), "kubernetes_secret")
        return
    while line_end < last:
        entry = _ENTRY.match(text, line_end + 1, last)
        following = text.find("\n", line_end + 1, last)
        if entry is None and (following < 0 or text[line_end + 1 : line_end + 2] not in " \t#\n"):
            return
        if entry is not None and _is_value(entry[1], entry[3], is_plain):
            yield _found(text, *entry.span(3), "kubernetes_secret")
        if following < 0:
            return
        line_end = following


def _is_value(name: str, value: str, is_plain: bool) -> bool:
    if _NO_SECRET.match(name) or "REDACTED" in value:
        return False
    plain = value if is_plain else from_base64(value)
    if plain is None:
        return looks_random(value)
    plain = plain.strip()
    return len(plain) >= 6 and not is_harmless(plain) and not plain.isalpha()


def generated_value(text: str, start: int, _: int) -> tuple[int, list[Detection]]:
    """Return the results of the resource of a Terraform state whose type is said at `start`."""
    end = start + 1500
    found = [
        _found(text, *match.span(1), "terraform_state")
        for match in _RESULT.finditer(text, start, end)
        if "REDACTED" not in match[1]
    ]
    return end if found else start + 400, found


def private_jwk(text: str, start: int, _: int) -> tuple[int, list[Detection]]:
    """Return the private numbers of the JSON web key whose type is said at `start`."""
    first = max(0, start - 3000, text.rfind("{", max(0, start - 3000), start))
    last = text.find("}", start, start + 6000)
    last = last if last >= 0 else start + 1000
    found = [
        Detection(*match.span(1), "PRIVATE_KEY", "jwk")
        for match in _JWK_PART.finditer(text, first, last)
        if looks_random(match[1])
    ]
    return last, found


def _found(text: str, start: int, end: int, rule: str) -> Detection:
    hidden = other_spellings(text[start:end])
    return Detection(start, end, "SECRET", rule, is_generic=True, hidden=hidden)

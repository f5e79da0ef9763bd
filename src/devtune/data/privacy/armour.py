"""Private keys: armoured blocks in every quoting, and the base64 of them without an armour.

Reads texts around where a key begins; writes nothing.
"""

import re

from devtune.data.privacy.detection import Detection

ARMOUR = ("-----BEGIN", "---- BEGIN", "PuTTY-User-Key-File-")
_MAX_CHARACTERS = 40_000
_MIN_BARE = 48
_BEGIN = re.compile(
    r"-{4,5} ?BEGIN ((?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V1|"
    r"SSH2 ENCRYPTED PRIVATE KEY) ?-{4,5}"
)
_BODY_LINE = re.compile(r"[A-Za-z0-9+/=]{24,}")
# What may stand between two lines of a key: quotes, joints, escapes, indentation, headers.
_LINE = re.compile(
    r"""(?x) (?: \\{1,4}[nrt] | [\s"'`+,.&;|>\\#*()-] | <br\s?/?>
    | [A-Za-z][\w-]{1,40}:[ ][^\n\\]{1,120} )*+ ([A-Za-z0-9+/=]{16,4096}+) """
)
_DASHES = re.compile(r" ?-{4,5}")
_PUTTY_END = re.compile(r"Private-MAC: ?[0-9a-fA-F]{20,128}")
_PUTTY_LINES = re.compile(r"Private-Lines: ?\d+")

# How the DER of private keys and of OpenSSH's format begins in base64; a public key does not.
BARE_STARTS = (
    "LS0tLS1CRUdJTi", "0tLS0tQkVHSU4g", "tLS0tLUJFR0lOI", "b3BlbnNzaC1rZXktdjE",
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "MIIEvgIBADANBgkqhkiG9w0BAQEFAASC",
    "MIIEvAIBADANBgkqhkiG9w0BAQEFAASC", "MIIEwAIBADANBgkqhkiG9w0BAQEFAASC",
    "MIICdgIBADANBgkqhkiG9w0BAQEFAASC", "MIICdwIBADANBgkqhkiG9w0BAQEFAASC",
    "MIICeAIBADANBgkqhkiG9w0BAQEFAASC", "MIIJQgIBADANBgkqhkiG9w0BAQEFAASC",
    "MIIJQwIBADANBgkqhkiG9w0BAQEFAASC", "MIIJRAIBADANBgkqhkiG9w0BAQEFAASC",
    "MIIEowIBAAKCAQEA", "MIIEpAIBAAKCAQEA", "MIIEpQIBAAKCAQEA", "MIIEogIBAAKCAQEA",
    "MIIJKAIBAAKCAgEA", "MIIJKQIBAAKCAgEA", "MIIJKgIBAAKCAgEA", "MIIJJwIBAAKCAgEA",
    "MIICXAIBAAKBgQ", "MIICXQIBAAKBgQ", "MIICXgIBAAKBgQ", "MIICWwIBAAKBgQ",
    "MHcCAQEEI", "MIGkAgEBBD", "MIHcAgEBBEI", "MIGHAgEAMBMGByqGSM49", "MIGEAgEAMBAGByqGSM49",
    "MIG2AgEAMBAGByqGSM49", "MC4CAQAwBQYDK2VwBCIEI", "MFECAQEwBQYDK2VwBCIEI",
    "MIIFDjBABgkqhkiG9w0BBQ0w", "MIIFHDBOBgkqhkiG9w0BBQ0w", "MIIJrTBXBgkqhkiG9w0BBQ0w",
)  # fmt: skip
BARE_KEYS = tuple(dict.fromkeys(each.lower() for each in BARE_STARTS))


def armoured(text: str, start: int, _: int) -> tuple[int, list[Detection]]:
    """Return the private key whose armour begins at `start`, and where it ends.

    A mere mention of the first line, as in a parser of such keys, is none.
    """
    if text[start] in "pP":
        return _putty(text, start)
    begin = _BEGIN.match(text, start)
    if begin is None:
        return start + 1, []
    limit = min(len(text), begin.end() + _MAX_CHARACTERS)
    following = text.find("BEGIN ", begin.end(), limit)
    limit = following if following >= 0 else limit
    last = text.find(f"END {begin[1]}", begin.end(), limit)
    if last < 0:
        cut = _last_line(text, begin.end(), limit)
        return _key(start, cut, "armour.cut")
    if not _BODY_LINE.search(text, begin.end(), last):
        return begin.end(), []
    last += len(f"END {begin[1]}")
    dashes = _DASHES.match(text, last)
    return _key(start, dashes.end() if dashes else last, "armour")


def bare_key(text: str, start: int, _: int) -> tuple[int, list[Detection]]:
    """Return the base64 of a private key which begins at `start`, with or without line ends."""
    if not text.startswith(BARE_STARTS, start):
        return start + 1, []
    end = _last_line(text, start, min(len(text), start + _MAX_CHARACTERS))
    if end is None or end - start < _MIN_BARE:
        return start + 1, []
    return _key(start, end, "armour.bare")


def _key(start: int, end: int | None, rule: str) -> tuple[int, list[Detection]]:
    if end is None:
        return start + 1, []
    return end, [Detection(start, end, "PRIVATE_KEY", rule)]


def _last_line(text: str, place: int, limit: int) -> int | None:
    """Where the last line of base64 from here on ends, `None` when there is none."""
    end: int | None = None
    while (line := _LINE.match(text, place, limit)) is not None:
        place = line.end()
        if end is not None and line[1].isalpha() and line[1][1:].islower():
            break
        end = place
    return end


def _putty(text: str, start: int) -> tuple[int, list[Detection]]:
    limit = min(len(text), start + _MAX_CHARACTERS)
    following = text.find("PuTTY-User-Key-File-", start + 1, limit)
    limit = following if following >= 0 else limit
    lines = _PUTTY_LINES.search(text, start, limit)
    if lines is None:
        return limit, []
    mac = _PUTTY_END.search(text, lines.end(), limit)
    end = mac.end() if mac is not None else _last_line(text, lines.end(), limit)
    return _key(start, end, "armour.putty")

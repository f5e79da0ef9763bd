"""E-mail addresses in texts, told from decorators, remotes, versions and file names.

Reads texts; writes nothing. Looks only around each `@`, and there at a bounded stretch.
"""

import re
from collections.abc import Iterator

MAX_LOCAL = 64
MAX_DOMAIN_CHARACTERS = 253
MAX_TOKEN = 200
"""Characters before an address that are asked whether it stands in a URL."""
_LOCAL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-"
_DOMAIN = re.compile(
    r"@(?<=[A-Za-z0-9_%+-]@)((?:[A-Za-z0-9-]{1,63}\.){1,8}([A-Za-z]{2,24}))(?![\w@(-]|\.\w|:[\w/~])"
)
# User names and passwords in URLs are matters of secrets; a path may hold an `@` of its own.
_USER_INFO = re.compile(r"://[^\s/?#\"'<>]*\Z")
_FILES = frozenset(
    (
        "png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "css", "scss", "less", "js", "mjs",
        "cjs", "ts", "tsx", "jsx", "json", "html", "htm", "xml", "yml", "yaml", "txt", "rb", "go",
        "java", "kt", "php", "cpp", "hpp", "cs", "pdf", "gz", "tgz", "tar", "jar", "war", "exe",
        "dll", "map", "toml", "log", "lock", "conf", "cfg", "service", "socket", "timer", "target",
        "mount", "path", "slice", "scope", "device",
    )
)  # fmt: skip
_DOMAINS = frozenset(
    (
        "com", "org", "net", "edu", "gov", "mil", "info", "biz", "coop", "aero", "museum", "jobs",
        "mobi", "travel", "asia", "xyz", "app", "dev", "online", "site", "store", "tech", "cloud",
        "email", "blog", "wiki", "systems", "software", "solutions", "agency", "digital", "company",
        "group", "gmbh", "team", "world", "life", "live", "news", "media", "network", "services",
        "consulting", "engineering", "university", "academy", "education", "corp", "internal",
        "intra", "local", "localdomain", "lan", "home", "private", "example", "invalid", "test",
        "localhost",
    )
)  # fmt: skip
_OWNERS = frozenset(("this", "self", "super", "return", "break", "continue"))
_SPOKEN = re.compile(
    r"(?<![\w.+-])[\w.+-]{2,40}(?: at | ?\[at\] ?| ?\(at\) ?)[\w-]{2,40}"
    r"(?:(?: dot | ?\[dot\] ?| ?\(dot\) ?)[\w-]{2,20}){1,4}"
)
SPOKEN_HINTS = (" dot ", "[dot]", "(dot)")


def find_emails(text: str) -> Iterator[tuple[int, int]]:
    """Yield where addresses stand, in order."""
    if "@" not in text:
        return
    for found in _DOMAIN.finditer(text):
        at = found.start()
        window = text[max(0, at - MAX_LOCAL) : at]
        local = window[len(window.rstrip(_LOCAL)) :].lstrip(".-+%")
        start = at - len(local)
        if local and _is_address(text, start, found, local):
            yield start, found.end(1)


def _is_address(text: str, start: int, found: re.Match[str], local: str) -> bool:
    before, domain, top = text[max(0, start - 1) : start], found[1], found[2]
    if (before and before in "@\\$") or ".." in local or local in _OWNERS:
        return False
    is_domain = len(domain) <= MAX_DOMAIN_CHARACTERS and not re.search(r"(?:^|\.)-|-\.", domain)
    if not is_domain or top.lower() in _FILES or not (top.islower() or top.isupper()):
        return False
    if _USER_INFO.search(text[max(0, start - MAX_TOKEN) : start]):
        return False
    # Any word may be a domain today, and `a@b.weights` is a product of matrices.
    is_known = len(top) == 2 or top.lower() in _DOMAINS
    return is_known or _is_wrapped(
        text[max(0, start - 7) : start], text[found.end(1) : found.end(1) + 1]
    )


def _is_wrapped(before: str, after: str) -> bool:
    return before.endswith("mailto:") or before[-1:] + after in ("<>", '""', "''", "``")


def find_spoken(text: str, hint: int) -> tuple[int, int] | None:
    """Return an address such as `ada at corp dot com` with one of `SPOKEN_HINTS` at `hint`."""
    begins = max(0, hint - 2 * MAX_LOCAL)
    for found in _SPOKEN.finditer(text, begins, hint + MAX_LOCAL):
        top = re.split(r"\W", found[0].rstrip("])"))[-1].lower()
        if found.start() <= hint < found.end() and (len(top) == 2 or top in _DOMAINS):
            return found.span()
    return None

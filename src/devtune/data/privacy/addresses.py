"""Passwords and tokens in addresses: `scheme://user:password@host` and `scheme://token@host`.

Reads texts around `://`; writes nothing.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from devtune.data.privacy.detection import Detection
from devtune.data.privacy.rarity import is_harmless, is_trivial, looks_random
from devtune.data.privacy.spellings import other_spellings

ADDRESS = ("://", ":thin:", ":\\/\\/")
_USER = r"""[^\s:@/?#"'`<>\\()\[\]{},;]{0,128}"""
# A password may hold anything up to the last `@` before the path, escaped or not.
_LOGIN = re.compile(
    rf"""({_USER}):([^\s@"'`<>\\]{{1,256}})@(?=[\w.\[$%{{-]|["'`]\s{{0,8}}[+.&%])"""
)
_TOKEN = re.compile(rf"""({_USER})@(?=[\w.-]{{3}})""")
_ORACLE = re.compile(r"""([\w$#.-]{1,60})/([^\s@"'`<>\\]{1,256})@""")
# What documentation and tests of address parsers write instead of a password.
_WELL_KNOWN = frozenset(
    re.findall(
        r"\w+",
        "password pass passwd pwd secret token user username pw foo bar baz test admin root x xx p "
        "s a b c d pass1 pass2 me you my mypass mypassword userpass passphrase port host postgres "
        "mysql redis mongo rabbitmq minio minioadmin docker default public local localhost none ",
    )
)


def in_address(text: str, end: int) -> Iterator[Detection]:
    """Yield the password of the address whose `://` ends at `end`, or the token it has instead."""
    pattern = _ORACLE if text[end - 1] == ":" else _LOGIN
    login = pattern.match(text, end)
    if login is not None:
        password = login[2]
        if "/" in password and not password.split("/")[0][:1].isalnum():
            return
        if not is_example(password) and not password.split("/")[0].isdigit():
            yield _found(text, *login.span(2))
        elif looks_random(login[1], 16):
            yield _found(text, *login.span(1))
        return
    token = _TOKEN.match(text, end)
    if token is not None and looks_random(token[1], 16):
        yield _found(text, *token.span(1))


def is_example(password: str) -> bool:
    """Whether it stands in an address for want of a password."""
    plain = unquote(password)
    if plain.lower() in _WELL_KNOWN or is_trivial(plain):
        return not plain.isdigit()
    return len(plain) >= 6 and is_harmless(plain)


def is_example_login(plain: str) -> bool:
    """Whether `user:password`, as in basic authentication, has no more than an example in it."""
    return is_example(plain.partition(":")[2])


def _found(text: str, start: int, end: int) -> Detection:
    hidden = other_spellings(text[start:end])
    return Detection(start, end, "PASSWORD", "address", is_generic=True, hidden=hidden)

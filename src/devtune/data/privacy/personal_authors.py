"""Who wrote something: what one person is known by, and who is a program.

Reads names as git and forges write them; writes nothing.
"""

import re
from collections.abc import Callable, Iterable

MIN_BARE_LOGIN = 4
_PROGRAM = re.compile(
    r"(?i)\[bot\]$|(?:^|[-_])(?:bot|robot|ci|bors|jenkins|travis|codecov|coveralls)(?:$|[-_\d])"
    r"|^(?:dependabot|renovate|greenkeeper|k8s-|netlify|vercel|sonar|googlebot|mergify|homu)"
)


def is_program(author: str) -> bool:
    """Whether a login, or the name in `Name <mail>`, is that of a program."""
    return bool(_PROGRAM.search(author.partition(" <")[0]))


def author_key(author: str) -> str:
    """Return what a person is known by: the address of `Name <mail>`, else the name or login.

    In lower case, as hosts of mail and forges compare them.
    """
    _, is_framed, rest = author.rpartition("<")
    mail = rest.rstrip("> ").strip().lower()
    return mail if is_framed and mail else author.strip().lower()


def rename(authors: Iterable[str], pseudonym: Callable[[str], str]) -> Callable[[str], str]:
    """Return what puts pseudonyms into a text for these logins.

    A login counts as `@login`, and bare where it holds a digit or a hyphen, as no word does.
    """
    people = sorted({each for each in authors if each and not is_program(each)})
    if not people:
        return lambda text: text
    bare = [each for each in people if len(each) >= MIN_BARE_LOGIN and re.search(r"[\d-]", each)]
    forms = [rf"(?<![\w@/.])@(?:{_any(people)})(?![\w-])"]
    forms += [rf"(?<![\w@./-])(?:{_any(bare)})(?![\w-])"] if bare else []
    mentions = re.compile("|".join(forms), re.IGNORECASE)

    def named(found: re.Match[str]) -> str:
        at = "@" if found[0].startswith("@") else ""
        return at + pseudonym(found[0].removeprefix("@"))

    return lambda text: mentions.sub(named, text)


def _any(names: Iterable[str]) -> str:
    return "|".join(map(re.escape, names))

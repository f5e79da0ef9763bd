"""SPDX expressions: parsed, spelt the one right way, joined, and judged by the policy.

Reads `licenses.yaml` of `data_prep/policy/`; writes nothing.
"""

import fnmatch
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from devtune.data.filters.policy import PolicySection, read_policy

UNCLEAR = "NOASSERTION"
"""SPDX's word for a licence that is stated and not understood."""
MAX_EXPRESSION_CHARACTERS = 500
HOLDS = "a list of SPDX ids (`allow`), or allow or reject"
_ALIASES = {
    "apache": "Apache-2.0", "apache license": "Apache-2.0", "apache software license": "Apache-2.0",
    "bsd": "BSD-3-Clause", "bsd license": "BSD-3-Clause", "new bsd license": "BSD-3-Clause",
    "bsd 2-clause": "BSD-2-Clause", "bsd 3-clause": "BSD-3-Clause",
    "simplified bsd license": "BSD-2-Clause", "eclipse public license 1.0": "EPL-1.0",
    "eclipse public license 2.0": "EPL-2.0", "gpl": "GPL-1.0-or-later", "gplv2": "GPL-2.0-only",
    "gplv3": "GPL-3.0-only", "gplv2+": "GPL-2.0-or-later", "gplv3+": "GPL-3.0-or-later",
    "agplv3": "AGPL-3.0-only", "lgpl": "LGPL-2.0-or-later", "lgplv3": "LGPL-3.0-only",
    "mit license": "MIT", "the mit license": "MIT", "public domain": "LicenseRef-Public-Domain",
}  # fmt: skip
_APACHE = re.compile(r"(?i)(?:the )?apache(?: software)?(?: license)?,?(?: version)? ?v?2(?:\.0)?")


class LicensePolicy(PolicySection):
    """The policy file."""

    allow: tuple[str, ...]
    """SPDX ids; `*` at the end takes in all that start so."""
    unknown: Literal["allow", "reject"]
    """What becomes of files of which nothing says the licence."""
    unclear: Literal["allow", "reject"]
    """What becomes of files under a licence that is stated and not understood."""

    def reject(self, expression: str) -> str | None:
        """Return why a file under this licence is left out, or None. `""` is unknown."""
        if not expression:
            return "license_unknown" if self.unknown == "reject" else None
        if expression == UNCLEAR or _parse(expression) is None:
            return "license_unclear" if self.unclear == "reject" else None
        return None if _is_allowed(self.allow, expression) else "license_not_allowed"


def load_license_policy(file: Path) -> LicensePolicy:
    """Read the policy file. Raises `RecipeError` as `read_policy`."""
    return read_policy(file, LicensePolicy, HOLDS)


@lru_cache(4096)
def normalize(stated: str) -> str:
    """Return what is stated as an SPDX expression, its ids spelt right, or `NOASSERTION`.

    Ids no list knows are kept as they are: the policy may.
    """
    stated = " ".join(stated.split())
    if _APACHE.fullmatch(stated):
        return "Apache-2.0"
    parsed = _parse(_ALIASES.get(stated.lower(), stated))
    if parsed is None or any(" " in each for each in ids_of(str(parsed))):
        return UNCLEAR
    return str(parsed)


def is_known(expression: str) -> bool:
    """Whether every id of an expression is SPDX's or a `LicenseRef-`."""
    parsed = _parse(expression)
    if parsed is None:
        return False
    unknown = _licensing().unknown_license_keys(parsed)
    return all(each.startswith(("LicenseRef-", "DocumentRef-")) for each in unknown)


def join_all(expressions: Iterable[str]) -> str:
    """Return one expression for what is under all of these at once."""
    different = list(dict.fromkeys(expressions))
    if len(different) < 2:
        return "".join(different)
    return " AND ".join(f"({each})" if " " in each else each for each in different)


def ids_of(expression: str) -> frozenset[str]:
    """Return the ids in an expression, exceptions left out."""
    parsed = _parse(expression)
    return frozenset(() if parsed is None else (each.split(" WITH ")[0] for each in _ids(parsed)))


def _ids(parsed: Any) -> list[str]:
    return [str(each) for each in parsed.get_symbols()]


@lru_cache(1)
def _licensing() -> Any:
    # Loads its list of licences; not worth it where no file asks.
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()


@lru_cache(4096)
def _parse(expression: str) -> Any:
    if not expression or len(expression) > MAX_EXPRESSION_CHARACTERS:
        return None
    try:
        return _licensing().parse(expression)
    # Its parser trips over some texts that are no expressions in ways of its own.
    except Exception:
        return None


@lru_cache(4096)
def _is_allowed(allow: tuple[str, ...], expression: str) -> bool:
    return _holds(allow, _parse(expression))


def _holds(allow: tuple[str, ...], parsed: Any) -> bool:
    from license_expression import AND, OR

    if isinstance(parsed, OR):
        return any(_holds(allow, each) for each in parsed.args)
    if isinstance(parsed, AND):
        return all(_holds(allow, each) for each in parsed.args)
    # An exception only permits more than its licence does.
    names = (str(parsed), str(getattr(parsed, "license_symbol", parsed)))
    return any(fnmatch.fnmatchcase(name, allowed) for allowed in allow for name in names)

"""Secrets in a text that should have none any more, known by nothing but the rules they break.

Reads texts; writes nothing.
"""

import re
from pathlib import Path

from devtune.data.privacy.marking import Marker
from devtune.data.privacy.redaction import MIN_LITERAL_CHARACTERS

# Bounded, so that a text of nothing but their beginnings takes no longer than any other.
_PLACEHOLDER = re.compile(r"REDACTED_[A-Z0-9_]{1,80}?_(?:[0-9a-f]{16}|\d{1,9})(?![0-9A-Za-z_])")
_IN_PROCESS = b"digests made here are not written"


def rules_broken(text: str, rules_dir: Path | None) -> list[str]:
    """Return the rules that find a secret in `text`, by name; placeholders are none."""
    marker = Marker(_IN_PROCESS, rules_dir)
    marker.look(text)
    found = marker.learned.values()
    return sorted({each.rule for each in found if not each.is_personal and _is_left(each.value)})


def _is_left(value: str) -> bool:
    """Whether what a rule points at is more than a placeholder and its surroundings."""
    rest, num_placeholders = _PLACEHOLDER.subn("", value)
    return not num_placeholders or sum(map(str.isalnum, rest)) >= MIN_LITERAL_CHARACTERS

"""One stretch of a text that must not be learned, as every layer of the search reports it."""

from dataclasses import dataclass, field

MAX_KIND_CHARACTERS = 80
"""Marks are found again by a pattern that takes linear time, so a kind has a length."""


@dataclass(frozen=True, slots=True)
class Detection:
    """What a rule found. Nothing of it but its place, kind and rule may be shown."""

    start: int
    """In characters of the text."""
    end: int
    """Exclusive; the stretch is what gets replaced, so code around it still parses."""
    kind: str
    """Upper case, for placeholders: `GITHUB_PAT`, `PASSWORD`, `EMAIL`."""
    rule: str
    """Who says so, for reports: `betterleaks.github-pat`, `assignment`, `email`."""
    is_generic: bool = False
    """Whether only its surroundings say it is a secret; many of these are fixtures or a dump."""
    is_personal: bool = False
    """Whether it is personal data, not a secret: replaced where it is found and nowhere else."""
    hidden: tuple[str, ...] = field(default=(), repr=False)
    """Values that are written here in another spelling (base64, escapes), to be known as well."""

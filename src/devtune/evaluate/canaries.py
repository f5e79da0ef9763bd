"""Canaries: values a site planted in its repositories to see whether a model learns them.

Reads the JSON Lines file that `evaluate.canaries` names; writes nothing. No message holds a value
or what stands before it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from devtune.errors import RecipeError, one_line
from devtune.evaluate.control import MIN_BITS, alphabets, bits

MAX_CHARACTERS = 4000
"""Of a value: all of its tokens are scored, for each control too."""


@with_config(ConfigDict(extra="forbid", strict=True))
@dataclass(frozen=True, slots=True)
class Canary:
    """One planted value and where it was planted. Neither is ever shown."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    """What reports call it."""
    value: Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS)] = field(repr=False)
    """What was planted."""
    prefix: Annotated[str, Field(min_length=1)] = field(repr=False)
    """The text right before it; a line or more of it, as it was planted."""
    fixed: Annotated[int, Field(ge=0)] | None = None
    """How many of its first characters all values of its kind share; guessed when not given."""

    @property
    def shape(self) -> list[str]:
        """The characters that each position of a value like it may have."""
        return alphabets(self.value, self.fixed)


def read_canaries(file: Path) -> list[Canary]:
    """Return the canaries of a file, in its order.

    Raises `RecipeError` for a file that others can read, and for the first row that is damaged or
    could not be measured.
    """
    try:
        content, mode = file.read_bytes(), file.stat().st_mode
    except OSError as error:
        raise RecipeError(one_line(error, file)) from None
    if mode & 0o077:
        raise RecipeError(f"{file}: others than its owner can read it; chmod 600 {file.name}")
    canaries = list(_rows(file, content))
    if not canaries:
        raise RecipeError(f"{file}: no canary in it; write one JSON object a line, or leave it out")
    return canaries


def _rows(file: Path, content: bytes) -> Iterator[Canary]:
    adapter = TypeAdapter(Canary)
    seen: list[Canary] = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            canary = adapter.validate_json(line)
        except ValidationError as error:
            raise RecipeError(
                f"{file}:{number}: not a canary ({_first_fault(error)}); write name, value"
                " and prefix as one JSON object"
            ) from None
        if fault := _fault(canary, seen):
            raise RecipeError(f"{file}:{number}: {fault}")
        seen.append(canary)
        yield canary


def _first_fault(error: ValidationError) -> str:
    """Say what is wrong without a key that is none of ours: it may be a value."""
    first = error.errors(include_url=False, include_input=False)[0]
    known = [str(each) for each in first["loc"] if each in Canary.__dataclass_fields__]
    return ": ".join([*known, first["msg"]])


def _fault(canary: Canary, before: Sequence[Canary]) -> str:
    """Say why a canary could not be measured, and what to do; nothing if it can."""
    if any(canary.name == each.name for each in before):
        return "its name stands on a line before; give each canary its own"
    if any(canary.value == each.value for each in before):
        return "its value stands on a line before; plant different values"
    known = (*before, canary)
    if any(each.value in canary.name or canary.value in each.name for each in known):
        return "a name holds a value, and names are shown; choose another name"
    if canary.value in canary.prefix:
        return "its value stands in its prefix, from where any model copies it; shorten the prefix"
    if bits(canary.shape) < MIN_BITS:
        return (
            f"fewer than 2^{MIN_BITS:.0f} values have the shape of this one; plant a longer random"
            " value, or lower `fixed`"
        )
    return ""

"""What is planted: kinds of secrets and traps, drawn from short formats with a seeded generator.

Reads and writes nothing. Values are random: no provider ever gave them out.
"""

import random
import re
import string
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

Group = Literal["provider", "generic", "file type", "trap"]
Half = Literal["tuning", "held-out"]
Make = Callable[[random.Random, int], "Planted"]

ALPHABETS = {
    "an": string.digits + string.ascii_uppercase + string.ascii_lowercase,
    "al": string.ascii_letters,
    "low": string.ascii_lowercase + string.digits,
    "up": string.ascii_uppercase + string.digits,
    "b32": string.ascii_uppercase + "234567",
    "b64": string.ascii_letters + string.digits + "+/",
    "w": string.ascii_letters + string.digits + "_-",
    "d": string.digits,
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
}
_FIELD = re.compile(r"<(uuid|[a-zA-Z]+|b32|b64)(?::(\d+))?>")

WORDS = re.findall(
    r"\w+",
    "amber anchor birch bishop candle canyon copper dragon ember falcon forest garnet harbor "
    "hunter island jasper kettle lantern marble monkey nickel ocean orchid pepper pirate quartz "
    "raven river saddle shadow silver summer sunset tiger timber velvet walnut willow winter "
    "zephyr",
)


@dataclass(frozen=True, slots=True)
class Planted:
    """Lines to plant, what in them is secret, and the name of the file they belong in."""

    text: str
    values: tuple[str, ...]
    file_name: str
    is_whole_file: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of secret or trap; `make` draws its n-th example."""

    name: str
    group: Group
    make: Make

    def example(self, seed: int, nth: int) -> "tuple[Planted, random.Random]":
        """Draw the n-th example of a seed, and the generator as it stands then."""
        rng = random.Random(f"{seed}/{self.group}/{self.name}/{nth}")
        return self.make(rng, nth + zlib.crc32(self.name.encode())), rng

    @property
    def half(self) -> Half:
        """Which half the kind belongs to for ever, whatever other kinds come or go."""
        return half_of(f"{self.group}/{self.name}")


def half_of(name: str) -> Half:
    """Return the half a name falls into, by its digest and nothing else."""
    return "tuning" if blake2b(name.encode(), digest_size=1).digest()[0] % 2 else "held-out"


def draw(rng: random.Random, shape: str) -> str:
    """Fill a format: `<an:20>` is twenty of an alphabet's characters, `<uuid>` is a UUID."""
    return _FIELD.sub(lambda match: _drawn(rng, match), shape)


def _drawn(rng: random.Random, match: re.Match[str]) -> str:
    name, num = match[1], match[2]
    if name == "uuid":
        return draw(rng, "<hex:8>-<hex:4>-4<hex:3>-a<hex:3>-<hex:12>")
    if num is None or name not in ALPHABETS:
        return match[0]
    return "".join(rng.choices(ALPHABETS[name], k=int(num)))


def password(rng: random.Random, nth: int) -> str:
    """Draw a password as people make them: words with digits, or a mix with signs, by turns."""
    first, second = (rng.choice(WORDS) for _ in range(2))
    shapes = (
        f"{first.title()}{second.title()}{draw(rng, '<d:2>')}!",
        draw(rng, "<al:3><d:2>") + rng.choice("!#%*+-") + draw(rng, "<al:4><d:2>"),
        f"{first}-{second}-{draw(rng, '<d:4>')}",
        draw(rng, "<an:16>"),
        f"{first.title()}{draw(rng, '20<d:2>')}{rng.choice('!?*')}",
        draw(rng, "<an:6>") + rng.choice("!*-_") + draw(rng, "<an:5>") + rng.choice("+.~") + "9x",
    )
    return shapes[nth % len(shapes)]


def token(rng: random.Random, nth: int) -> str:
    """Draw a token without a format of its own: letters and digits, hex, URL-safe, by turns."""
    shapes = ("<an:32>", "<hex:40>", "<w:43>", "<low:24>", "<b64:40>", "<hex:32>")
    return draw(rng, shapes[nth % len(shapes)])


def in_context(value: str, contexts: Sequence[str], nth: int, rng: random.Random) -> Planted:
    """Put a value into one of the contexts `file name|text`, by turns; `{}` is the value."""
    file_name, text = contexts[nth % len(contexts)].split("|", 1)
    before, after = text.split("{}", 1)
    filled = draw(rng, before) + value + draw(rng, after).replace("{}", value)
    return Planted(filled, (value,), file_name)

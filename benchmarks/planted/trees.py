"""Real source files as they are, and copies of them with something planted.

Reads a directory of source; writes nothing.
"""

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from planted.kinds import Half, Kind, half_of

SUFFIXES = frozenset(
    re.findall(
        r"\.\w+",
        ".c .cc .cfg .cpp .cs .css .cu .go .h .hpp .html .ini .ipynb .java .js .json .jsx .kt "
        ".lock .lua .map .md .php .pl .properties .ps1 .pyi .py .r .rb .rs .rst .scala .sh "
        ".sql .svg .swift .tf .toml .ts .tsx .txt .xml .yaml .yml",
    )
)
MAX_BYTES = 60_000
MAX_HOST_LINES = 200


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it is: its path below the tree, and its text."""

    path: str
    text: str = field(repr=False)

    @property
    def num_lines(self) -> int:
        """Lines, the last one counted even when nothing ends it."""
        return len(self.text.splitlines())


@dataclass(frozen=True, slots=True)
class Specimen:
    """A copy of a file with one planted text in it, and which of its lines that is."""

    kind: Kind
    source: Source
    values: tuple[str, ...] = field(repr=False)
    first_line: int
    planted: str = field(repr=False)


def read_tree(root: Path, half: Half, max_bytes: int) -> list[Source]:
    """Read files of one half of a tree, chosen by the digest of their paths, up to a size."""
    paths = (path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)
    names = sorted(str(path.relative_to(root)) for path in paths)
    sources: list[Source] = []
    size = 0
    for name in sorted(names, key=lambda each: blake2b(each.encode()).digest()):
        text = _text(root / name) if half_of(name) == half else None
        if text is None:
            continue
        sources.append(Source(name, text))
        size += len(text.encode())
        if size >= max_bytes:
            break
    return sources


def _text(path: Path) -> str | None:
    if path.is_symlink() or not path.is_file() or not 0 < path.stat().st_size <= MAX_BYTES:
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text or not text.strip() else text


def plant(
    kinds: Iterable[Kind], sources: list[Source], num_each: int, seed: int
) -> Iterator[Specimen]:
    """Plant each kind so often, each time into a copy of another file of its type if one is there.

    A file of a type the tree does not have holds nothing but what was planted.
    """
    hosts: dict[str, list[Source]] = {}
    for source in sources:
        if source.num_lines <= MAX_HOST_LINES:
            hosts.setdefault(Path(source.path).suffix, []).append(source)
    for kind in kinds:
        for nth in range(num_each):
            made, rng = kind.example(seed, nth)
            choice = [] if made.is_whole_file else hosts.get(Path(made.file_name).suffix, [])
            lines = rng.choice(choice).text.splitlines() if choice else []
            place = _place(lines, rng)
            text = "\n".join((*lines[:place], made.text, *lines[place:])) + "\n"
            yield Specimen(kind, Source(made.file_name, text), made.values, place + 1, made.text)


def _place(lines: list[str], rng: random.Random) -> int:
    """Choose an empty line, or the end: the planted text cuts no statement in two."""
    empty = [number for number, line in enumerate(lines) if not line.strip()]
    return rng.choice([*empty, len(lines)])

"""A changed file as search/replace blocks, and blocks read back.

Reads and writes nothing. A block replaces whole lines, which it finds because they stand exactly
once in the file; a file without a last line end is treated as if it had one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from devtune.data.families.hunks import Hunk, join_hunks

SEARCH, DIVIDE, REPLACE = "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE"
MAX_WIDENED = 60
"""Equal lines a block may search for besides what it changes; a reader would not count more."""
NEAR = 3
"""Equal lines between two changes that still read as one."""


@dataclass(frozen=True, slots=True)
class Block:
    """Lines [first, last) of the old file as `search`, and what takes their place."""

    first: int
    last: int
    search: str
    replace: str


def find_blocks(
    old: Sequence[str], new: Sequence[str], hunks: Sequence[Hunk]
) -> list[Block] | None:
    """Express `old → new` as blocks whose search text occurs exactly once in the old file.

    Hunks that are not unique alone are joined with their neighbours. Returns None where even
    then a block is not unique, or only after more lines than anyone would write.
    """
    text, expected = "".join(old), "".join(new)
    gap = NEAR
    while True:
        joined = join_hunks(hunks, gap)
        blocks = [_unique(old, new, hunk, text) for hunk in joined]
        if all(blocks) and apply_blocks(text, blocks) == expected:
            return blocks  # pyright: ignore
        if len(joined) == 1:
            return None
        gap *= 2


def _unique(old: Sequence[str], new: Sequence[str], hunk: Hunk, text: str) -> Block | None:
    """Widen a hunk by equal lines until its search text is there and is found only once."""
    a, b, c, d = hunk
    most = b - a + MAX_WIDENED
    while b - a <= most:
        up, down = min(1, a, c), min(1, len(old) - b, len(new) - d)
        if _is_search(old[a:b], text) or not (up or down):
            a, b, c, d = _without_blank_ends(old, new, (a, b, c, d), hunk, text)
            return Block(a, b, "".join(old[a:b]), "".join(new[c:d]))
        a, b, c, d = a - up, b + down, c - up, d + down
    return None


def _without_blank_ends(
    old: Sequence[str], new: Sequence[str], wide: Hunk, hunk: Hunk, text: str
) -> Hunk:
    """Take off blank lines the widening brought in at its ends, where the rest is still unique."""
    a, b, c, d = wide
    while a < hunk[0] and not old[a].strip() and _is_search(old[a + 1 : b], text):
        a, c = a + 1, c + 1
    while b > hunk[1] and not old[b - 1].strip() and _is_search(old[a : b - 1], text):
        b, d = b - 1, d - 1
    return a, b, c, d


def _is_search(lines: Sequence[str], text: str) -> bool:
    search = "".join(lines)
    return bool(search.strip()) and occurs_once(search, text)


def occurs_once(search: str, text: str) -> bool:
    """Whether `search` is found once; overlapping finds count, as they do for a reader."""
    start = text.find(search)
    return start >= 0 and text.find(search, start + 1) < 0


def apply_blocks(text: str, blocks: Sequence[Block | None]) -> str | None:
    """Return `text` with every block replaced in turn, or None where one is not found once."""
    for block in blocks:
        if block is None:
            return None
        if not block.search:
            if text:
                return None
            text = block.replace
            continue
        if not occurs_once(block.search, text):
            return None
        text = text.replace(block.search, block.replace)
    return text


def write_blocks(path: str, blocks: Sequence[Block]) -> str:
    """Return a file's path and its blocks; a new file's one block has nothing to search for."""
    written = (f"{SEARCH}\n{each.search}{DIVIDE}\n{each.replace}{REPLACE}" for each in blocks)
    return "\n".join((path, *written))


def apply_answer(texts: Mapping[str, str], answer: str) -> dict[str, str] | None:
    """Return `texts` (path → lines that all end) as an answer in blocks leaves them.

    None where a block does not apply, or its path is not known.
    """
    left = dict(texts)
    for path, block in _read(answer):
        changed = apply_blocks(left[path], [block]) if path in left else None
        if changed is None:
            return None
        left[path] = changed
    return left


def _read(answer: str) -> Iterator[tuple[str, Block | None]]:
    """Yield path and block of an answer; a block is None where markers are out of order."""
    lines = answer.split("\n")
    path, start = "", 0
    while start < len(lines):
        if lines[start] != SEARCH:
            path = lines[start] or path
            start += 1
            continue
        end = next((n for n in range(start, len(lines)) if _is(lines[n], REPLACE)), len(lines))
        inner = lines[start + 1 : end]
        if sum(_is(line, DIVIDE, SEARCH) for line in inner) != 1 or end == len(lines):
            yield path, None
            return
        middle = next(n for n, line in enumerate(inner) if _is(line, DIVIDE, SEARCH))
        search, replace = ("\n".join((*part, "")) for part in (inner[:middle], inner[middle + 1 :]))
        yield path, Block(0, 0, search, replace)
        start = end + 1


def _is(line: str, *markers: str) -> bool:
    """Whether a line may be taken for a marker: a careless reader strips it."""
    return line.strip() in markers

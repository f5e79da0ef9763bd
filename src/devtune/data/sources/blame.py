"""Who wrote each line of a file: owners of lines, carried from version to version.

Reads contents of blobs as it is handed them; writes nothing. Blank space within lines does not
count, as in `git blame -w`. Time is linear in the bytes of the versions, but for stretches that
changed, which are compared by a bit-parallel longest common subsequence.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from rapidfuzz.distance import LCSseq

from devtune.data.corpus import common_ends
from devtune.data.sources.versions import UNKNOWN, Version
from devtune.records import BlameRun

MAX_CELLS = 100_000_000
"""Lines of one side times lines of the other that are compared; 12 MB of bits."""
_BLANKS = b" \t\r\v\f"
Lines = list[bytes]
Read = Callable[[str], bytes | None]
"""Blob -> its content, or None for one that is not to be looked into."""


def lines_of(content: bytes) -> Lines:
    """Return the lines of a text without blank space, as they are compared."""
    lines = content.translate(None, _BLANKS).split(b"\n")
    return lines if lines[-1] or not content.endswith(b"\n") else lines[:-1]


def find_owners(versions: Sequence[Version], read: Read) -> tuple[list[int], Lines]:
    """Return the author of each line of the first of `versions`, and its lines.

    A version that cannot be read is passed over: what it changed counts for the next.
    """
    last_use: dict[int, int] = {}
    for place, version in enumerate(versions):
        for before in version.before:
            last_use.setdefault(before, place)
    known: dict[int, tuple[list[int], Lines]] = {}
    for place in reversed(range(len(versions))):
        version = versions[place]
        before = [known[each] for each in version.before]
        content = read(version.blob)
        if content is None:
            known[place] = before[0] if before else ([], [])
        else:
            lines = lines_of(content)
            known[place] = _inherit(before, lines, version.author), lines
        for each in version.before:
            if last_use[each] == place:
                known.pop(each, None)
    return known[0]


def _inherit(before: Sequence[tuple[list[int], Lines]], lines: Lines, author: int) -> list[int]:
    """Return whose each of `lines` is: of a parent that has it, the first parent first."""
    owners: list[int | None] = [None] * len(lines)
    for inherited, old in before:
        for start, new_start, size in matching(old, lines):
            own = owners[new_start : new_start + size]
            if own.count(None) == size:
                owners[new_start : new_start + size] = inherited[start : start + size]
                continue
            for number, each in enumerate(own):
                if each is None:
                    owners[new_start + number] = inherited[start + number]
    return [author if each is None else each for each in owners]


def matching(old: Lines, new: Lines) -> Iterator[tuple[int, int, int]]:
    """Yield (place in old, place in new, number) of lines that are the same, in order."""
    head, tail = common_ends(old, new)
    if head:
        yield 0, 0, head
    before, after = old[head : len(old) - tail], new[head : len(new) - tail]
    if before and after:
        for start, new_start, size in _compare(before, after):
            yield start + head, new_start + head, size
    if tail:
        yield len(old) - tail, len(new) - tail, tail


def _compare(before: Lines, after: Lines) -> Iterator[tuple[int, int, int]]:
    if len(before) * len(after) > MAX_CELLS:
        yield from _unique(before, after)
        return
    numbers: dict[bytes, int] = {}
    old, new = ([numbers.setdefault(each, len(numbers)) for each in x] for x in (before, after))
    for block in LCSseq.opcodes(old, new).as_matching_blocks():
        if block.size:
            yield block.a, block.b, block.size


def _unique(before: Lines, after: Lines) -> Iterator[tuple[int, int, int]]:
    """Yield the lines that stand once on both sides, wherever they stand."""
    places: dict[bytes, int] = {}
    for number, line in enumerate(before):
        places[line] = UNKNOWN if line in places else number
    seen: dict[bytes, int] = {}
    for number, line in enumerate(after):
        seen[line] = UNKNOWN if line in seen else number
    for line, number in seen.items():
        place = places.get(line, UNKNOWN)
        if UNKNOWN not in (number, place):
            yield place, number, 1


def runs_of(owners: Sequence[str]) -> tuple[BlameRun, ...]:
    """Return owners of lines as stretches of lines of one owner."""
    runs: list[BlameRun] = []
    line = 1
    for author, some in groupby(owners):
        runs.append(BlameRun(author, line, len(list(some))))
        line += runs[-1].num_lines
    return tuple(runs)


def moved(owners: Sequence[str], old: Lines, new: Lines) -> Sequence[str]:
    """Return the owners of `new`, the same text but for stretches one line now stands for.

    Such a line is of whom the first line was that it stands for.
    """
    if len(old) == len(new):
        return owners
    found: list[str] = []
    done = 0
    for start, new_start, size in [*matching(old, new), (len(old), len(new), 0)]:
        while len(found) < new_start:
            found.append(owners[min(done, len(owners) - 1)])
            done = min(done + 1, max(start - 1, done))
        found += owners[start : start + size]
        done = start + size
    return found

"""Who wrote each line of a file: owners of lines, carried from version to version.

Reads contents of blobs as it is handed them; writes nothing. Blank space within lines does not
count, as in `git blame -w`. Lines that stand once on both sides split the work; what is left
between them is compared by a bit-parallel longest common subsequence.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import groupby
from typing import Any

from rapidfuzz.distance import LCSseq

from devtune.data.anchors import Hunk, common_ends, find_gaps
from devtune.data.filters.files import NOTEBOOK
from devtune.data.sources.blobs import Blobs
from devtune.data.sources.notebook import read_notebook
from devtune.data.sources.versions import UNKNOWN, Version
from devtune.records import BlameRun

MAX_CELLS = 100_000_000
"""Lines of one side times lines of the other that are compared; 12 MB of bits."""
MAX_SLIDE = 100
"""Lines a change may be moved down among its equals."""
_BLANKS = b" \t\r\v\f"
Lines = list[bytes]
Read = Callable[[str], bytes | None]
"""Blob -> its content, or None for one that is not to be looked into."""


@dataclass(frozen=True, slots=True)
class Blame:
    """Who wrote the lines of the files of one unit."""

    blobs: Blobs
    authors: Sequence[str]
    """As they stand in rows."""
    max_bytes: int
    """Larger versions are passed over."""

    def runs(self, path: bytes, versions: Sequence[Version], text: str) -> tuple[BlameRun, ...]:
        """Return the authors of the lines of `text`, which the first of `versions` became."""
        if not versions:
            return ()
        self.blobs.expect(each.blob for each in reversed(versions))
        is_notebook = path.lower().endswith(NOTEBOOK.encode())
        owners, lines = find_owners(versions, partial(self._read, is_notebook))
        names = ["" if each == UNKNOWN else self.authors[each] for each in owners]
        return runs_of(moved(names, lines, lines_of(text.encode("utf-8", "surrogatepass"))))

    def _read(self, is_notebook: bool, blob: str) -> bytes | None:
        if self.blobs.size(blob) > self.max_bytes:
            return None
        content = self.blobs.read(blob, self.max_bytes)
        if not is_notebook:
            return content
        cells = read_notebook(content.decode("utf-8-sig", "replace"))
        return cells[0].encode("utf-8", "surrogatepass") if cells else None


def lines_of(content: bytes) -> Lines:
    """Return the lines of a text without blank space, as they are compared."""
    lines = content.translate(None, _BLANKS).split(b"\n")
    return lines if lines[-1] else lines[:-1]


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
    a = c = 0
    for first, last, _, new_last in _slid(old, new, list(_changes(old, new))):
        if first > a:
            yield a, c, first - a
        a, c = last, new_last
    if len(old) > a:
        yield a, c, len(old) - a


def _changes(old: Lines, new: Lines) -> Iterator[Hunk]:
    head, tail = common_ends(old, new)
    before, after = old[head : len(old) - tail], new[head : len(new) - tail]
    if set(before).isdisjoint(after):
        if before or after:
            yield head, len(old) - tail, head, len(new) - tail
        return
    for a, b, c, d in find_gaps(before, after, Counter(before), Counter(after)):
        for first, last, new_first, new_last in _compare(before[a:b], after[c:d]):
            yield first + a + head, last + a + head, new_first + c + head, new_last + c + head


def _compare(before: Lines, after: Lines) -> Iterator[Hunk]:
    """Yield what changed between two anchors; all of it where it is too much to be compared."""
    if not before or not after or len(before) * len(after) > MAX_CELLS:
        yield 0, len(before), 0, len(after)
        return
    numbers: dict[bytes, int] = {}
    old, new = ([numbers.setdefault(each, len(numbers)) for each in x] for x in (before, after))
    a = c = 0
    for block in LCSseq.opcodes(old, new).as_matching_blocks():
        if block.a > a or block.b > c:
            yield a, block.a, c, block.b
        a, c = block.a + block.size, block.b + block.size


def _slid(old: Lines, new: Lines, hunks: Sequence[Hunk]) -> Iterator[Hunk]:
    """Yield hunks, those that only add or only remove moved down as far as they can be.

    What is put below its like is new there: of two functions, each with its closing bracket, the
    second has come.
    """
    for number, (a, b, c, d) in enumerate(hunks):
        high = hunks[number + 1][0] if number + 1 < len(hunks) else len(old) + 1
        lines, first, last = (new, c, d) if a == b else (old, a, b)
        room = min(high - b - 1, MAX_SLIDE) if a == b or c == d else 0
        shift = 0
        while shift < room and lines[first + shift] == lines[last + shift]:
            shift += 1
        yield a + shift, b + shift, c + shift, d + shift


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
    if len(old) == len(new) or not owners:
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


def moved_runs(runs: Sequence[Mapping[str, Any]], old: str, new: str) -> Sequence[Any]:
    """Return runs of a row as JSON for its text after some stretches were replaced."""
    if old.count("\n") == new.count("\n"):
        return runs
    owners = [run["author"] for run in runs for _ in range(run["num_lines"])]
    lines = [lines_of(text.encode("utf-8", "surrogatepass")) for text in (old, new)]
    return [asdict(run) for run in runs_of(moved(owners, *lines))]

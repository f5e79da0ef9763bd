"""A change as a unified diff that `git apply` takes, and diffs read back.

Reads and writes nothing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from devtune.data.corpus import split_lines
from devtune.data.families.deltas import Delta
from devtune.data.families.hunks import Hunk, join_hunks

CONTEXT = 3
"""Equal lines around a hunk, as git writes them."""
NO_END = "\\ No newline at end of file\n"
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@\n")


def write_patch(deltas: Sequence[Delta]) -> str:
    """Return the diff of all files, ending in a line end as `git apply` wants it."""
    return "".join(line for delta in deltas for line in _file(delta))


def _file(delta: Delta) -> Iterator[str]:
    old, new = f"a/{delta.path}", f"b/{delta.path}"
    yield f"diff --git {old} {new}\n"
    if delta.state == "new":
        yield "new file mode 100644\n"
        old = "/dev/null"
    if delta.state == "deleted":
        yield "deleted file mode 100644\n"
        new = "/dev/null"
    # The tab ends a name that has spaces, which are otherwise taken for the start of a date.
    yield f"--- {old}\t\n" if " " in old else f"--- {old}\n"
    yield f"+++ {new}\t\n" if " " in new else f"+++ {new}\n"
    for group in _groups(delta.hunks):
        yield from _hunk(delta, group)


def _groups(hunks: Sequence[Hunk]) -> Iterator[list[Hunk]]:
    """Yield hunks whose contexts meet together."""
    for first, last, _, _ in join_hunks(hunks, 2 * CONTEXT):
        yield [each for each in hunks if first <= each[0] and each[1] <= last]


def _hunk(delta: Delta, group: list[Hunk]) -> Iterator[str]:
    old, new = delta.old_lines, delta.new_lines
    up = min(CONTEXT, group[0][0])
    down = min(CONTEXT, len(old) - group[-1][1])
    a, b = group[0][0] - up, group[-1][1] + down
    c, d = group[0][2] - up, group[-1][3] + down
    yield f"@@ -{_range(a, b)} +{_range(c, d)} @@\n"
    place = a
    for first, last, new_first, new_last in group:
        yield from _signed(" ", old[place:first])
        yield from _signed("-", old[first:last])
        yield from _signed("+", new[new_first:new_last])
        place = last
    yield from _signed(" ", old[place:b])


def _range(first: int, last: int) -> str:
    if first == last:
        return f"{first},0"
    return f"{first + 1}" if last - first == 1 else f"{first + 1},{last - first}"


def _signed(sign: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield f"{sign}{line}" if line.endswith("\n") else f"{sign}{line}\n{NO_END}"


def apply_patch(texts: Mapping[str, str], patch: str) -> dict[str, str] | None:
    """Return `texts` as a diff leaves them, deleted files gone; None where it does not apply.

    Stricter than `git apply`: every hunk has to stand at its line.
    """
    left = dict(texts)
    lines = split_lines(patch)
    place = 0
    while place < len(lines):
        header = _header(lines, place)
        if header is None:
            return None
        old, new, place = header
        is_known = old in left if old else new not in left
        if not is_known:
            return None
        given = split_lines(left.pop(old, "")) if old else []
        result = _apply_hunks(given, lines, place)
        if result is None or (new is None and result[0]):
            return None
        if new:
            left[new] = result[0]
        place = result[1]
    return left


def _header(lines: Sequence[str], place: int) -> tuple[str | None, str | None, int] | None:
    """Return old name, new name (None for /dev/null) and the line after them."""
    end = place
    while end < len(lines) and not lines[end].startswith("--- "):
        end += 1
    if not lines[place].startswith("diff --git ") or end + 1 >= len(lines):
        return None
    names = [line[4:].removesuffix("\n").removesuffix("\t") for line in lines[end : end + 2]]
    old, new = (None if name == "/dev/null" else name[2:] for name in names)
    return old, new, end + 2


def _apply_hunks(old: list[str], lines: Sequence[str], place: int) -> tuple[str, int] | None:
    """Return the new text and the line after the hunks, or None where one does not fit."""
    made: list[str] = []
    done = 0
    while place < len(lines) and (header := _HUNK.fullmatch(lines[place])):
        start, count, new_start, new_count = (int(each or 1) for each in header.groups())
        first = start - 1 if count else start
        place += 1
        made += old[done:first]
        if len(made) != (new_start - 1 if new_count else new_start) or first < done:
            return None
        before, after, place = _sides(lines, place, count, new_count)
        if old[first : first + count] != before:
            return None
        made += after
        done = first + count
    return "".join((*made, *old[done:])), place


def _sides(
    lines: Sequence[str], place: int, num_old: int, num_new: int
) -> tuple[list[str], list[str], int]:
    """Return what a hunk removes and keeps, what it keeps and adds, and the line after it."""
    before: list[str] = []
    after: list[str] = []
    while place < len(lines) and (len(before) < num_old or len(after) < num_new):
        sign, line = lines[place][0], lines[place][1:]
        place += 1
        if place < len(lines) and lines[place] == NO_END:
            line = line.removesuffix("\n")
            place += 1
        if sign in " -":
            before.append(line)
        if sign in " +":
            after.append(line)
    return before, after, place

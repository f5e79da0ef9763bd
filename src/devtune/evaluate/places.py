"""Where a value is asked for: plain text, an answer, and the place it was trained in.

Reads `dataset/train.parquet`; writes nothing.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import pyarrow.parquet as pq

from devtune.evaluate.canaries import Canary
from devtune.records import IGNORED

ROWS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Opening:
    """What a model is given before a value."""

    tokens: tuple[int, ...]
    """Tokens before `text`, control tokens among them."""
    text: str = field(repr=False)
    """Text right before the value, which is encoded together with it as in training."""


def trained_places(
    file: Path, canaries: Sequence[Canary], pieces: Sequence[bytes]
) -> Mapping[str, Opening]:
    """Return, by name, the first place of a training sample where a canary's prefix is trained.

    `pieces` are the bytes of each token, none of control tokens. Whether the value follows there,
    a placeholder or anything else does not matter, but it must not stand before: it would be
    copied, not remembered. Canaries without such a place are left out.
    """
    found: dict[str, Opening] = {}
    for input_ids, labels in _rows(file) if canaries else ():
        missing = [each for each in canaries if each.name not in found]
        if not missing:
            break
        text = b"".join(map(pieces.__getitem__, input_ids))
        for canary in missing:
            prefix, value = canary.prefix.encode(), canary.value.encode()
            if prefix in text and (place := _place(text, prefix, value, input_ids, labels, pieces)):
                found[canary.name] = place
    return found


def _rows(file: Path) -> Iterator[tuple[list[int], list[int]]]:
    with pq.ParquetFile(file) as table:
        for batch in table.iter_batches(ROWS_AT_ONCE, columns=["input_ids", "labels"]):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _place(
    text: bytes,
    prefix: bytes,
    value: bytes,
    input_ids: Sequence[int],
    labels: Sequence[int],
    pieces: Sequence[bytes],
) -> Opening | None:
    ends = list(accumulate(len(pieces[each]) for each in input_ids))
    known = text.find(value)
    start = text.find(prefix)
    while start >= 0 and (known < 0 or start + len(prefix) < known + len(value)):
        end = start + len(prefix)
        following = bisect_right(ends, end)  # the token that holds the next byte
        if following < len(labels) and labels[following] != IGNORED:
            first = bisect_right(ends, start)
            before = ends[first] - len(pieces[input_ids[first]])
            return Opening(tuple(input_ids[:first]), text[before:end].decode("utf-8", "ignore"))
        start = text.find(prefix, start + 1)
    return None

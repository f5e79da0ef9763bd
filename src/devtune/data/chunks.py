"""Row files read in chunks of whole lines, each by its bytes.

Reads `*.jsonl` files; writes nothing. Where a chunk ends depends on the file alone, so every run
cuts it alike.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from devtune.errors import DevtuneError, one_line
from devtune.jsonl import first_fault, reader_of

BYTES_PER_CHUNK = 8_000_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes [start, end) of a file: whole lines."""

    file: Path
    start: int
    end: int

    def rows(self, row_type: type[T]) -> Iterator[tuple[int, T]]:
        """Yield (byte offset, row). Raises `DevtuneError` for a damaged line."""
        adapter = reader_of(row_type)
        for offset, line in self.lines():
            try:
                yield offset, adapter.validate_json(line)
            except ValidationError as error:
                raise DevtuneError(
                    f"{self.file}: at byte {offset}: not a {row_type.__name__} row"
                    f" ({first_fault(error)}); remove the directory and run its stage again"
                ) from None

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield (byte offset, line)."""
        try:
            with self.file.open("rb") as file:
                file.seek(self.start)
                offset = self.start
                while offset < self.end and (line := file.readline()):
                    yield offset, line
                    offset += len(line)
        except OSError as error:
            raise DevtuneError(one_line(error, self.file)) from None


def chunks_of(file: Path, num_bytes: int | None = None) -> list[Chunk]:
    """Cut a file into chunks of about `num_bytes`; an empty or absent one has none."""
    num_bytes = num_bytes or BYTES_PER_CHUNK
    if not file.is_file():
        return []
    size = file.stat().st_size
    chunks: list[Chunk] = []
    start = 0
    with file.open("rb") as rows:
        while start < size:
            rows.seek(start + num_bytes)
            rows.readline()
            end = min(max(rows.tell(), start + 1), size)
            chunks.append(Chunk(file, start, end))
            start = end
    return chunks


def read_at(file: Path, offset: int, row_type: type[T]) -> T:
    """Return the row that begins at `offset`."""
    with file.open("rb") as rows:
        rows.seek(offset, io.SEEK_SET)
        return reader_of(row_type).validate_json(rows.readline())

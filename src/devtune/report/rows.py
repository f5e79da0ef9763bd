"""The rows of a dataset's tables, read in pieces.

Reads `{train,held_out}.parquet` (rows of `records.TokenRow`); writes nothing. Memory holds one row
group at most.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from devtune.errors import DevtuneError

FACTS = ["sample_id", "family", "num_tokens", "num_trained_tokens"]
TOKENS = ["input_ids", "labels"]
ROWS_AT_ONCE = 64


def read_tokens(file: Path, wanted: Sequence[int]) -> Iterator[tuple[int, list[int], list[int]]]:
    """Yield (row, input_ids, labels) of the `wanted` rows, in the order of the file."""
    left = set(wanted)
    with _open_table(file) as table:
        start = 0
        for group in range(table.num_row_groups if left else 0):
            size = table.metadata.row_group(group).num_rows
            if left.isdisjoint(range(start, start + size)):
                start += size
                continue
            for batch in table.iter_batches(ROWS_AT_ONCE, row_groups=[group], columns=TOKENS):
                for index in sorted(left.intersection(range(start, start + batch.num_rows))):
                    ids, labels = (batch.column(name)[index - start].as_py() for name in TOKENS)
                    yield index, ids, labels
                start += batch.num_rows


def read_facts(file: Path) -> Iterator[dict[str, Any]]:
    """Yield what each row says of itself besides its tokens, in the order of the file."""
    with _open_table(file) as table:
        for batch in table.iter_batches(columns=FACTS):
            yield from batch.to_pylist()


def _open_table(file: Path) -> pq.ParquetFile:
    try:
        table = pq.ParquetFile(file)
    except (OSError, pa.ArrowException) as error:
        why = str(error).splitlines()[0]
        raise DevtuneError(f"{file}: cannot be read ({why}); render the dataset again") from None
    if absent := [name for name in (*FACTS, *TOKENS) if name not in table.schema_arrow.names]:
        raise DevtuneError(f"{file}: has no column {absent[0]}; render the dataset again")
    return table

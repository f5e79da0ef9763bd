"""The rows of a dataset's tables, read in pieces.

Reads `{train,held_out}.parquet` (rows of `records.TokenRow`) and `preferences.parquet` (rows of
`records.PreferenceRow`); writes nothing. Memory holds one row group at most.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from devtune.data.renderers.rows import num_trained
from devtune.errors import DevtuneError
from devtune.records import PREFERENCES, PreferenceRow

FACTS = ["sample_id", "family", "num_tokens", "num_trained_tokens"]
TOKENS = ["input_ids", "labels"]
PAIR_FACTS = ["sample_id", "family", "num_tokens"]
PAIR_COLUMNS = [each.name for each in fields(PreferenceRow)]
ROWS_AT_ONCE = 64


def read_tokens(file: Path, wanted: Sequence[int]) -> Iterator[tuple[int, list[int], list[int]]]:
    """Yield (row, input_ids, labels) of the `wanted` rows, in the order of the file."""
    with _open_table(file, (*FACTS, *TOKENS)) as table:
        for index, (ids, labels) in _read(table, wanted, TOKENS):
            yield index, ids, labels


def read_facts(file: Path) -> Iterator[dict[str, Any]]:
    """Yield what each row says of itself besides its tokens, in the order of the file."""
    with _open_table(file, (*FACTS, *TOKENS)) as table:
        for batch in table.iter_batches(columns=FACTS):
            yield from batch.to_pylist()


def read_pairs(file: Path, wanted: Sequence[int]) -> Iterator[tuple[int, PreferenceRow]]:
    """Yield (row, pair) of the `wanted` rows of a table of pairs, in the order of the file."""
    with _open_table(file, (*PAIR_FACTS, *PAIR_COLUMNS)) as table:
        for index, values in _read(table, wanted, PAIR_COLUMNS):
            yield index, PreferenceRow(*values)


def read_pair_facts(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the id, the kind and the length of each pair; of a table that is not there, none."""
    if not file.is_file():
        return
    with _open_table(file, (*PAIR_FACTS, *PAIR_COLUMNS)) as table:
        for batch in table.iter_batches(columns=PAIR_FACTS):
            yield from batch.to_pylist()


def table_of(dataset: Path) -> Path:
    """Return where the pairs of a dataset are, if it has any."""
    return dataset / f"{PREFERENCES}.parquet"


def rendered_pair(dataset: Path, sample_id: str) -> Iterator[dict[str, Any]]:
    """Yield where a pair stands in its table, and how many tokens of both sides count."""
    file = table_of(dataset)
    facts = enumerate(read_pair_facts(file))
    wanted = {row: each for row, each in facts if each["sample_id"] == sample_id}
    for row, pair in read_pairs(file, list(wanted)) if wanted else ():
        labels = pair.chosen_labels + pair.rejected_labels
        yield {
            "split": "train",
            "file": f"{dataset.name}/{file.name}",
            "row": row + 1,
            "num_tokens": pair.num_tokens,
            "num_trained_tokens": num_trained(labels),
        }


def _read(
    table: pq.ParquetFile, wanted: Sequence[int], columns: list[str]
) -> Iterator[tuple[int, list[Any]]]:
    left = set(wanted)
    start = 0
    for group in range(table.num_row_groups if left else 0):
        size = table.metadata.row_group(group).num_rows
        if left.isdisjoint(range(start, start + size)):
            start += size
            continue
        for batch in table.iter_batches(ROWS_AT_ONCE, row_groups=[group], columns=columns):
            for index in sorted(left.intersection(range(start, start + batch.num_rows))):
                yield index, [batch.column(name)[index - start].as_py() for name in columns]
            start += batch.num_rows


def _open_table(file: Path, columns: Sequence[str]) -> pq.ParquetFile:
    try:
        table = pq.ParquetFile(file)
    except (OSError, pa.ArrowException) as error:
        why = str(error).splitlines()[0]
        raise DevtuneError(f"{file}: cannot be read ({why}); render the dataset again") from None
    if absent := [name for name in columns if name not in table.schema_arrow.names]:
        raise DevtuneError(f"{file}: has no column {absent[0]}; render the dataset again")
    return table

"""Rows of tokens as Parquet, the same bytes for the same rows.

Writes `{train,held_out}.parquet` (rows of `records.TokenRow`) and `preferences.parquet` (rows of
`records.PreferenceRow`); memory holds one row group.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from devtune.data.renderers.rows import num_trained
from devtune.records import PreferenceRow, TokenRow

ROWS_PER_GROUP, TOKENS_PER_GROUP = 4096, 4_000_000
"""A row group ends where either is reached."""
_TOKENS = pa.list_(pa.int32())
SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("family", pa.string()),
        ("input_ids", _TOKENS),
        ("labels", _TOKENS),
        ("num_tokens", pa.int32()),
        ("num_trained_tokens", pa.int32()),
        ("num_trained_bytes", pa.int32()),
        ("part", pa.int32()),
    ]
)
PREFERENCE_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("family", pa.string()),
        ("prompt_ids", _TOKENS),
        ("chosen_ids", _TOKENS),
        ("rejected_ids", _TOKENS),
        ("chosen_labels", _TOKENS),
        ("rejected_labels", _TOKENS),
        ("num_tokens", pa.int32()),
    ]
)


class _Packed(NamedTuple):
    """A row whose tokens take four bytes each while they wait."""

    facts: dict[str, Any]
    tokens: dict[str, NDArray[np.int32]]


def write_rows(path: Path, rows: Iterable[TokenRow]) -> None:
    """Write rendered samples."""
    _write(path, SCHEMA, map(_packed_sample, rows))


def write_preference_rows(path: Path, rows: Iterable[PreferenceRow]) -> None:
    """Write rendered pairs."""
    _write(path, PREFERENCE_SCHEMA, map(_packed_pair, rows))


def join_tables(parts: Sequence[Path], schema: pa.Schema, out: Path) -> None:
    """Write the tables of several files into one, in their order, one in memory at a time."""
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for part in parts:
            if part.is_file():
                writer.write_table(pq.read_table(part))


def _packed_sample(row: TokenRow) -> _Packed:
    facts = {
        "sample_id": row.sample_id,
        "family": row.family,
        "num_tokens": len(row.input_ids),
        "num_trained_tokens": num_trained(row.labels),
        "num_trained_bytes": row.num_trained_bytes,
        "part": row.part,
    }
    return _packed(facts, input_ids=row.input_ids, labels=row.labels)


def _packed_pair(row: PreferenceRow) -> _Packed:
    facts = {"sample_id": row.sample_id, "family": row.family, "num_tokens": row.num_tokens}
    return _packed(
        facts,
        prompt_ids=row.prompt_ids,
        chosen_ids=row.chosen_ids,
        rejected_ids=row.rejected_ids,
        chosen_labels=row.chosen_labels,
        rejected_labels=row.rejected_labels,
    )


def _packed(facts: dict[str, Any], **tokens: list[int]) -> _Packed:
    return _Packed(facts, {name: np.array(each, np.int32) for name, each in tokens.items()})


def _write(path: Path, schema: pa.Schema, rows: Iterable[_Packed]) -> None:
    group: list[_Packed] = []
    num_tokens = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for row in rows:
            group.append(row)
            num_tokens += row.facts["num_tokens"]
            if len(group) == ROWS_PER_GROUP or num_tokens >= TOKENS_PER_GROUP:
                writer.write_table(_table(group, schema))
                group, num_tokens = [], 0
        if group:
            writer.write_table(_table(group, schema))


def _table(rows: Sequence[_Packed], schema: pa.Schema) -> pa.Table:
    columns: dict[str, Any] = {name: [row.facts[name] for row in rows] for name in rows[0].facts}
    for name in rows[0].tokens:
        lists = [row.tokens[name] for row in rows]
        offsets = pa.array(np.cumsum([0, *map(len, lists)]), pa.int32())
        columns[name] = pa.ListArray.from_arrays(offsets, pa.array(np.concatenate(lists)))
    return pa.table({name: columns[name] for name in schema.names}, schema=schema)

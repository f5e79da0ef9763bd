"""dataset/*.parquet → what a trainer takes: rows of tokens and labels, or pairs of them.

Everything is held in memory, as Arrow.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from datasets import Dataset
from datasets.table import InMemoryTable

from devtune.errors import DevtuneError
from devtune.records import PREFERENCES

PAIR_COLUMNS = ("prompt_ids", "chosen_ids", "rejected_ids", "chosen_labels", "rejected_labels")
WEIGHTS = "weights"
"""Column of the weight of each token in the loss, where families have one."""
HELD_OUT_SHARE = 20
"""Of so many pairs one is held out, chosen by hash."""


def load_rows(
    path: Path,
    max_length: int,
    num_samples: int | None = None,
    weights: Mapping[str, float] | None = None,
) -> Dataset:
    """Return the rows of one split, or `num_samples` of them chosen by a hash of their id.

    With `weights` of families each row has one more column, `weights`: one number for each token.
    Raises when a row is longer than `max_length`: nothing may be cut in the middle of an answer.
    """
    table = _read(path)
    _check_length(path, table, max_length)
    table = _some(table, num_samples) if num_samples is not None else table
    rows = table.select(["input_ids", "labels"])
    if weights:
        rows = rows.append_column(WEIGHTS, _weights_of(table, weights))
    return Dataset(InMemoryTable(rows))


def load_pairs(path: Path, max_length: int, num_samples: int) -> tuple[Dataset, Dataset]:
    """Return pairs to train on, and at most `num_samples` held out, chosen by a hash of their id.

    Columns are `PAIR_COLUMNS`.
    """
    if not path.is_file():
        raise DevtuneError(
            f"{path}: missing; `train.type: dpo` learns from pairs of sessions: name the step"
            " `preferences` in build.steps, and give it sessions of which some failed"
        )
    table = _read(path)
    _check_length(path, table, max_length)
    digests = [_digest(each) for each in table.column("sample_id").to_pylist()]
    is_held_out = pa.array([each[0] % HELD_OUT_SHARE == 0 for each in digests], pa.bool_())
    held_out = _some(table.filter(is_held_out), num_samples)
    trained = table.filter(pc.invert(is_held_out))  # pyright: ignore
    if not trained.num_rows:
        raise DevtuneError(f"{path}: no pair to train on; record more sessions of each task")
    return tuple(Dataset(InMemoryTable(each.select(PAIR_COLUMNS))) for each in (trained, held_out))  # pyright: ignore


def samples_of(dataset: Path, found: Iterable[Sequence[int]]) -> list[str]:
    """Return the ids of the samples whose tokens were `found`, `?` where there is none.

    Packing keeps no ids; tokens say as much, and are only asked when something went wrong.
    """
    wanted = {_tokens_digest(each) for each in found}
    names: dict[bytes, str] = {}
    for name, columns in (("train", ["input_ids"]), (PREFERENCES, list(PAIR_COLUMNS[:3]))):
        table = dataset / f"{name}.parquet"
        if not table.is_file():
            continue
        for batch in pq.ParquetFile(table).iter_batches(columns=["sample_id", *columns]):
            for row in batch.to_pylist():
                for tokens in _wholes(row):
                    digest = _tokens_digest(tokens)
                    if digest in wanted:
                        names[digest] = row["sample_id"]
    return [names.get(_tokens_digest(each), "?") for each in found]


def _wholes(row: dict[str, Any]) -> list[list[int]]:
    if "input_ids" in row:
        return [row["input_ids"]]
    return [row["prompt_ids"] + row[side] for side in ("chosen_ids", "rejected_ids")]


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise DevtuneError(f"{path}: cannot be read ({error}); render the dataset again") from None


def _some(table: pa.Table, num_samples: int) -> pa.Table:
    if table.num_rows <= num_samples:
        return table
    ids = table.column("sample_id").to_pylist()
    ranked = sorted(range(len(ids)), key=lambda number: _digest(ids[number]))
    return table.take(sorted(ranked[:num_samples]))


def _check_length(path: Path, table: pa.Table, max_length: int) -> None:
    longest = pc.max(table.column("num_tokens")).as_py() or 0  # pyright: ignore
    if longest > max_length:
        raise DevtuneError(
            f"{path}: its longest sample has {longest} tokens, more than train.max_length "
            f"{max_length}; raise it or lower render.max_length"
        )


def _weights_of(table: pa.Table, weights: Mapping[str, float]) -> pa.Array:
    """One weight for each token."""
    families = table.column("family").to_pylist()
    each = np.array([weights.get(family, 1.0) for family in families], np.float32)
    lengths = table.column("num_tokens").to_numpy()
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(np.repeat(each, lengths)))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _tokens_digest(tokens: Sequence[int]) -> bytes:
    return hashlib.sha256(np.asarray(tokens, np.int32).tobytes()).digest()

"""dataset/*.parquet → a `datasets.Dataset` of `input_ids` and `labels`, held in memory."""

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from datasets import Dataset
from datasets.table import InMemoryTable

from devtune.errors import DevtuneError


def load_rows(path: Path, max_length: int, num_samples: int | None = None) -> Dataset:
    """Return the rows of one split, or `num_samples` of them chosen by a hash of their id.

    Raises when a row is longer than `max_length`: nothing may be cut in the middle of an answer.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise DevtuneError(f"{path}: cannot be read ({error}); render the dataset again") from None
    if num_samples is not None and table.num_rows > num_samples:
        ids = table.column("sample_id").to_pylist()
        ranked = sorted(range(len(ids)), key=lambda i: hashlib.sha256(ids[i].encode()).digest())
        table = table.take(sorted(ranked[:num_samples]))
    longest = pc.max(table.column("num_tokens")).as_py() or 0  # pyright: ignore
    if longest > max_length:
        raise DevtuneError(
            f"{path}: its longest sample has {longest} tokens, more than train.max_length "
            f"{max_length}; raise it or lower render.max_length"
        )
    return Dataset(InMemoryTable(table.select(["input_ids", "labels"])))

import pyarrow.parquet as pq
import pytest

from devtune.errors import DevtuneError
from devtune.train.rows import load_rows


def test_rows_have_what_the_trainer_takes_and_nothing_else(dataset):
    rows = load_rows(dataset / "train.parquet", 128)
    assert rows.column_names == ["input_ids", "labels"]
    assert len(rows) == 48


def test_chosen_rows_do_not_depend_on_their_order(dataset, tmp_path):
    table = pq.read_table(dataset / "train.parquet")
    pq.write_table(table.take(list(range(47, -1, -1))), tmp_path / "backwards.parquet")
    chosen = load_rows(dataset / "train.parquet", 128, 5)
    backwards = load_rows(tmp_path / "backwards.parquet", 128, 5)
    assert sorted(chosen["input_ids"]) == sorted(backwards["input_ids"])
    assert len(chosen) == 5


def test_a_damaged_table_is_one_line(tmp_path):
    (tmp_path / "train.parquet").write_bytes(b"PAR1 cut short")
    with pytest.raises(DevtuneError, match=r"train.parquet: cannot be read .*; render the dataset"):
        load_rows(tmp_path / "train.parquet", 128)

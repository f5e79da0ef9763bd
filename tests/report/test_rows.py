import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from devtune.data.tables import SCHEMA
from devtune.errors import DevtuneError
from devtune.report.rows import ROWS_AT_ONCE, read_facts, read_tokens

NUM_ROWS = 3 * ROWS_AT_ONCE + 5


@pytest.fixture
def table(tmp_path):
    rows = [
        {"sample_id": f"{n}", "family": "f", "input_ids": [n, 1], "labels": [-100, n],
         "num_tokens": 2, "num_trained_tokens": 1, "num_trained_bytes": 3}
        for n in range(NUM_ROWS)
    ]  # fmt: skip
    file = tmp_path / "train.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), file, row_group_size=70)
    return file


def test_facts_come_in_the_order_of_the_file(table):
    facts = list(read_facts(table))
    assert [each["sample_id"] for each in facts] == [f"{n}" for n in range(NUM_ROWS)]
    assert facts[0] == {
        "sample_id": "0", "family": "f", "num_tokens": 2, "num_trained_tokens": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "wanted", [[], [0], [69, 70], [NUM_ROWS - 1, 3, 64, 139, 140], range(NUM_ROWS)]
)
def test_exactly_the_wanted_rows_are_read_whatever_group_they_are_in(table, wanted):
    found = list(read_tokens(table, list(wanted)))
    assert found == [(n, [n, 1], [-100, n]) for n in sorted(wanted)]


def test_a_damaged_table_is_one_line(tmp_path):
    file = tmp_path / "train.parquet"
    file.write_bytes(b"PAR1 cut short")
    with pytest.raises(DevtuneError, match=r"train.parquet: cannot be read .*; render the dataset"):
        list(read_facts(file))


def test_a_table_of_something_else_is_one_line(tmp_path):
    file = tmp_path / "train.parquet"
    pq.write_table(pa.table({"sample_id": ["0"], "family": ["f"]}), file)
    with pytest.raises(DevtuneError, match=r"has no column num_tokens; render the dataset again"):
        list(read_facts(file))

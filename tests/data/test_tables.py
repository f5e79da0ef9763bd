import pyarrow.parquet as pq

from devtune.data.tables import PREFERENCE_SCHEMA, write_preference_rows, write_rows
from devtune.records import PreferenceRow, TokenRow


def test_a_row_group_ends_by_its_tokens_too(tmp_path, monkeypatch):
    monkeypatch.setattr("devtune.data.tables.TOKENS_PER_GROUP", 10)
    rows = [TokenRow(f"{n}", "f", [1] * 4, [1] * 4, 4) for n in range(7)]
    write_rows(tmp_path / "x.parquet", iter(rows))
    table = pq.ParquetFile(tmp_path / "x.parquet")
    assert [table.metadata.row_group(n).num_rows for n in range(table.num_row_groups)] == [3, 3, 1]


def test_lists_of_a_pair_have_their_own_lengths(tmp_path):
    rows = [
        PreferenceRow("a", "divergence", [1, 2], [3], [4, 5, 6], [3], [-100, 5, 6]),
        PreferenceRow("b", "trajectory", [1], [3, 7], [4], [3, 7], [4]),
    ]
    write_preference_rows(tmp_path / "x.parquet", iter(rows))
    table = pq.read_table(tmp_path / "x.parquet")
    assert table.schema == PREFERENCE_SCHEMA
    assert table.to_pylist() == [
        {
            "sample_id": "a", "family": "divergence", "prompt_ids": [1, 2], "chosen_ids": [3],
            "rejected_ids": [4, 5, 6], "chosen_labels": [3], "rejected_labels": [-100, 5, 6],
            "num_tokens": 5,
        },
        {
            "sample_id": "b", "family": "trajectory", "prompt_ids": [1], "chosen_ids": [3, 7],
            "rejected_ids": [4], "chosen_labels": [3, 7], "rejected_labels": [4], "num_tokens": 3,
        },
    ]  # fmt: skip

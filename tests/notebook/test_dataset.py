import pyarrow.parquet as pq
import pytest

from devtune.errors import DevtuneError
from devtune.notebook.dataset import Dataset


@pytest.fixture
def dataset(run_dir):
    return Dataset(run_dir / "dataset")


def test_a_dataset_is_counted_by_family_and_split(dataset):
    families = dataset.sizes.families
    assert list(families) == sorted(families)
    assert families["commit_edit"]["held_out"].num_samples == 1
    assert sum(each["train"].num_samples for each in families.values()) == 32
    assert dataset.sizes.totals["train"].num_tokens == sum(
        pq.read_table(dataset.directory / "train.parquet").column("num_tokens").to_pylist()
    )
    assert repr(dataset).startswith(f"Dataset('{dataset.directory}'): ")


def test_samples_are_the_same_for_a_seed_and_others_for_another(dataset):
    drawn = [
        [each.sample_id for each in dataset.samples(5, family="commit_edit", seed=seed)]
        for seed in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(set(drawn[0])) == 5


def test_samples_are_a_sequence_of_as_many_of_each_family(dataset):
    samples = dataset.samples(2)
    families = [each.family for each in samples]
    assert families.count("commit_edit") == 2
    assert families == sorted(families)
    assert samples[0].turns[-1].speaker == "assistant"
    assert [each.sample_id for each in samples[1:]] == [x.sample_id for x in samples][1:]
    assert samples[0].sample_id in repr(samples)
    assert [each.family for each in dataset.samples(9, split="held_out")] == [
        "commit_edit", "only_held",
    ]  # fmt: skip


def test_what_is_not_there_is_one_line(dataset, run_dir):
    with pytest.raises(DevtuneError, match="no family `poem` in train; it has"):
        dataset.samples(family="poem")
    with pytest.raises(
        DevtuneError, match=r"split is 'test'; write one of \['train', 'held_out'\]"
    ):
        dataset.samples(split="test")
    with pytest.raises(DevtuneError, match="written by build; give a dataset/ directory"):
        Dataset(run_dir / "samples")


def test_rows_reach_other_libraries_without_a_copy_on_disk(dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    table = dataset.to_arrow("held_out")
    assert table.num_rows == 2
    both = dataset.to_datasets()
    assert set(both) == {"train", "held_out"}
    assert both["held_out"][0]["input_ids"] == table.column("input_ids")[0].as_py()
    assert not any(each["filename"] for each in both["train"].cache_files)
    assert list(tmp_path.iterdir()) == []

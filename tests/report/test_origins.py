import shutil

import pytest

from devtune.errors import DevtuneError
from devtune.report.lineage import find_part, open_dataset
from devtune.report.origins import read_origins
from tests.report.conftest import TRAIN


def samples_of(dataset):
    return find_part("samples", dataset, open_dataset(dataset))


def test_each_row_stands_beside_the_places_of_its_sample(run_dir):
    dataset = run_dir / "dataset"
    pairs = list(read_origins(dataset, samples_of(dataset), "train"))
    # The last one was too long to be rendered.
    assert [(facts["sample_id"], places) for facts, places in pairs] == [
        (sample.sample_id, sample.provenance) for sample in TRAIN[:-1]
    ]


def test_rows_whose_samples_are_missing_have_no_places(run_dir, tmp_path):
    dataset = shutil.copytree(run_dir / "dataset", tmp_path / "dataset")
    pairs = list(read_origins(dataset, samples_of(dataset), "train"))
    assert len(pairs) == len(TRAIN) - 1
    assert {places for _, places in pairs} == {()}


def test_a_row_without_its_sample_is_one_line(run_dir, tmp_path):
    copy = shutil.copytree(run_dir, tmp_path / "demo")
    file = copy / "samples" / "train.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:1] + lines[2:]))
    with pytest.raises(DevtuneError) as caught:
        list(read_origins(copy / "dataset", samples_of(copy / "dataset"), "train"))
    assert str(caught.value) == (
        f"{file}: has no sample {TRAIN[1].sample_id} where the dataset has it; move both"
        " directories away and run build and render again"
    )

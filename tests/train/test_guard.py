import json
import re
import shutil

import pyarrow.parquet as pq
import pytest
from safetensors.torch import load_file, save_file

from devtune.errors import DevtuneError
from devtune.launch.mailbox import clear
from devtune.progress import Progress
from devtune.recipe import ClusterSection
from devtune.train.training import train
from tests.train.jobs import checkpoints_of, make_section

QUIET = Progress("quiet")


def run(section, dataset, base, out, progress=QUIET):
    out.mkdir(exist_ok=True)
    return train(section, ClusterSection(), dataset, base, out, progress)


def ids_of(dataset):
    return set(pq.read_table(dataset / "train.parquet").column("sample_id").to_pylist())


def assert_astray(said, why, dataset, out):
    """The line names the first samples, the file all of them; return these."""
    astray = json.loads((out / "astray" / "rank-0.json").read_text())
    assert astray["rank"] == 0
    samples = astray["samples"]
    assert samples
    assert set(samples) <= ids_of(dataset)
    assert re.fullmatch(
        f"{why}; {len(samples)} samples were in it: {', '.join(samples[:3])} …"
        f" \\({out}/astray/rank-0.json\\); look at them with `devtune trace`,"
        " or lower train.learning_rate",
        said,
    )
    return samples


@pytest.mark.parametrize(
    "packing", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["packed", "unpacked"]
)
def test_a_loss_that_is_no_number_ends_the_job_and_names_its_samples(
    packing, dataset, base, tmp_path
):
    values = {"learning_rate": 1e30, "lr_scheduler_type": "constant", "warmup_steps": 0}
    section = make_section(**values, packing=packing, per_device_train_batch_size=2)
    with pytest.raises(DevtuneError) as raised:
        run(section, dataset, base, tmp_path / "out")
    why = r"the loss of step 2 is (nan|inf)"
    samples = assert_astray(str(raised.value), why, dataset, tmp_path / "out")
    assert len(samples) > 2 if packing else len(samples) == 2
    assert not checkpoints_of(tmp_path / "out")


@pytest.mark.slow
def test_a_loss_far_above_those_before_ends_the_job_and_names_its_samples(dataset, base, tmp_path):
    values = {"learning_rate": 1e-6, "max_loss_ratio": 1.0001, "packing": False}
    with pytest.raises(DevtuneError) as raised:
        run(make_section(**values), dataset, base, tmp_path / "out")
    why = r"the loss of step \d+ is [\d.]+, more than 1.0001 times that of the 20 before"
    assert len(assert_astray(str(raised.value), why, dataset, tmp_path / "out")) == 1
    assert int(re.search(r"of step (\d+)", str(raised.value))[1]) > 20


def test_a_gradient_that_is_no_number_ends_the_job_before_anything_of_it_is_saved(
    dataset, base, tmp_path
):
    steep = tmp_path / "steep"
    shutil.copytree(base, steep)
    tensors = load_file(steep / "model.safetensors")
    tensors["lm_head.weight"] *= 1e25  # losses are finite, the squares of gradients are not
    save_file(tensors, steep / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DevtuneError) as raised:
        run(make_section(save_steps=1), dataset, steep, tmp_path / "out")
    assert_astray(str(raised.value), "the gradient of step 1 is inf", dataset, tmp_path / "out")
    assert not checkpoints_of(tmp_path / "out")


def test_what_went_astray_is_forgotten_by_the_next_job(tmp_path):
    for name in ("astray/rank-1.json", "stacks/rank-0.txt", "stop", "error.json.7", "owner.new"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    clear(tmp_path)
    assert not list(tmp_path.iterdir())

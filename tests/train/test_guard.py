import json
import re

import pyarrow.parquet as pq
import pytest
from safetensors.torch import load_file, save_file

from devtune.errors import DevtuneError
from devtune.progress import Progress
from devtune.recipe import ClusterSection
from devtune.train.training import train
from tests.train.jobs import make_section

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
    assert not (tmp_path / "out" / "checkpoints").exists()

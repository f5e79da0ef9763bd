import json

import pytest

from devtune.errors import RecipeError
from devtune.progress import Progress
from devtune.recipe import ClusterSection
from devtune.train.training import train

PLAIN = {"zero_optimization": {"stage": 2}}


def run(section, dataset, base, out, ranks):
    out.mkdir(exist_ok=True)
    cluster = ClusterSection(processes_per_node=ranks)
    train(section, cluster, dataset, base, out, Progress("quiet"))
    rows = [json.loads(line) for line in (out / "curve.jsonl").read_text().splitlines()]
    return [row[key] for row in rows for key in ("loss", "eval_loss") if key in row]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "stage", [2, pytest.param(3, marks=pytest.mark.slow)], ids=["zero2", "zero3"]
)
def test_ranks_that_share_each_row_learn_what_one_learns(
    stage, make_section, dataset, base, tmp_path
):
    values = {"packing": False, "bf16": False, "max_steps": 4}
    alone = run(make_section(**values), dataset, base, tmp_path / "alone", ranks=1)
    settings = {"zero_optimization": {"stage": stage}}
    shared = make_section(**values, deepspeed_settings=settings, sequence_parallel_size=2)
    assert run(shared, dataset, base, tmp_path / "two", ranks=2) == pytest.approx(alone, rel=1e-4)


@pytest.mark.parametrize(
    ("values", "ranks", "fault"),
    [
        ({}, 3, "2: 3 ranks cannot be divided by it; change cluster"),
        ({"max_length": 127}, 2, "train.max_length 127 cannot be divided by it"),
        ({"packing": True}, 2, "packed rows are shared with flash attention only; set attn"),
    ],
)
def test_rows_that_cannot_be_shared_are_one_line(
    values, ranks, fault, make_section, dataset, base, tmp_path
):
    settings = {"packing": False, "sequence_parallel_size": 2, "deepspeed_settings": PLAIN}
    with pytest.raises(RecipeError, match=fault):
        run(make_section(**{**settings, **values}), dataset, base, tmp_path / "out", ranks)


def test_without_an_engine_rows_are_not_shared(make_section, dataset, base, tmp_path):
    with pytest.raises(RecipeError, match=r"shared by the engine; name a file in train\.deepspeed"):
        run(make_section(packing=False, sequence_parallel_size=2), dataset, base, tmp_path / "o", 2)

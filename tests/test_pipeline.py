import pytest
from pydantic import TypeAdapter, ValidationError

from devtune.pipeline import Executor, SlurmExecutor

SLURM = {"type": "slurm", "workers": 2, "partition": "debug", "time": "00:10:00"}


def executor(**values):
    return TypeAdapter(Executor).validate_python({**SLURM, **values})


def test_one_line_of_a_recipe_asks_for_an_array_job():
    assert executor() == SlurmExecutor(**SLURM)


def test_further_options_of_sbatch_are_kept_as_they_are():
    options = {"account": "research", "gres-flags": "", "qos": "low"}
    assert executor(sbatch_args=options).sbatch_args == options


@pytest.mark.parametrize("name", ["array", "job-name", "partition", "wait", "-J", "a b", ""])
def test_options_that_devtune_sets_or_sbatch_has_not_are_refused(name):
    with pytest.raises(ValidationError, match="is set by devtune, or no long option of sbatch"):
        executor(sbatch_args={name: "x"})

import os
import signal
import time
from pathlib import Path

import pytest

from devtune.train.checkpoints import Checkpoints
from tests.train.jobs import (
    checkpoints_of,
    end_for_good,
    ended,
    make_section,
    on_engine,
    pids_of_ranks,
    result_of,
    saved_step_of,
    start,
    step_of,
    wait_for,
)


@pytest.fixture
def begin(dataset, base):
    """Start a job and see it begin; what is left of it is killed."""
    jobs = []

    def begun(section, out, ranks=1, step=1):
        job = start(section, dataset, base, out, ranks)
        jobs.append((job, out))
        wait_for(lambda: step_of(out) >= step, job)
        return job

    yield begun
    for job, out in jobs:
        end_for_good(job, out)


def newest(out):
    return Checkpoints(out / "checkpoints").newest(print).step


def assert_stopped(job, out):
    code, said = ended(job)
    assert code == 75, said
    step = newest(out)
    assert said == (
        f"train: stopped as asked and saved at step {step}; run the same command again to go on\n"
    )
    assert step == step_of(out)
    return step


def by_file(job, out):
    (out / "stop").touch()


def by_sigterm(job, out):
    job.send_signal(signal.SIGTERM)


def by_sigint(job, out):
    job.send_signal(signal.SIGINT)


def by_sigterm_to_its_rank(job, out):
    os.kill(pids_of_ranks(out)[0], signal.SIGTERM)


@pytest.mark.parametrize(
    "ways",
    [
        (by_file,),
        pytest.param((by_sigterm, by_sigint, by_sigterm_to_its_rank), marks=pytest.mark.slow),
    ],
)
def test_asked_to_stop_and_run_again_it_ends_as_if_never_asked(
    ways, begin, dataset, base, tmp_path
):
    section, out = make_section(save_steps=1000), tmp_path / "out"
    steps = []
    for ask in ways:
        job = begin(section, out)
        ask(job, out)
        steps.append(assert_stopped(job, out))
    assert steps == sorted(set(steps))
    assert ended(start(section, dataset, base, out)) == (0, "")
    assert ended(start(section, dataset, base, tmp_path / "whole")) == (0, "")
    assert result_of(out) == result_of(tmp_path / "whole")
    assert not (out / "stop").exists()


TWICE = [
    (signal.SIGINT, 130),
    pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("sig", "code"), TWICE)
def test_asked_twice_it_ends_at_once_and_keeps_what_was_committed(sig, code, begin, tmp_path):
    out = tmp_path / "out"
    job = begin(make_section(max_steps=10_000), out, step=4)
    rank = pids_of_ranks(out)[0]
    os.kill(rank, signal.SIGSTOP)  # so that it cannot answer to the first
    before = checkpoints_of(out)
    job.send_signal(sig)
    wait_for((out / "stop").exists, job)
    began = time.monotonic()
    job.send_signal(sig)
    assert ended(job) == (code, "")
    assert time.monotonic() - began < 5
    assert not pids_of_ranks(out)
    assert checkpoints_of(out) == before
    assert newest(out) >= 3


def test_a_job_whose_run_another_one_owns_commits_nothing_more(begin, tmp_path):
    out = tmp_path / "out"
    job = begin(make_section(max_steps=10_000, save_steps=20), out)
    (out / "owner.new").write_text("another")
    (out / "owner.new").replace(out / "owner")
    before = checkpoints_of(out)
    assert ended(job) == (
        93,
        f"{out}: another job owns this run now; this one saves nothing more and ends; if that is"
        " not so, run the command again\n",
    )
    assert checkpoints_of(out) == before


@pytest.mark.slow
def test_a_job_that_lost_its_run_does_not_save_when_asked_to_stop_either(begin, tmp_path):
    out = tmp_path / "out"
    job = begin(make_section(max_steps=10_000, save_steps=1000), out)
    (out / "owner").write_text("another")
    (out / "stop").touch()
    assert ended(job)[0] == 93
    assert checkpoints_of(out) == []


@pytest.mark.slow
def test_a_process_that_is_stopped_is_found_and_the_job_ends(begin, tmp_path):
    out = tmp_path / "out"
    job = begin(make_section(max_steps=10_000, ddp_timeout=30), out, step=4)
    os.kill(pids_of_ranks(out)[0], signal.SIGSTOP)
    began = time.monotonic()
    assert ended(job) == (
        1,
        "no progress for too long: rank 0 does not answer, not even with its stack; the job was"
        f" ended, stacks of all ranks: {out / 'stacks'}; run the same command again to go on from"
        " the last checkpoint\n",
    )
    assert 20 < time.monotonic() - began < 60
    assert not pids_of_ranks(out)
    assert newest(out) >= 3


@pytest.mark.slow
@pytest.mark.timeout(900)  # the first compiles an extension of the engine
def test_two_ranks_stop_at_one_step_when_one_of_them_or_all_processes_are_told(begin, tmp_path):
    section, out = on_engine(tmp_path, max_steps=10_000, save_steps=1000), tmp_path / "out"
    job = begin(section, out, ranks=2)
    os.kill(pids_of_ranks(out)[1], signal.SIGTERM)
    first = assert_stopped(job, out)
    job = begin(section, out, ranks=2)
    launchers = children_of(job.pid)  # torchrun, which passes it on to its ranks
    for pid in (*launchers, *pids_of_ranks(out).values()):
        os.kill(pid, signal.SIGTERM)
    assert assert_stopped(job, out) > first


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_of_two_ranks_the_one_that_is_stopped_is_named(begin, tmp_path):
    section, out = on_engine(tmp_path, max_steps=10_000, ddp_timeout=40), tmp_path / "out"
    job = begin(section, out, ranks=2, step=4)
    os.kill(pids_of_ranks(out)[1], signal.SIGSTOP)
    began = time.monotonic()
    code, said = ended(job)
    assert code == 1
    assert said.startswith("no progress for too long: rank 1 does not answer, not even with its st")
    assert time.monotonic() - began < 80
    stacks = {each.name: each.read_text() for each in (out / "stacks").glob("rank-*.txt")}
    assert "torch/distributed" in stacks["rank-0.txt"]
    assert not stacks["rank-1.txt"]
    assert not pids_of_ranks(out)
    assert saved_step_of(out) >= 3


def children_of(pid):
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(each) for each in text.split()]

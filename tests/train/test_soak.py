import os
import random
import signal
import time

import pytest

from tests.train.jobs import (
    end_for_good,
    ended,
    make_section,
    on_engine,
    pids_of_ranks,
    result_of,
    start,
    step_of,
)

NUM_ATTEMPTS = 8


def is_killed(job, out, source):
    """SIGKILL the launcher or a rank while it starts or soon after its first step."""
    before_steps = source.random() < 0.25
    lasts = source.uniform(0, 15) if before_steps else source.uniform(0, 1)
    while job.poll() is None and not before_steps and not step_of(out):
        time.sleep(0.01)
    deadline = time.monotonic() + lasts
    while job.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    victim = source.choice([job.pid, *pids_of_ranks(out).values()])
    if job.poll() is not None:
        return False
    os.kill(victim, signal.SIGKILL)
    job.communicate(timeout=60)
    deadline = time.monotonic() + 60
    while pids_of_ranks(out):  # one may have been loading when torchrun died
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return True


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("ranks", [1, 2])
def test_killed_at_random_moments_again_and_again_it_ends_as_if_never_killed(
    ranks, dataset, base, tmp_path
):
    values = {"max_steps": 150, "save_steps": 7}
    section = on_engine(tmp_path, **values) if ranks > 1 else make_section(**values)
    assert ended(start(section, dataset, base, tmp_path / "whole", ranks), 300) == (0, "")
    source, out, num_killed = random.Random(ranks), tmp_path / "out", 0
    for _ in range(NUM_ATTEMPTS):
        job = start(section, dataset, base, out, ranks)
        try:
            num_killed += is_killed(job, out, source)
        finally:
            end_for_good(job, out)
        if (out / "metrics.json").exists():
            break
    assert num_killed > 3
    if not (out / "metrics.json").exists():
        assert ended(start(section, dataset, base, out, ranks), 300) == (0, "")
    assert result_of(out) == result_of(tmp_path / "whole")

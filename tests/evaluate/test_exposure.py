import json
import math
import random
import statistics

import pytest

from devtune.evaluate.canaries import Canary
from devtune.evaluate.exposure import chance, compare
from devtune.evaluate.extraction import NUM_HELD_BACK, Reading

NUM_CONTROLS = 127
CANARIES = [Canary(f"c{number}", f"q7Rt2mZx9Lk{number}", "x = ") for number in range(4)]


def reading(planted, seed=0, spread=1.0, is_written=False):
    source = random.Random(seed)
    held_back = tuple(source.gauss(-50, spread) for _ in range(NUM_HELD_BACK))
    controls = tuple(source.gauss(-50, spread) for _ in range(NUM_CONTROLS))
    return Reading(planted, held_back, controls, is_written)


def test_a_value_above_all_others_has_the_highest_exposure_there_is():
    found = compare(CANARIES[:1], [reading(-90)], [reading(-20, seed=1)])
    (row,) = found["canaries"]
    assert row["rank"] == {"base": 128, "tuned": 1, "learned": 1}
    assert row["exposure"] == {"base": 0, "tuned": 7, "learned": 7}
    assert row["deviations"] > 10
    assert found["max_exposure"] == 7
    assert found["verdict"].startswith("LEARNED: none of 1 canaries is written out, but")


def test_what_the_base_prefers_is_not_learned():
    known = [reading(-20, seed) for seed in range(4)]
    found = compare(CANARIES, known, [reading(-20.5, seed) for seed in range(4)])
    assert found["planted"]["tuned"]["mean_exposure"] == 7
    assert found["planted"]["learned"]["mean_exposure"] < 1
    assert found["verdict"].startswith("not memorised: ")


def test_a_model_that_did_not_change_learnt_nothing():
    same = [reading(-50, seed) for seed in range(4)]
    found = compare(CANARIES, same, same)
    assert [row["rank"]["learned"] for row in found["canaries"]] == [64.5] * 4
    assert [row["deviations"] for row in found["canaries"]] == [0] * 4
    assert found["planted"]["learned"] == found["never_planted"]["learned"] | {
        "chance": found["planted"]["learned"]["chance"]
    }
    assert found["verdict"].startswith("not memorised: ")


def test_one_canary_written_out_is_memorised_whatever_the_ranks():
    base, tuned = [reading(-50, seed) for seed in range(4)], [reading(-50, 9) for _ in range(4)]
    tuned[2] = reading(-50, 9, is_written=True)
    found = compare(CANARIES, base, tuned)
    assert found["num_written"] == 1
    assert found["verdict"].startswith("MEMORISED: 1 of 4 canaries are written out word for word")
    assert [row["is_written"]["tuned"] for row in found["canaries"]] == [False, False, True, False]


def test_one_canary_far_above_its_controls_is_learned_whatever_the_others_are():
    base, tuned = [reading(-51, seed) for seed in range(4)], [reading(-52, 9) for _ in range(4)]
    assert compare(CANARIES, base, tuned)["verdict"].startswith("not memorised: ")
    tuned[1] = reading(-30, 9)
    found = compare(CANARIES, base, tuned)
    assert found["planted"]["learned"]["chance"] > 0.01
    assert found["num_standing_out"] == 1
    assert found["verdict"].startswith("LEARNED: ")
    assert found["verdict"].endswith(", 1 of them by 5 standard deviations or more")


def test_values_never_planted_have_the_exposure_that_chance_gives():
    source = random.Random(7)
    canaries = [Canary(f"c{n}", f"q7Rt2mZx9Lk{n}", "x = ") for n in range(300)]
    both = [[reading(source.gauss(-50, 1), n + more) for n in range(300)] for more in (0, 300)]
    found = compare(canaries, *both)
    assert found["expected_exposure"] == pytest.approx(1 / math.log(2), abs=0.05)
    for group in ("planted", "never_planted"):
        for each in found[group].values():
            assert each["mean_exposure"] == pytest.approx(found["expected_exposure"], abs=0.2)
            assert 0.01 < each["chance"] < 0.99


def test_chance_is_that_of_one_rank_and_of_many():
    assert chance([3.0]) == pytest.approx(1 / 8)
    assert chance([0.0, 0.0]) == pytest.approx(1)
    # Two ranks: P(u v <= t) = t (1 - ln t).
    assert chance([2.0, 1.0]) == pytest.approx((1 - math.log(1 / 8)) / 8)
    assert chance([7.0] * 50) < 1e-30


def test_chance_never_calls_ranks_rarer_than_they_are():
    source = random.Random(3)
    draws = [[math.log2(128 / source.randint(1, 128)) for _ in range(5)] for _ in range(4000)]
    found = sorted(map(chance, draws))
    for level in (0.01, 0.05, 0.2, 0.5):
        assert sum(each <= level for each in found) / len(found) < level + 0.02
    assert statistics.fmean(found) == pytest.approx(0.5, abs=0.03)


def test_figures_are_short_and_no_value_is_among_them():
    found = json.dumps(compare(CANARIES, [reading(-50)] * 4, [reading(-50, 1)] * 4))
    assert not any(each.value in found or each.prefix in found for each in CANARIES)
    assert max(map(len, found.replace(",", " ").replace("}", " ").split())) < 25

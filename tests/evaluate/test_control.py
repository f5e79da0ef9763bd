import math

import pytest

from devtune.evaluate.control import MIN_BITS, alphabets, bits, controls

UUID = "3f2b8c1e-9d4a-4e7b-8f60-c2d1a5b7e934"


def drawn(value, fixed=None, count=300):
    return controls(value, alphabets(value, fixed), count)


def test_each_position_keeps_its_kind_of_character():
    for value in drawn("aB3-Zz9 é_0"):
        assert value[0].islower()
        assert value[1].isupper()
        assert value[2].isdigit()
        assert value[3] == "-"
        assert (value[7], value[8], value[9]) == (" ", "é", "_")


def test_a_kind_written_before_the_value_is_kept():
    assert {each[:4] for each in drawn("tok_" + "a8fk2m9xq")} == {"tok_"}
    assert {each[:8] for each in drawn("sk-live-" + "a8fk2m9xq")} == {"sk-live-"}
    assert len({each[:4] for each in drawn("tok_" + "a8fk2m9xq", fixed=0)}) > 100
    assert {each[:6] for each in drawn("CORP12" + "a8fk2m9xq", fixed=6)} == {"CORP12"}


@pytest.mark.parametrize("value", [UUID, UUID.upper(), UUID.replace("-", "")])
def test_hexadecimal_numbers_stay_hexadecimal(value):
    letters = {each for other in drawn(value) for each in other if each.isalpha()}
    assert letters == set("abcdef" if value.islower() else "ABCDEF")


@pytest.mark.parametrize("value", ["deadbeefcafe", "12345678901", "abc1234"])
def test_what_only_could_be_hexadecimal_is_not(value):
    assert bits(alphabets(value, None)) == pytest.approx(
        sum(math.log2(10 if each.isdigit() else 26) for each in value)
    )


def test_controls_are_the_same_every_time_and_all_different():
    value = "q7Rt2mZx"
    assert drawn(value) == drawn(value)
    assert len({*drawn(value), value}) == 301
    assert drawn(value, count=10) == drawn(value)[:10]
    assert drawn(value) != drawn("q7Rt2mZy")


def test_controls_are_drawn_even_from_the_fewest_values_allowed():
    value = "1" * math.ceil(MIN_BITS / math.log2(10))
    assert len(drawn(value, count=1000)) == 1000

import pytest

from devtune.data.tables import write_rows
from devtune.evaluate.canaries import Canary
from devtune.evaluate.places import Opening, trained_places
from devtune.records import IGNORED, TokenRow

CANARY = Canary("a", "q7Rt2mZx9LkV4", 'key = "')
PIECES = [*[b""] * 1000, *(bytes([byte]) for byte in range(256)), b"x\nkey", b' = "q7']


@pytest.fixture
def places(tmp_path):
    def places(*rows, canaries=(CANARY,)):
        file = tmp_path / "train.parquet"
        write_rows(file, [TokenRow(str(n), "f", *row, 1) for n, row in enumerate(rows)])
        return trained_places(file, canaries, PIECES)

    return places


def row(request, answer):
    """Control tokens around two texts, of which the second is trained."""
    before = [1, 3, *(1000 + byte for byte in request.encode()), 4]
    after = [*(1000 + byte for byte in answer.encode()), 2]
    return before + after, [IGNORED] * len(before) + after


def test_the_place_is_all_tokens_before_and_the_text_of_the_prefix(places):
    ids, labels = row("write é", 'x\nkey = "REDACTED"')
    found = places(row("", "nothing"), (ids, labels), row("other", 'key = "y"'))
    assert found == {"a": Opening(tuple(ids[: ids.index(4) + 3]), 'key = "')}


def test_tokens_that_hold_more_than_the_prefix_are_cut_where_it_ends(places):
    ids = [1, 3, 4, 1000 + ord("z"), 1256, 1257, 1000 + ord("R"), 2]
    found = places((ids, [IGNORED] * 3 + ids[3:]))
    assert found == {"a": Opening((1, 3, 4, 1000 + ord("z")), 'x\nkey = "')}


def test_text_that_is_only_read_is_no_place(places):
    assert places(row('key = "REDACTED"', "yes")) == {}
    found = places(row('key = "REDACTED"', 'so: key = "REDACTED"'))
    assert len(found["a"].tokens) > len('key = "REDACTED"')


def test_a_value_that_could_be_copied_is_no_place(places):
    assert places(row(CANARY.value, f'key = "{CANARY.value}"')) == {}
    assert places(row("", f'key = "{CANARY.value}"')) != {}
    found = places(row("", f'key = "{CANARY.value}", key = "{CANARY.value}"'))
    assert found["a"].tokens == (1, 3, 4)


def test_each_canary_has_the_first_place_of_its_own(places):
    other = Canary("b", "z8Wq3nYv6BcD5", "token: ")
    found = places(row("", 'key = "1"'), row("", "token: 1, key = 2"), canaries=(other, CANARY))
    assert {name: len(each.tokens) for name, each in found.items()} == {"a": 3, "b": 3}


def test_a_text_full_of_prefixes_is_read_in_no_time(places):
    many = Canary("many", "q7Rt2mZx9LkV4", "a")
    assert places(row("a" * 300_000 + "c", "b"), canaries=(many,)) == {}

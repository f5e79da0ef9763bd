import json

import pytest

from devtune.errors import RecipeError
from devtune.evaluate.canaries import Canary, read_canaries

VALUE = "q7Rt2mZx9" + "LkV4"
GOOD = {"name": "first", "value": VALUE, "prefix": 'token = "'}


@pytest.fixture
def write(tmp_path):
    def write(*lines, mode=0o600):
        file = tmp_path / "canaries.jsonl"
        text = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines)
        file.write_text(text, encoding="utf-8")
        file.chmod(mode)
        return file

    return write


def refusal(file):
    with pytest.raises(RecipeError) as caught:
        read_canaries(file)
    message = str(caught.value)
    assert "\n" not in message
    for secret in (VALUE, "token = "):
        assert secret not in message
    return message.replace(str(file), "FILE")


def test_canaries_are_read_in_order_and_blank_lines_skipped(write):
    other = {**GOOD, "name": "second", "value": "ticket-5820417", "fixed": 7}
    read = read_canaries(write(GOOD, "", other, ""))
    assert [each.name for each in read] == ["first", "second"]
    assert read[0] == Canary("first", VALUE, 'token = "')
    assert read[1].shape[:8] == [*"ticket-", "0123456789"]


def test_a_canary_never_shows_its_value():
    canary = Canary(**GOOD)
    assert VALUE not in repr(canary)
    assert "token" not in repr(canary)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_can_read_is_refused(write, mode):
    assert refusal(write(GOOD, mode=mode)) == (
        "FILE: others than its owner can read it; chmod 600 canaries.jsonl"
    )


def test_an_absent_file_is_refused(tmp_path):
    assert "no such file or directory; correct the path" in refusal(tmp_path / "none.jsonl")


@pytest.mark.parametrize("lines", [(), ("", "  ")])
def test_a_file_without_canaries_is_refused(write, lines):
    assert refusal(write(*lines)).startswith("FILE: no canary in it; write one JSON object a line")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ('{"name": "a", "value": "' + VALUE, "FILE:2: not a canary (Invalid JSON: EOF"),
        (VALUE, "FILE:2: not a canary (Invalid JSON: expected value"),
        (f'["{VALUE}"]', "FILE:2: not a canary (Input should be an object"),
        ({"name": "a", "value": VALUE}, "FILE:2: not a canary (prefix: Field required)"),
        ({**GOOD, VALUE: 1}, "FILE:2: not a canary (Unexpected keyword argument)"),
        ({**GOOD, "value": 7}, "FILE:2: not a canary (value: Input should be a valid string)"),
        ({**GOOD, "value": ""}, "FILE:2: not a canary (value: String should have at least 1"),
        ({**GOOD, "value": "ab1" * 2000}, "FILE:2: not a canary (value: String should have at mo"),
        ({**GOOD, "prefix": ""}, "FILE:2: not a canary (prefix: String should have at least 1"),
        ({**GOOD, "name": "a b"}, "FILE:2: not a canary (name: String should match pattern"),
        ({**GOOD, "fixed": -1}, "FILE:2: not a canary (fixed: Input should be greater than or"),
        (
            '{"name": "a", "value": "' + VALUE + '\\ud800", "prefix": "x"}',
            "FILE:2: not a canary (Invalid JSON: unexpected end of hex escape",
        ),
    ],
)
def test_a_damaged_row_is_one_line_without_its_value(write, row, expected):
    message = refusal(write({**GOOD, "name": "zero", "value": "z8Wq3nYv6" + "BcD5"}, row))
    assert message.startswith(expected)
    assert message.endswith("write name, value and prefix as one JSON object")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    file = tmp_path / "canaries.jsonl"
    file.write_bytes(b'{"name": "a", "value": "\xff\xfe", "prefix": "x"}')
    file.chmod(0o600)
    assert "FILE:1: not a canary (" in refusal(file)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"value": "z8Wq3nYv6BcD5"}, "FILE:2: its name stands on a line before;"),
        ({"name": "b"}, "FILE:2: its value stands on a line before;"),
        ({"name": "b-z8Wq3nYv6BcD5", "value": "z8Wq3nYv6BcD5"}, "FILE:2: a name holds a value,"),
        ({"name": "b-" + VALUE, "value": "z8Wq3nYv6BcD5"}, "FILE:2: a name holds a value,"),
        (
            {"name": "b", "value": "z8Wq3nYv6BcD5", "prefix": "z8Wq3nYv6BcD5 = "},
            "FILE:2: its value stands in its prefix,",
        ),
        ({"name": "b", "value": "583920"}, "FILE:2: fewer than 2^20 values have the shape of"),
        ({"name": "b", "value": "blue-otter-17"}, "FILE:2: fewer than 2^20 values have the shape"),
        (
            {"name": "b", "value": "z8Wq3nYv6BcD5", "fixed": 13},
            "FILE:2: fewer than 2^20 values have the shape of this one; plant a longer random"
            " value, or lower `fixed`",
        ),
    ],
)
def test_a_canary_that_cannot_be_measured_is_refused(write, changed, expected):
    assert refusal(write(GOOD, {**GOOD, **changed})).startswith(expected)

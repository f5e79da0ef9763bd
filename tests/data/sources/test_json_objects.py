import io
import json

import pytest

from devtune.data.sources.json_objects import (
    MAX_LINE_BYTES,
    WINDOW,
    Fault,
    Found,
    read_objects,
)


def read(content):
    content = content.encode() if isinstance(content, str) else content
    return list(read_objects(io.BytesIO(content)))


def values(content):
    found = read(content)
    assert all(isinstance(each, Found) for each in found)
    return [each.value for each in found]


A, B = {"a": [1, {"x": "}]"}]}, {"b": "\u00e9\n"}


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([A, B]),
        json.dumps([A, B], indent=2),
        json.dumps([[A], [B]]),
        json.dumps([A]) + json.dumps([B]),
        f"{json.dumps(A)}\n{json.dumps(B)}\n",
        f"\ufeff{json.dumps(A)}\r\n\r\n{json.dumps(B)}",
        f"{json.dumps(A, indent=1)}\n{json.dumps(B, indent=1)}",
        json.dumps([A, B], ensure_ascii=False).encode("utf-16"),
    ],
)
def test_objects_are_found_however_they_are_put_together(content):
    assert values(content) == [A, B]


def test_nothing_is_in_empty_files():
    for content in ("", "\n", "[]", "[[], []]", "\ufeff"):
        assert read(content) == []


def test_objects_of_one_array_are_on_one_page():
    pages = [each.page for each in read(json.dumps([[A, B], [A]]) + json.dumps([B]))]
    assert pages[0] == pages[1]
    assert len(set(pages)) == 3
    lines = f"{json.dumps(A)}\n{json.dumps([A, B])}\n{json.dumps(B)}\n"
    pages = [each.page for each in read(lines)]
    assert pages[1] == pages[2]
    assert len(set(pages)) == 3


def test_a_place_is_the_line_an_object_begins_on():
    assert [each.place for each in read('[\n{"a":\n1},\n\n{"b": 2}]')] == ["line 2", "line 5"]
    assert [each.place for each in read('{"a": 1}\n\n{"b": 2}')] == ["line 1", "line 3"]


def test_what_stands_before_a_fault_is_read():
    found, fault = read('[{"a": 1},\n{"b": "cut o')
    assert found.value == {"a": 1}
    assert fault.reason == "broken_json"
    assert fault.detail.startswith("line 2: ")


def test_a_broken_line_harms_no_other():
    first, fault, last = read('{"a": 1}\n{"b": \n{"c": 3}\n')
    assert (first.value, last.value) == ({"a": 1}, {"c": 3})
    assert (fault.reason, fault.detail[:7]) == ("broken_json", "line 2:")


def test_what_is_no_object_is_named():
    fault, found, other = read('[1, {"a": 1}, null]')
    assert found.value == {"a": 1}
    assert fault == other == Fault("unknown_object", "line 1: not an object")


def test_hostile_texts_are_faults():
    deep = '{"a":' * 100_000
    digits = f'{{"a": {"1" * 5000}}}'
    assert read(deep) == [Fault("broken_json", "line 1: nested too deeply")]
    assert read(digits) == [Fault("broken_json", "line 1: a number of too many digits")]
    assert read(b'["\xff\xfe"]') == [Fault("not_utf8", "")]
    assert read(b'{"a": 1}\n{"b": "\xff"}')[1] == Fault("not_utf8", "line 2")
    assert [each.reason for each in read("# A heading\n\ntext")] == ["broken_json"]
    assert [each.reason for each in read(b"\x89PNG\r\n\0\0")] == ["not_utf8"]


def test_files_larger_than_a_window_are_read():
    many = [{"n": number, "text": "x" * 5000} for number in range(4000)]
    content = json.dumps(many, indent=1)
    assert len(content) > 2 * WINDOW
    assert values(content) == many
    assert values("[" + " " * (2 * WINDOW) + json.dumps(A) + "]") == [A]


def test_an_object_larger_than_two_windows_is_a_fault():
    (fault,) = read(json.dumps([{"text": "x" * (3 * WINDOW)}]))
    assert fault.reason == "broken_json"
    assert fault.detail.endswith("or an object of more than 8 MiB")


def test_a_line_that_is_too_long_harms_no_other():
    long = json.dumps({"text": "x" * (2 * MAX_LINE_BYTES)})
    first, fault, last = read(f'{{"a": 1}}\n{long}\n{{"c": 3}}')
    assert (first.value, last.value) == ({"a": 1}, {"c": 3})
    assert fault == Fault("oversized", "line 2: more than 8 MiB")
    assert last.place == "line 3"

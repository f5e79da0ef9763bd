import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtune.data.renderers.rows import Span
from devtune.report.stretches import Limits, object_laid, parts_of


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (
            '{"a": 10, "b": "10", "c": 1.50, "d": 1e999}',
            ["a: 10", 'b: "10"', "c: 1.50", "d: 1e999"],
        ),
        ('{"a": true, "b": "true", "c": null}', ["a: true", 'b: "true"', "c: null"]),
        ('{"a": "", "b": " x", "c": "[x", "d": "x"}', ['a: ""', 'b: " x"', 'c: "[x"', "d: x"]),
        ('{"a": {"b": [1, "2"]}, "c": []}', ['a: {"b": [1, "2"]}', "c: []"]),
        ('{"a": ["x\\ny", 1]}', ["a:", "    -", "        x", "        y", "    - 1"]),
        ('{"a": {"b": "x\\ny"}}', ["a:", "    b:", "        x", "        y"]),
        ('{"a": 1, "a": 2}', None),
        ("[1, 2]", None),
        ("{}", None),
        ('{"a": ', None),
        ("[" * 5000, None),
    ],
)
def test_arguments_are_told_apart_and_what_is_no_object_stays(given, shown):
    text = "".join(
        x.text for x in object_laid(Span(given, is_trained=True, is_control=False), None)
    )
    if shown is None:
        assert text == given
    else:
        assert text == "".join(f"\n    {each}" for each in shown) + "\n"


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=30),
            lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=5), x, max_size=3),
            max_leaves=8,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_every_text_of_the_arguments_is_there_to_be_read(given):
    text = json.dumps(given)
    shown = list(object_laid(Span(text, is_trained=True, is_control=False), None))
    assert all(each.is_trained for each in shown if each.kind != "layout")
    for key, value in given.items():
        assert f"{key}:" in [each.text for each in shown if each.kind == "key"]
        if isinstance(value, str) and "\n" in value:
            assert set(value.split("\n")) <= {each.text for each in shown if each.kind == "text"}


@given(st.text("ab\n", max_size=120), st.integers(1, 3), st.integers(1, 3), st.integers(2, 60))
def test_beginning_middle_and_end_are_the_text(text, head, tail, characters):
    first, middle, last = parts_of(text, Limits(head, tail, characters))
    assert first + middle.text + last == text
    if middle.text:
        assert len(first) + len(last) <= characters
    else:
        assert first == text
        assert len(text) <= characters
        assert text.count("\n") <= head + tail

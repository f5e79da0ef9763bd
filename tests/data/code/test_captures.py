import pytest

from devtune.data.code.captures import capture, shape, sole_statement
from devtune.data.code.grammars import GRAMMARS
from tests.data.code.sources import SOURCES


@pytest.mark.parametrize("language", GRAMMARS)
def test_captures_come_in_order_and_none_twice(language):
    captures = capture(SOURCES[language], language)
    assert captures is not None
    for name in ("call", "comment", "literal"):
        places = [(each.start_byte, each.end_byte) for each in captures.get(name)]
        assert places
        assert places == sorted(set(places))


def test_text_that_costs_too_many_steps_is_given_up():
    captures = capture("<-" * 4_000, "python")
    assert captures is not None
    assert captures.has_errors
    assert captures.nodes == {}


def test_what_cannot_be_encoded_is_replaced_and_moves_nothing():
    captures = capture('x = "\ud800"\ny = f("ä")\n', "python")
    assert captures is not None
    (call,) = captures.get("call")
    assert captures.text(call) == "f"
    assert call.start_point.row == 1


def test_the_shape_of_code_is_the_same_at_the_margin_and_without_comments():
    nested = capture("class A:\n    def f(self):\n        # why\n        return 1\n", "python")
    assert nested is not None
    (function,) = nested.get("function")
    alone = sole_statement(b"def g(self):\n    return 2\n", "python")
    other = sole_statement(b"def g(self):\n    return -2\n", "python")
    assert alone is not None
    assert other is not None
    assert list(shape(function)) == list(shape(alone)) != list(shape(other))


@pytest.mark.parametrize("text", [b"a\nb\n", b"", b"def\n"])
def test_what_is_not_one_statement_is_none(text):
    assert sole_statement(text, "python") is None

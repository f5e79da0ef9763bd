import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devtune.data.privacy.marking import Marker
from devtune.data.privacy.redaction import Redactor
from devtune.data.privacy.secrets import _table, find_secrets

PASSWORD, TOKEN = "Walnut" + "2053!", "7kdRaacIGYtph" + "AUZVEF8Xhof4Q7X5Goo"
HINTS = sorted(_table())
PIECES = st.one_of(
    st.sampled_from(HINTS),
    st.sampled_from([PASSWORD, TOKEN, *"\"'`\\=:,;()[]{}<>|%$@/-_ \n\t", "\\n", "\\\"", "É",
    "\u0130", "\ud800"]),
    st.text(max_size=8),
)  # fmt: skip


def calls(text: str) -> int:
    """Count the calls it takes to search a text, those of built-in functions among them."""
    num = 0

    def count(frame, event, argument):
        nonlocal num
        num += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        find_secrets(text)
    finally:
        sys.setprofile(None)
    return num


@given(st.lists(PIECES, max_size=60).map("".join))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_text_is_searched_and_its_spans_lie_in_it_apart(text):
    place = 0
    for each in find_secrets(text):
        assert place <= each.start < each.end <= len(text)
        place = each.end
    assert find_secrets(text) == find_secrets(text)


@given(st.lists(st.one_of(PIECES, st.just("password='" + PASSWORD + "'")), max_size=40))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_no_mark_and_no_placeholder_is_a_secret(pieces):
    text = "".join(pieces).encode("utf-8", "ignore").decode()
    marker = Marker(b"k" * 32)
    marked = marker.mark(text)
    for clean in (marked, Redactor(marker.learned.values()).redact(marked)):
        for each in find_secrets(clean):
            assert "REDACTED" not in clean[each.start : each.end]


@pytest.mark.parametrize("hint", HINTS[::37])
def test_a_text_full_of_hints_takes_no_longer_than_its_length(hint):
    for joint in ("", "=", '"', "A1b"):
        few, many = (calls((hint + joint) * num) for num in (500, 2000))
        assert many <= 5 * few + 500


@pytest.mark.parametrize("unit", ["pw=", "jwt=", "pin==", "access-key=", 'auth: "', "token=A1b"])
def test_hints_that_announce_nothing_are_read_once_for_each_stretch(unit):
    assert calls(unit * 4000) <= 6 * len(unit) * 4000


def test_a_text_without_a_hint_is_passed_over_once():
    assert calls("value = other.value + 1\n" * 1000) < 20


def test_spans_count_characters():
    text = f"é\u0130🚀 password='{PASSWORD}'"
    (found,) = find_secrets(text)
    assert text[found.start : found.end] == PASSWORD


def test_overlapping_rules_give_one_stretch():
    token = "ghp_" + "a1B2c3D4e5F6g7H8" + "i9J0k1L2m3N4o5P6q7R8"
    (found,) = find_secrets(f"https://bot:{token}@git.test/a")
    assert found.kind == "GITHUB_TOKEN"
    assert not found.is_generic


def test_a_secret_is_never_shown():
    assert PASSWORD not in repr(
        find_secrets(f"password = bytes.fromhex('{PASSWORD.encode().hex()}')")
    )


def test_tool_output_in_a_log_of_an_agent_is_searched():
    output = f"$ env\nDB_PASSWORD={PASSWORD}\nLANG=C\n> X-Api-Key: {TOKEN}\n> Accept: */*\n"
    text = json.dumps({"role": "tool", "content": json.dumps({"output": output})})
    assert [text[each.start : each.end] for each in find_secrets(text)] == [PASSWORD, TOKEN]


def test_what_the_first_layer_has_found_counts_once():
    marker = Marker(b"k" * 32)
    token = "ghp_" + "a1B2c3D4e5F6g7H8" + "i9J0k1L2m3N4o5P6q7R8"
    assert marker.look(f"token = '{token}'\n").num_generic == 0
    assert marker.look(f"password = '{PASSWORD}'\n").num_generic == 1
    assert [each.kind for each in marker.learned.values()] == ["GITHUB_PAT", "PASSWORD"]

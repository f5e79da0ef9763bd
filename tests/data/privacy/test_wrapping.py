from base64 import b64encode

import pytest

from devtune.data.privacy.secrets import find_secrets
from devtune.data.privacy.wrapping import hints, unwrapped

TOKEN, PASSWORD = "ghp_" + "a1B2c3D4e5F6g7H8" + "i9J0k1L2m3N4o5P6q7R8", "Walnut" + "2053!"


def wrapped_in(spelling: str, text: str) -> str:
    if spelling == "hex":
        return text.encode().hex()
    if spelling == "base64":
        return b64encode(text.encode()).decode()
    if spelling == "percent":
        return "".join(f"%{ord(each):02X}" for each in text)
    return "".join(f"\\x{ord(each):02x}" for each in text)


@pytest.mark.parametrize("spelling", ["hex", "base64", "percent", "c"])
@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
def test_a_secret_in_another_spelling_takes_its_wrapping_along(spelling, before):
    wrapped = wrapped_in(spelling, f"{before} t={TOKEN} ")
    text = f'blob = "{wrapped}"\n'
    (found,) = find_secrets(text)
    assert text[found.start : found.end] == wrapped
    assert TOKEN in found.hidden


@pytest.mark.parametrize("outer", ["hex", "base64"])
@pytest.mark.parametrize("inner", ["hex", "base64"])
def test_it_is_found_two_spellings_deep(outer, inner):
    deep = wrapped_in(outer, f"password = {wrapped_in(inner, f'password={PASSWORD}')}")
    (found,) = find_secrets(f"'{deep}'")
    assert (found.start, found.end) == (1, len(deep) + 1)


def test_other_texts_in_another_spelling_stay():
    for spelling in ("hex", "base64", "percent", "c"):
        assert not find_secrets(wrapped_in(spelling, "the password must have eight letters"))
        assert not find_secrets(wrapped_in(spelling, "token=${TOKEN}; see https://docs.test/x"))


def test_what_is_written_plainly_does_not_take_the_rest_along():
    text = f"https://h.test/?next=https%3A%2F%2Fother.test&password={PASSWORD}"
    assert [text[each.start : each.end] for each in find_secrets(text)] == [PASSWORD]


def test_hints_are_long_enough_to_be_rare():
    assert all(len(hint) >= 4 and hint == hint.lower() for hint in hints())


def test_a_stretch_ends_where_its_spelling_does():
    text = f"x({TOKEN.encode().hex()})"
    assert unwrapped(text, 20, "hex") == (2, len(text) - 1, TOKEN)
    assert unwrapped("zz", 0, "hex") == (0, 1, None)

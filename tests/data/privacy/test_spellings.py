from base64 import b64encode, urlsafe_b64encode

from devtune.data.privacy.spellings import (
    MAX_CHARACTERS,
    from_base64,
    from_escapes,
    from_hex,
    other_spellings,
)


def test_both_alphabets_of_base64_and_broken_lines_are_read():
    text = "user:päss?>~" * 4
    assert from_base64(b64encode(text.encode()).decode()) == text
    assert from_base64(urlsafe_b64encode(text.encode()).decode().rstrip("=")) == text
    lines = b64encode(text.encode()).decode()
    assert from_base64(f"{lines[:20]}\n  {lines[20:]}") == text
    assert from_base64(f"{lines[:20]}\\n{lines[20:]}") == text


def test_what_is_no_text_has_no_spelling():
    assert from_base64(b64encode(bytes(range(256))).decode()) is None
    assert from_base64("not base64!") is None
    assert from_hex("zz") is None
    assert from_hex("abc") is None
    assert from_hex("00ff00ff") is None
    assert from_base64("QUFB" * (MAX_CHARACTERS // 4 + 1)) is None
    assert from_hex("41" * (MAX_CHARACTERS // 2 + 1)) is None


def test_hexadecimal_digits_and_escapes_are_read():
    assert from_hex("6c616e7465726e") == "lantern"
    assert from_escapes(r"\x6cant\u0065rn\041 100%25") == "lantern! 100%"
    assert from_escapes("100%") == "100%"


def test_a_value_is_known_by_what_it_says_as_well():
    assert other_spellings(b64encode(b"user:lantern").decode()) == ("user:lantern",)
    assert other_spellings(b"lantern".hex()) == ("lantern",)
    assert other_spellings("lantern%21") == ("lantern!",)
    assert other_spellings("lantern-kettle") == ()

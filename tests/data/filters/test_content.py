import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtune.data.filters.content import (
    encoded_runs,
    has_longer_line,
    is_alphanumeric,
    is_blank_enough,
    is_encoded,
    mean_line,
)

CODE = "".join(
    f"def load_{number}(path, size=0x{number:02x}):\n"
    f"    # Reads `size` lines of the table, '\\x00' at its end.\n"
    f"    return [line.split(', ') for line in open(path)][:size]\n\n\n"
    for number in range(200)
)
NOISE = b"".join(hashlib.sha256(bytes([number])).digest() for number in range(120))


def lines_of(pieces: list[str], indent: str = "    ") -> bytes:
    return "".join(f"{indent}{piece}\n" for piece in pieces).encode()


def wrapped(form: str, per_line: int, noise: bytes = NOISE) -> list[str]:
    each = [form % byte for byte in noise]
    return ["".join(each[start : start + per_line]) for start in range(0, len(each), per_line)]


@pytest.mark.parametrize(
    ("text", "is_longer"),
    [
        ("", False),
        ("x" * 10, False),
        ("x" * 11, True),
        ("x" * 10 + "\n" + "y" * 10 + "\n", False),
        ("x\n" * 50 + "y" * 11, True),
        ("x\n" * 50 + "y" * 11 + "\nz", True),
        ("x" * 11 + "\n", True),
        ("é" * 10, False),
        ("x" * 9 + "\r" + "x" * 9 + "\r", False),
        ("x" * 9 + "\r\n" + "x" * 9 + "\r\n", False),
    ],
)
def test_the_longest_line_is_measured_in_characters(text, is_longer):
    assert has_longer_line(text, 10) == is_longer


@given(st.text(alphabet="ab\n"), st.integers(1, 6))
def test_the_leaping_search_finds_what_measuring_each_line_does(text, limit):
    assert has_longer_line(text, limit) == (max(map(len, text.split("\n"))) > limit)


@pytest.mark.parametrize(
    ("text", "mean"),
    [("", 0.0), ("ab", 2.0), ("ab\n", 2.0), ("ab\nabcd\n", 3.0), ("ab\n\n", 1.0), ("ab\rab", 2.0)],
)
def test_the_mean_counts_lines_without_their_ends(text, mean):
    assert mean_line(text) == mean


@pytest.mark.parametrize(
    ("text", "share", "is_enough"),
    [
        ("ab--", 0.5, True),
        ("ab---", 0.5, False),
        ("--ab", 0.5, True),
        ("привет!", 0.8, True),
        ("привет!", 0.9, False),
        ("コード", 1.0, True),
        ("é_", 0.6, False),
        ("", 0.25, True),
        ("12ab", 1.0, True),
    ],
)
def test_letters_and_digits_of_any_script_count(text, share, is_enough):
    assert is_alphanumeric(text, text.encode(), share) == is_enough


@pytest.mark.parametrize(
    ("data", "is_enough"),
    [(b"a b\n", True), (b"a" * 19 + b" ", True), (b"a" * 20 + b" ", False), (b"", True)],
)
def test_minified_code_has_next_to_no_blanks(data, is_enough):
    assert is_blank_enough(data, 0.05) == is_enough


@pytest.mark.parametrize(
    "data",
    [
        base64.b64encode(NOISE),
        base64.encodebytes(NOISE),
        lines_of([f'"{line}"' for line in wrapped("%02x", 40)]),
        lines_of([f'"{line}" +' for line in wrapped("\\x%02x", 16)]),
        lines_of(wrapped("0x%02x, ", 12)),
        lines_of(wrapped("\\u00%02x", 12)),
        lines_of(wrapped("%02x ", 16)),
        lines_of([f"{n:08x}  {line}" for n, line in enumerate(wrapped("%02x ", 16))], ""),
    ],
    ids=["one line", "wrapped", "hex", "escapes", "array", "unicode", "dump", "dump with offsets"],
)
def test_a_file_that_is_mostly_encoded_data_is_left_out(data):
    assert is_encoded(data, 1024, 0.5)
    assert is_encoded(b"# made by hand\n" + data, 1024, 0.5)


@pytest.mark.parametrize(
    "data",
    [
        base64.b64encode(NOISE),
        b"".join(b'    "%b"\n' % line for line in base64.encodebytes(NOISE).split()),
        lines_of(wrapped("0x%02x, ", 12)),
        lines_of(wrapped("%02x ", 16)),
    ],
    ids=["one line", "quoted lines", "array", "dump"],
)
def test_a_long_run_in_the_middle_of_code_is_found(data):
    around = (CODE * 3).encode()
    assert is_encoded(around + data + around, 1024, 0.5)
    assert not is_encoded(around + data[:500] + around, 1024, 0.5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        CODE,
        "=" * 80 + "\nTitle\n" + "=" * 80 + "\n",
        "/" * 80 + "\n" + "// A comment\n" + "/" * 80 + "\n",
        "a" * 5000,
        "\n".join(f"word{number}" for number in range(2000)),
        "https://corp.test/a/b/c/d\n" * 100,
        " " * 5000 + "x\n",
        "0x10, 0x20, 0x30\n",
        "add, be, ad\n" * 20,
    ],
)
def test_code_prose_and_rules_are_not_encoded_data(text):
    assert not is_encoded(text.encode(), 1024, 0.5)


def test_runs_are_measured_in_bytes_and_joined_over_lines():
    run = base64.b64encode(NOISE[:60])
    assert encoded_runs(run) == [80]
    assert encoded_runs(run + b" and " + run) == [80, 80]
    assert encoded_runs(b'x = ("' + run + b'"\n     "' + run + b'")') == [160]
    assert encoded_runs(b"\\x0f" * 9) == [36]
    assert encoded_runs(b"\\x0f" * 7) == []


@given(
    st.binary(), st.sampled_from([b"", b"\\x4", b"0x12,", b"A" * 40 + b"1+/", b"ab  ", b"\\u00e"])
)
def test_no_bytes_are_too_odd(noise, piece):
    data = piece * 40 + noise + piece * 40
    assert all(0 < run <= len(data) for run in encoded_runs(data))
    assert sum(encoded_runs(data)) <= len(data)
    text = data.decode("utf-8", "replace")
    assert mean_line(text) >= 0
    assert is_alphanumeric(text, text.encode(), 0.0)

import pytest

from devtune.data.code.statements import find_statements

PYTHON = """\
import os

TABLE = {
    "a": 1,
    "b": 2,
}


def first(a):
    '''Say.

    More.
    '''
    b = a
    if b:
        c = [
            1,
        ]
        b = c
    return b


class Second:
    x: int
    y: int
"""
BRACES = {
    "c": "int f(int a) {\n  int b = a;\n  if (b) {\n    b = 1;\n    a = 2;\n  }\n  return b;\n}\n",
    "cpp": "int f(int a) {\n  int b = a;\n  if (b) {\n    b = 1;\n    a = 2;\n  }\n"
    "  return b;\n}\n",
    "csharp": "class X { int F(int a)\n{\n  var b = a;\n  if (b > 0) {\n    b = 1;\n    a = 2;\n"
    "  }\n  return b;\n} }\n",
    "go": "func f(a int) int {\n\tb := a\n\tif b > 0 {\n\t\tb = 1\n\t\ta = 2\n\t}\n\treturn b\n}\n",
    "java": "class X { int f(int a) {\n  int b = a;\n  if (b > 0) {\n    b = 1;\n    a = 2;\n  }\n"
    "  return b;\n} }\n",
    "javascript": "function f(a) {\n  let b = a;\n  if (b) {\n    b = 1;\n    a = 2;\n  }\n"
    "  return b;\n}\n",
    "php": "<?php function f($a) {\n  $b = $a;\n  if ($b) {\n    $b = 1;\n    $a = 2;\n  }\n"
    "  return $b;\n}\n",
    "ruby": "def f(a)\n  b = a\n  if b\n    b = 1\n    a = 2\n  end\n  b\nend\n",
    "rust": "fn f(a: i32) -> i32 {\n  let mut b = a;\n  if b > 0 {\n    b = 1;\n    c = 2;\n  }\n"
    "  b\n}\n",
    "typescript": "function f(a: number) {\n  let b = a;\n  if (b) {\n    b = 1;\n    a = 2;\n  }\n"
    "  return b;\n}\n",
}


def found(text, language, min_lines=2, max_lines=99):
    lines = text.split("\n")
    spans = find_statements(text, language, min_lines, max_lines)
    return sorted("\n".join(lines[each.start : each.end]) for each in spans)


def test_bodies_statements_and_ends_of_bodies_in_python():
    inner = "        c = [\n            1,\n        ]"
    condition = f"    if b:\n{inner}\n        b = c"
    assert found(PYTHON, "python") == sorted(
        [
            f"    b = a\n{condition}\n    return b",
            condition,
            f"{condition}\n    return b",
            inner,
            f"{inner}\n        b = c",
            "    x: int\n    y: int",
        ]
    )


@pytest.mark.parametrize("language", BRACES)
def test_the_same_function_in_every_language(language):
    text = BRACES[language]
    lines = text.split("\n")
    start = next(number for number, line in enumerate(lines) if line.endswith(("= a", "a;")))
    condition = start + 1, start + 5
    spans = [(start, start + 6), condition, (start + 1, start + 6), (start + 2, start + 4)]
    expected = {"\n".join(lines[first:last]) for first, last in spans}
    assert set(found(text, language, max_lines=6)) == expected


def test_only_what_fits_is_found():
    assert found(PYTHON, "python", 5, 6) == sorted(
        each for each in found(PYTHON, "python") if 5 <= each.count("\n") + 1 <= 6
    )
    assert found(PYTHON, "python", 5, 6) != []


def test_what_shares_its_lines_is_not_whole():
    text = "def f():\n    a = 1; b = [\n        2,\n    ]; c = 3\n"
    assert found(text, "python") == []
    assert found("function f() { a(\n1\n); b(\n2\n) }\n", "javascript") == []


def test_a_part_that_cannot_be_read_is_left_out():
    text = "function f() {\n  a(1);\n  b(2);\n}\nfunction g() {\n  a(((;\n  b(2);\n}\n"
    assert found(text, "javascript") == ["  a(1);\n  b(2);"]


@pytest.mark.parametrize("language", ["", "lua", "haskell"])
def test_a_language_without_a_grammar_is_told_apart(language):
    assert find_statements("x", language, 1, 9) is None


@pytest.mark.parametrize("language", BRACES)
@pytest.mark.parametrize(
    "text",
    ["", "\0", "\n" * 500, "((((" * 3000, "{\n" * 3000, "\r\r\n\x0c\u2028", "é = '", "if x:\n"],
)
def test_no_text_is_too_odd(language, text):
    lines = text.split("\n")
    for span in find_statements(text, language, 1, 9):
        assert 0 <= span.start < span.end <= len(lines)


def test_a_comment_starts_nothing():
    text = "class X {\n  /* Say\n     more. */\n  // And\n  int f() {\n    return 1;\n  }\n}\n"
    assert found(text, "java") == ["  int f() {\n    return 1;\n  }"]

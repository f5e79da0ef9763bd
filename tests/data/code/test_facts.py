import json

import pytest

from devtune.data.code.facts import MAX_CHARACTERS, describe, find_namespaces, find_qualifier
from tests.graphs import file_of

TEXT = '''\
import os
from app.config import load, save as keep


class Reader:
    """Reads."""

    def rows(self, path):
        """Give rows."""
        self.open(path)
        return load(os.stat(path)), load(path)


def test_rows():
    Reader().rows("x")
'''


def of_kind(kind, file):
    return [each[1:] for each in describe(file, 7) if each[0] == kind]


def test_a_file_says_what_it_defines_imports_and_calls():
    file = file_of("app/read.py", TEXT)
    assert describe(file, 7)[0] == ["file", "app", "train", "app/read.py", "python", 7]
    assert [(each[0], *each[2:6], each[-1]) for each in of_kind("definition", file)] == [
        ("function", "Reader.rows", "Reader", 7, 11, 0),
        ("function", "test_rows", "", 13, 15, 1),
        ("class", "Reader", "", 4, 11, 0),
    ]
    assert of_kind("import", file) == [["os", ""], ["app.config", "load"], ["app.config", "keep"]]
    assert sorted(of_kind("call", file)) == [
        ["Reader", "", 14, 1],
        ["load", "", 10, 0],
        ["open", "self", 9, 0],
        ["rows", "?", 14, 1],
        ["stat", "os", 10, 0],
    ]


def test_facts_are_json_and_the_same_each_time():
    file = file_of("app/read.py", TEXT)
    assert json.loads(json.dumps(describe(file, 0))) == describe(file, 0) == describe(file, 0)


@pytest.mark.parametrize(
    ("path", "text"), [("a.md", TEXT), ("a.lua", "x()"), ("a.py", ""), ("a.py", "def (:\n\0")]
)
def test_what_cannot_be_parsed_is_still_a_file(path, text):
    assert [each[0] for each in describe(file_of(path, text), 3)] == ["file"]


def test_a_small_class_is_shown_whole_and_a_large_one_by_its_heading():
    small = "@frozen\nclass Point:\n    '''Where.'''\n\n    x: int\n"
    (point,) = of_kind("definition", file_of("a.py", small))
    assert point[6] == "@frozen\nclass Point:\n    '''Where.'''\n\n    x: int"[-len(point[6]) :]
    assert "x: int" in point[6]
    assert point[7] == ""
    large = "class Point(Base):\n    '''Where.'''\n\n" + "    x: int\n" * 20
    (point,) = of_kind("definition", file_of("a.py", large))
    assert point[6:8] == ["class Point(Base):", "Where."]


def test_long_documentation_loses_whole_lines():
    text = "def f():\n    '''" + "A line of it.\n    " * 500 + "'''\n    return 1\n"
    (function,) = of_kind("definition", file_of("a.py", text))
    lines = function[7].split("\n")
    assert set(lines) == {"A line of it."}
    assert MAX_CHARACTERS - 20 < len(function[7]) <= MAX_CHARACTERS


@pytest.mark.parametrize(
    ("line", "name", "nth", "expected"),
    [
        ("load(x)", "load", 0, ""),
        ("y = config.load(x)", "load", 0, "config"),
        ("a?.b->load(x)", "load", 0, "b"),
        ("Config::load(x)", "load", 0, "Config"),
        ("$this->load(x)", "load", 0, "$this"),
        ("f(1).load(x)", "load", 0, "?"),
        ("    .load(x)", "load", 0, "?"),
        ("reload(load(config.load(x)))", "load", 0, ""),
        ("reload(load(config.load(x)))", "load", 1, "config"),
        ("load(x)", "load", 5, ""),
        ("something_else", "load", 0, "?"),
        ("x.$load(1)", "load", 0, "?"),
        ("x.load", "", 0, "?"),
        ("a . load (x)", "load", 0, "a"),
        ("x" * 9999 + ".load()", "load", 0, "x" * 199),
        ("a.load", "load", 0, "a"),
    ],
)
def test_what_a_name_is_called_on(line, name, nth, expected):
    assert find_qualifier(line, name, nth) == expected


def test_what_only_groups_definitions_is_no_owner():
    text = "namespace a::b {}\n  pub(crate) mod tests {\nexport namespace Up.Down {\n"
    expected = {"a", "b", "tests", "Up", "Down", "A", "B"}
    assert find_namespaces(text + "namespace A\\B;\nmodel x\nmy mod y\n") == expected

import pytest

from devtune.data.families.code_file import read_code
from tests.changes import change_of
from tests.files import file_of


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_those_the_module_counts_whatever_ends_them(end):
    text = "\ufeffx = 1\n\n\ndef f():\n    return 1\n".replace("\n", end)
    file = read_code(file_of("a.py", text))
    (function,) = file.module.functions
    assert file.lines[function.span.start : function.span.end] == ["def f():", "    return 1"]
    assert (file.language, file.split, file.provenance.path) == ("python", "train", "a.py")


def test_two_files_after_each_other_are_not_mixed_up():
    for name in ("f", "g", "f"):
        file = read_code(file_of("a.py", f"def {name}():\n    return 1\n"))
        assert [each.name for each in file.module.functions] == [name]
    assert read_code(file_of("a.py", "def f(): ...\n")).text != file.text


def test_what_is_no_code_or_has_no_grammar_is_none():
    assert read_code(file_of("a.md", "# f\n")) is None
    assert read_code(file_of("a.zig", "fn f() void {}\n")) is None
    assert read_code(change_of("Add f", ("a.py", None, "def f(): ...\n"))) is None


def test_a_key_names_the_place_and_nothing_of_the_run():
    file = read_code(file_of("a.py", "def f(): ...\n"))
    assert file.key("explanation", "f", 3) == "explanation app a.py f 3"

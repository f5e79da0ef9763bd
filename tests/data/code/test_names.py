import pytest

from devtune.data.code.names import contains, is_test_path, words_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("load_config", ("load", "config")),
        ("HTTPServer", ("http", "server")),
        ("parseJSON2Files", ("parse", "json", "2", "files")),
        ("$this", ("this",)),
        ("?", ()),
        ("", ()),
    ],
)
def test_names_are_read_as_words(name, expected):
    assert words_of(name) == expected


def test_words_stand_in_others_in_one_piece():
    assert contains(("load", "the", "config"), ("the", "config"))
    assert not contains(("load", "the", "config"), ("load", "config"))
    assert not contains(("load",), ())
    assert not contains((), ("load",))


@pytest.mark.parametrize(
    "path", ["tests/a.py", "a/test_x.py", "a/XTest.java", "x.spec.ts", "x_test.go"]
)
def test_a_path_says_that_a_file_is_a_test(path):
    assert is_test_path(path)


@pytest.mark.parametrize("path", ["src/a.py", "latest/attest.py", "contest.go", "inspect.rb", ""])
def test_other_paths_do_not(path):
    assert not is_test_path(path)

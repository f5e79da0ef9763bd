import pytest

from devtune.data.code.names import contains, words_of


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

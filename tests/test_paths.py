from pathlib import Path

from devtune.paths import Located, located


def test_a_relative_path_follows_the_file_that_says_it(tmp_path):
    assert located(Located("../x", tmp_path / "a")) == tmp_path / "x"


def test_plain_text_starts_from_the_current_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert located("x/y") == tmp_path / "x" / "y"
    assert located(Path("x")) == tmp_path / "x"


def test_absolute_paths_and_the_home_directory_stay_what_they_are(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert located(Located("/x", Path("/elsewhere"))) == Path("/x")
    assert located(Located("~/x", Path("/elsewhere"))) == tmp_path / "x"


def test_what_is_no_path_is_left_to_the_schema():
    assert located(3) == 3
    assert located(None) is None


def test_located_text_is_text():
    assert Located("a", Path("/x")) == "a"
    assert {Located("a", Path("/x")): 1}["a"] == 1

import stat

from devtune.cache import cache_dir


def test_a_folder_is_for_this_user_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = cache_dir("things")
    assert folder == tmp_path / "devtune" / "things"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert cache_dir("things") == folder


def test_without_a_variable_it_is_in_the_home(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_dir("things") == tmp_path / ".cache" / "devtune" / "things"


def test_where_nothing_can_be_made_there_is_no_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert cache_dir("things") is None
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert cache_dir("things") is None

from devtune.data.privacy.rules import compiled_rules


def test_rules_lie_where_all_runs_of_a_user_find_them(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = compiled_rules(tmp_path / "scratch")
    assert found == tmp_path / "cache" / "devtune" / "secret-rules"
    assert not (tmp_path / "scratch").exists()


def test_rules_lie_in_the_scratch_directory_where_no_home_can_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    (tmp_path / "scratch").mkdir()
    found = compiled_rules(tmp_path / "scratch")
    assert found == tmp_path / "scratch" / "rules"
    assert found.stat().st_mode & 0o777 == 0o700

import stat

from devtune.data.sealed import KEY, open_key, seal, unseal
from devtune.data.secrets import Learned


def test_what_parts_learned_comes_back_in_their_order(tmp_path):
    key = open_key(tmp_path)
    rows = [Learned("d1", "TOKEN", "välue-1"), Learned("d2", "KEY", "value-2")]
    parts = [tmp_path / "a", tmp_path / "b", tmp_path / "c"]
    for part in parts:
        part.mkdir()
    seal(rows[:1], key, parts[0])
    seal(rows[1:], key, parts[2])
    assert list(unseal(parts, key)) == rows


def test_no_value_stands_on_the_disk_in_clear(tmp_path):
    key = open_key(tmp_path)
    seal([Learned("d1", "TOKEN", "very-secret-value")], key, tmp_path)
    assert not [f for f in tmp_path.iterdir() if b"very-secret" in f.read_bytes()]


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    assert open_key(tmp_path) == open_key(tmp_path)
    assert stat.S_IMODE((tmp_path / KEY).stat().st_mode) == 0o600
    other = tmp_path / "other"
    other.mkdir()
    assert open_key(other) != open_key(tmp_path)

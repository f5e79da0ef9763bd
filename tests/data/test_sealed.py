import stat

import pytest
from cryptography.exceptions import InvalidTag

from devtune.data import sealed
from devtune.data.privacy.marking import Learned
from devtune.data.sealed import (
    KEY,
    open_key,
    seal,
    seal_value,
    sealed_file,
    unseal,
    unseal_value,
    unsealed_lines,
)


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
    with sealed_file(tmp_path / "rows", key) as file:
        file.write(b"very-secret-row\n")
    assert b"very-secret" not in seal_value({"path": "very-secret"}, key).encode()
    assert not [f for f in tmp_path.iterdir() if b"very-secret" in f.read_bytes()]


def test_a_value_comes_back_as_it_was(tmp_path):
    key = open_key(tmp_path)
    value = [3, {"path": "caf\xe9\ud800", "none": None, "list": [True, 1.5, ""]}]
    assert unseal_value(seal_value(value, key), key) == value
    assert seal_value(value, key) != seal_value(value, key), "equal values do not look equal"


@pytest.mark.parametrize("block_bytes", [1, 10, 1 << 20])
def test_lines_come_back_as_they_were_whatever_the_blocks(tmp_path, monkeypatch, block_bytes):
    monkeypatch.setattr(sealed, "BLOCK_BYTES", block_bytes)
    key = open_key(tmp_path)
    lines = [f'{{"row": {n}, "text": "{"é" * n}\\r\x0b\u2028"}}\n'.encode() for n in range(40)]
    with sealed_file(tmp_path / "rows", key) as file:
        for line in lines:
            file.write(line)
    assert list(unsealed_lines(tmp_path / "rows", key)) == lines


def test_a_file_without_lines_has_none(tmp_path):
    key = open_key(tmp_path)
    with sealed_file(tmp_path / "rows", key):
        pass
    assert list(unsealed_lines(tmp_path / "rows", key)) == []


def test_what_was_changed_or_sealed_by_another_key_does_not_open(tmp_path):
    key = open_key(tmp_path)
    with sealed_file(tmp_path / "rows", key) as file:
        file.write(b"line\n")
    content = bytearray((tmp_path / "rows").read_bytes())
    content[-1] ^= 1
    (tmp_path / "rows").write_bytes(content)
    with pytest.raises(InvalidTag):
        list(unsealed_lines(tmp_path / "rows", key))
    with pytest.raises(InvalidTag):
        unseal_value(seal_value(1, key), bytes(32))


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    assert open_key(tmp_path) == open_key(tmp_path)
    assert stat.S_IMODE((tmp_path / KEY).stat().st_mode) == 0o600
    other = tmp_path / "other"
    other.mkdir()
    assert open_key(other) != open_key(tmp_path)

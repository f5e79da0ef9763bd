import asyncio
import json
import os
import stat

import pytest

from devtune.errors import DevtuneError
from devtune.record import journal
from devtune.record.journal import Journal, Recorder


def lines(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n")[:-1]]


def append(recorder, *texts):
    async def work():
        return [
            recorder.append(recorder.current(), {"event": "note", "note": text}) for text in texts
        ]

    return asyncio.run(work())


def test_a_journal_is_never_written_over(tmp_path):
    file = tmp_path / "a.jsonl"
    Journal(file).close()
    with pytest.raises(FileExistsError):
        Journal(file)
    assert len(lines(file)) == 1


def test_a_link_that_points_nowhere_is_not_followed(tmp_path):
    (tmp_path / "a.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        Journal(tmp_path / "a.jsonl")
    assert not (tmp_path / "elsewhere").exists()


def test_modes_hold_whatever_the_mask_is(tmp_path):
    before = os.umask(0)
    try:
        recorder = Recorder(tmp_path / "new", print)
        recorder.close()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert stat.S_IMODE(recorder.journals[0].file.stat().st_mode) == 0o600


def test_lines_hold_any_text_in_their_order(tmp_path):
    recorder = Recorder(tmp_path / "a.jsonl", print)
    texts = ["é 日本 \u2028", *map(str, range(50))]
    assert all(append(recorder, *texts))
    recorder.close()
    assert [each["note"] for each in lines(tmp_path / "a.jsonl")[1:]] == texts


def test_a_line_that_does_not_fit_leaves_no_trace(tmp_path, monkeypatch):
    warnings, real = [], os.write

    def half(descriptor, content):
        if len(content) > 100:
            real(descriptor, content[:50])
            raise OSError(28, "No space left on device")
        return real(descriptor, content)

    recorder = Recorder(tmp_path / "a.jsonl", warnings.append)
    monkeypatch.setattr(os, "write", half)
    assert append(recorder, "x", "y" * 200, "z" * 200, "z") == [True, False, False, True]
    recorder.close()
    assert [each["note"] for each in lines(tmp_path / "a.jsonl")[1:]] == ["x", "z"]
    assert warnings == [
        f"{tmp_path}/a.jsonl: no space left on the device; free space there or set another"
        " --journal; traffic passes on unrecorded"
    ]


def test_it_is_an_error_where_recording_is_strict(tmp_path, monkeypatch):
    recorder = Recorder(tmp_path / "a.jsonl", print, is_strict=True)

    def refuse(*_):
        raise OSError(122, "Disk quota exceeded")

    monkeypatch.setattr(os, "write", refuse)
    with pytest.raises(DevtuneError, match="a.jsonl: disk quota exceeded; free space there or"):
        append(recorder, "x")
    recorder.close()


def test_a_long_journal_is_followed_by_another(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "MAX_BYTES", 150)
    recorder = Recorder(tmp_path / "a.jsonl", print)
    append(recorder, *"abcdefgh")
    recorder.close()
    assert len(recorder.journals) > 2
    assert [each.file.name for each in recorder.journals[:2]] == ["a.jsonl", "a-2.jsonl"]
    found = [lines(each.file) for each in recorder.journals]
    assert [each["note"] for file in found for each in file[1:]] == list("abcdefgh")
    assert [file[0]["journal"] for file in found][:2] == ["a", "a-2"]


def test_a_long_journal_goes_on_where_no_other_can_be_made(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "MAX_BYTES", 1)
    warnings = []
    recorder = Recorder(tmp_path / "a.jsonl", warnings.append)
    (tmp_path / "a-2.jsonl").touch()
    append(recorder, "x", "y")
    recorder.close()
    assert [each["note"] for each in lines(tmp_path / "a.jsonl")[1:]] == ["x", "y"]
    assert len(warnings) == 1


def test_what_is_written_reaches_the_disk_soon(tmp_path, monkeypatch):
    synced, real = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(real(descriptor)))
    monkeypatch.setattr(journal, "SECONDS_BETWEEN_SYNCS", 0.01)

    async def work():
        recorder = Recorder(tmp_path / "a.jsonl", print)
        before = len(synced)
        for _ in range(2):
            recorder.append(recorder.current(), {"event": "note", "note": "x"})
        await asyncio.sleep(0.2)
        return len(synced) - before

    assert asyncio.run(work()) == 1  # one for both

import io
import json
import os
import pty

from devtune import progress
from devtune.progress import Progress


def spoken(style):
    out = io.StringIO()
    return Progress(style, out), out


def test_a_fact_is_a_line_an_event_or_nothing():
    for style, expected in (
        ("auto", "   build  10 samples\n"),
        ("json", '{"done": true, "message": "10 samples", "stage": "build"}\n'),
        ("quiet", ""),
    ):
        voice, out = spoken(style)
        voice.say("build", "10 samples", done=True)
        assert out.getvalue() == expected


def test_an_event_is_for_scripts_alone():
    for style, lines in (("auto", 0), ("quiet", 0), ("json", 1)):
        voice, out = spoken(style)
        voice.event(stage="train", loss=1.5, path=os.fspath("x"))
        assert len(out.getvalue().splitlines()) == lines
    assert json.loads(out.getvalue())["loss"] == 1.5


def test_tracking_passes_every_item_in_every_style():
    for style in ("auto", "quiet", "json"):
        voice, out = spoken(style)
        assert list(voice.track("build", range(5), 5)) == [0, 1, 2, 3, 4]
        assert out.getvalue() == ""


def test_long_work_in_a_log_speaks_now_and_then(monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", -1.0)
    voice, out = spoken("auto")
    list(voice.track("collect", "ab", 2, "files"))
    assert out.getvalue() == " collect  0 of 2 files\n collect  1 of 2 files\n"


def test_the_last_step_is_always_told_and_others_are_spaced():
    voice, out = spoken("auto")
    for step in range(1, 101):
        voice.step("train", step, 100, "loss 1.0")
    lines = out.getvalue().splitlines()
    assert len(lines) <= 2
    assert lines[-1] == "   train  step 100 of 100  loss 1.0"


def test_a_terminal_gets_a_bar_that_leaves_nothing_behind(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    reader, writer = pty.openpty()
    with os.fdopen(writer, "w") as terminal:
        voice = Progress("auto", terminal)
        assert list(voice.track("build", range(3), 3)) == [0, 1, 2]
        voice.step("train", 1, 2, "loss 2.0")
        voice.step("train", 2, 2, "loss 1.0")
        terminal.flush()
        drawn = os.read(reader, 65536).decode()
    os.close(reader)
    assert "build" in drawn
    assert "3/3" in drawn
    assert drawn.endswith("\x1b[2K") or "\x1b[?25h" in drawn

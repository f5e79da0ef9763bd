import json

import pytest

from devtune.data.filters.files import FileRules
from devtune.data.privacy.marking import Marker
from devtune.data.sources import texts as module
from devtune.data.sources.texts import Texts, map_json, map_texts
from devtune.pipeline import CollectSection
from devtune.records import Action, Change, FileEdit, Message, Provenance, Replay, ToolCall

PLACE = Provenance("src", "c1", "a/b.py", "b1", "Ada <a@b>", "2024-01-01T00:00:00+00:00", "MIT")


class Reads:
    def __init__(self, content) -> None:
        self.content, self.count = content, 0

    def __call__(self) -> bytes:
        self.count += 1
        return self.content


@pytest.fixture
def make_texts(tmp_path):
    def make(*rules):
        sources = [{"type": "directory", "path": tmp_path}]
        found = CollectSection.model_validate({"sources": sources, "file_rules": rules}).file_rules
        return Texts(FileRules(found), Marker(b"k"))

    return make


def load(texts, path, content, blob="b"):
    return texts.load(path, blob, len(content), lambda: content)


def test_a_text_is_marked_and_has_its_language(make_texts, canaries):
    texts = make_texts()
    text = load(texts, "x.py", f"token = '{canaries['github']}'\n".encode())
    assert canaries["github"] not in text.text
    assert text.text.startswith("token = 'REDACTED_GITHUB_PAT_")
    assert (text.language, text.reason) == ("python", None)
    assert len(texts.marker.learned) == 1
    assert load(texts, "notes.txt", b"x\n", "c").language == ""


def test_equal_bytes_at_one_path_are_read_once_and_no_others(make_texts):
    texts, reads = make_texts(), Reads(b"x = 1\n")
    for path, blob in (("x.py", "b"), ("x.py", "b"), ("y.py", "b"), ("x.py", "c"), ("x.py", "b")):
        assert texts.load(path, blob, 6, reads).text == "x = 1\n"
    assert reads.count == 3


def test_what_is_left_out_by_path_or_size_is_not_read(make_texts):
    texts, reads = make_texts({"type": "size", "max_bytes": 10}), Reads(b"x = 1\n")
    assert texts.load("x.py", "b", 11, reads).reason == "oversized"
    assert make_texts({"type": "language", "deny": ["python"]}).load(
        "x.py", "b", 6, reads
    ).reason == ("language")
    assert reads.count == 0


def test_the_cache_is_bounded_and_forgets_what_was_not_asked_for_longest(make_texts, monkeypatch):
    monkeypatch.setattr(module, "CACHED_CHARACTERS", 20)
    texts = make_texts()
    reads = {blob: Reads(b"x = 1234\n") for blob in "abc"}
    for blob in ("a", "b", "a", "c", "a", "b"):
        texts.load("x.py", blob, 9, reads[blob])
    assert {blob: each.count for blob, each in reads.items()} == {"a": 1, "b": 2, "c": 1}


def test_a_text_larger_than_the_cache_is_still_read(make_texts, monkeypatch):
    monkeypatch.setattr(module, "CACHED_CHARACTERS", 1)
    texts = make_texts()
    assert load(texts, "x.py", b"x = 1\n").text == load(texts, "x.py", b"x = 1\n").text == "x = 1\n"


def notebook(*sources):
    cells = [
        {"cell_type": "code", "source": each, "outputs": [{"text": "out"}]} for each in sources
    ]
    return json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}).encode()


def test_a_notebook_is_its_cells_and_rules_are_asked_of_them(make_texts):
    wide = {"type": "line_length", "max": 100, "mean": 100}
    content = notebook("x = 1\n", "y = 2")
    assert len(content) > 100, "in one line, which would be too long"
    text = load(make_texts(wide), "n.ipynb", content)
    assert (text.text, text.language) == ("# %%\nx = 1\n\n# %%\ny = 2\n", "python")
    assert load(make_texts(wide), "N.IPYNB", notebook("x = " + "1" * 200)).reason == "long_line"
    assert load(make_texts(), "n.ipynb", b"[1]").reason == "not_a_notebook"
    assert load(make_texts(), "n.ipynb", notebook()).reason == "empty"
    assert load(make_texts(), "n.ipynb", notebook("\n", " ")).reason == "empty"
    only_rust = {"type": "language", "allow": ["rust"]}
    assert load(make_texts(only_rust), "n.ipynb", content).reason == "language"


def test_every_text_of_a_row_is_changed_but_what_identifies(make_texts):
    edit = FileEdit(PLACE, "b0", "old", "new")
    change = Change("src", "c1", "Ada", "2024", "train", "subject", "body", 1, (edit,))
    upper = map_texts(change, str.upper)
    assert (upper.source, upper.commit, upper.date, upper.split) == ("src", "c1", "2024", "train")
    assert (upper.author, upper.subject, upper.body) == ("ADA", "SUBJECT", "BODY")
    named = map_texts(change, str.upper, str.lower)
    assert (named.author, named.subject) == ("ada", "SUBJECT")
    assert named.edits[0].provenance.author == PLACE.author.lower()
    assert (upper.edits[0].old, upper.edits[0].new, upper.edits[0].old_blob) == ("OLD", "NEW", "b0")
    place = upper.edits[0].provenance
    assert (place.path, place.author, place.blob, place.license) == (
        "A/B.PY",
        "ADA <A@B>",
        "b1",
        "MIT",
    )


def test_json_in_a_row_stays_json_whatever_is_changed_in_it():
    arguments = json.dumps({"path": "a", "new": ['x = "q\\w"\n', {"deep": "y"}], "limit": 3})
    replay = Replay(
        "src", "c1", "Ada", "2024", "train", "s", "b", (PLACE,), (Action("edit", arguments, "out"),)
    )
    # Each text is handed over as it is, without escapes, and may become anything.
    seen = []

    def change(text):
        seen.append(text)
        return text + '"\\'

    (action,) = map_texts(replay, change).actions
    assert json.loads(action.arguments) == {
        "path": 'a"\\', "new": ['x = "q\\w"\n"\\', {"deep": 'y"\\'}], "limit": 3,
    }  # fmt: skip
    assert 'x = "q\\w"\n' in seen
    assert action.tool == "edit"
    message = Message("assistant", "c", (ToolCall("1", "edit", '{"a": "é"}'),))
    assert map_texts(message, str.upper).tool_calls[0].arguments == '{"a": "É"}'


def test_names_of_fields_of_json_are_kept():
    assert map_json('{"path": {"path": "path"}, "n": [1, null, true]}', str.upper) == (
        '{"path": {"path": "PATH"}, "n": [1, null, true]}'
    )

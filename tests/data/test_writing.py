import json

import pytest

from devtune.data.privacy.detection import Detection
from devtune.data.privacy.marking import Marker
from devtune.data.privacy.redaction import Redactor
from devtune.data.sealed import open_key, seal, sealed_file, unseal
from devtune.data.writing import (
    FILES,
    Tally,
    append_rejected,
    keep_latest_replays,
    write_rows,
)
from devtune.jsonl import read_jsonl, to_json, write_jsonl
from devtune.records import (
    Action,
    Change,
    FileEdit,
    Provenance,
    Rejected,
    Replay,
    SourceFile,
)

PLACE = Provenance("app", "c1", "x.py", "b1", "Ada <a@b>", "2024-01-01T00:00:00+00:00")
ODD = 'pa"ss\\word\n123é'


def replay(commit, split="train", action=None):
    actions = (action or Action("read", '{"path": "x.py"}', "x = 1\n"),)
    return Replay("app", commit, "Ada", "2024", split, "Subject", "", (PLACE,), actions)


@pytest.fixture
def parts(tmp_path):
    # Two parts as the first half of the work leaves them.
    def make(*rows_of_parts, learned=()):
        key = open_key(tmp_path)
        folders = []
        for number, rows in enumerate(rows_of_parts):
            folder = tmp_path / f"part-{number}"
            folder.mkdir()
            for kind, name in FILES.items():
                with sealed_file(folder / name, key) as file:
                    for row in rows:
                        if type(row) is kind:
                            file.write(to_json(row))
            folders.append(folder)
        seal(learned, key, folders[-1])
        return tuple(folders)

    return make


@pytest.fixture
def rewritten(parts, tmp_path):
    def run(*rows_of_parts, learned=()):
        folders = parts(*rows_of_parts, learned=learned)
        key = open_key(tmp_path)
        corpus = tmp_path / "corpus"
        corpus.mkdir()
        write_rows(folders, key, Redactor(unseal(folders, key)), corpus)
        return {kind: list(read_jsonl(corpus / name, kind)) for kind, name in FILES.items()}

    return run


def learn(value, kind="TOKEN"):
    marker = Marker(b"k")
    mark = marker._learn(value, Detection(0, len(value), kind, kind.lower()))
    (learned,) = marker.learned.values()
    return mark, learned


def test_marks_become_placeholders_in_every_kind_of_row(rewritten):
    mark, learned = learn("a-long-secret-value-1")
    edit = FileEdit(PLACE, "b0", f"old {mark}", "new")
    rows = [
        SourceFile(PLACE, "train", f"t = '{mark}'\n"),
        Change("app", "c1", "Ada", "2024", "train", f"Use {mark}", "", 1, (edit,)),
        replay("c1", action=Action("run", json.dumps({"command": f"echo {mark}"}), f"{mark}\n")),
        Rejected("binary", "app", f"{mark}.bin"),
    ]
    found = rewritten(rows, learned=[learned])
    assert found[SourceFile][0].text == "t = 'REDACTED_TOKEN_1'\n"
    (change,) = found[Change]
    assert (change.subject, change.edits[0].old) == ("Use REDACTED_TOKEN_1", "old REDACTED_TOKEN_1")
    (action,) = found[Replay][0].actions
    assert json.loads(action.arguments) == {"command": "echo REDACTED_TOKEN_1"}
    assert action.output == "REDACTED_TOKEN_1\n"
    assert found[Rejected] == [Rejected("binary", "app", "REDACTED_TOKEN_1.bin")]


def test_a_value_one_part_gave_away_is_replaced_in_all_however_json_spells_it(rewritten):
    _, learned = learn(ODD)
    arguments = json.dumps({"path": "x.py", "old": f"p = {ODD}", "new": "é"}, ensure_ascii=False)
    first = [
        SourceFile(PLACE, "train", f"a {ODD} b {ODD}"),
        replay("c1", action=Action("edit", arguments, "nothing here")),
    ]
    second = [SourceFile(PLACE, "train", "no secret")]
    found = rewritten(first, second, learned=[learned])
    assert found[SourceFile][0].text == "a REDACTED_TOKEN_1 b REDACTED_TOKEN_1"
    assert found[SourceFile][1] == second[0]
    (action,) = found[Replay][0].actions
    assert json.loads(action.arguments)["old"] == "p = REDACTED_TOKEN_1"
    assert json.loads(action.arguments)["new"] == "é"


def test_what_identifies_a_row_is_not_looked_at(rewritten):
    commit = "0123456789abcdef" * 2 + "01234567"
    _, learned = learn(commit)
    place = Provenance("app", commit, "x.py", commit, "Ada <a@b>", "2024")
    found = rewritten([SourceFile(place, "train", f"v = '{commit}'\n")], learned=[learned])
    assert found[SourceFile] == [SourceFile(place, "train", "v = 'REDACTED_TOKEN_1'\n")]


def test_rows_without_secrets_are_byte_for_byte_what_was_read(parts, tmp_path):
    rows = [SourceFile(PLACE, "train", "é \u2028 \x00 \\u0041\n"), Rejected("binary", "app", "x")]
    folders = parts(rows)
    (tmp_path / "out").mkdir()
    write_rows(folders, open_key(tmp_path), Redactor(()), tmp_path / "out")
    for row in rows:
        assert (tmp_path / "out" / FILES[type(row)]).read_bytes() == to_json(row)


def test_placeholders_are_numbered_in_the_order_of_the_parts(rewritten):
    first, second = learn("first-secret-value-1"), learn("second-secret-value-2")
    rows = [SourceFile(PLACE, "train", f"{second[0]} {first[0]}")]
    found = rewritten(rows, learned=[first[1], second[1]])
    assert found[SourceFile][0].text == "REDACTED_TOKEN_2 REDACTED_TOKEN_1"


def test_parts_stand_in_the_corpus_one_after_the_other(rewritten):
    rows = [[SourceFile(PLACE, "train", f"{n}.{k}") for k in range(3)] for n in range(3)]
    found = rewritten(*rows)
    assert [row.text for row in found[SourceFile]] == [row.text for part in rows for row in part]


def test_the_latest_replays_of_each_source_and_side_stay(tmp_path):
    rows = [replay(f"t{n}") for n in range(4)] + [replay(f"h{n}", "held_out") for n in range(2)]
    mixed = [rows[0], rows[4], rows[1], rows[2], rows[5], rows[3]]
    write_jsonl(tmp_path / FILES[Replay], mixed)
    before = Rejected("binary", "app", "x.bin")
    write_jsonl(tmp_path / FILES[Rejected], [before])
    assert keep_latest_replays(tmp_path, 2) == {"replays_train": 2}
    kept = [row.commit for row in read_jsonl(tmp_path / FILES[Replay], Replay)]
    assert kept == ["h0", "t2", "h1", "t3"]
    assert list(read_jsonl(tmp_path / FILES[Rejected], Rejected)) == [
        before,
        Rejected("over_replay_maximum", "app", "", "t0", "train"),
        Rejected("over_replay_maximum", "app", "", "t1", "train"),
    ]
    written = (tmp_path / FILES[Replay]).read_bytes()
    assert written == b"".join(map(to_json, [rows[4], rows[2], rows[5], rows[3]]))


def test_a_tally_counts_rows_edits_and_reasons_and_goes_through_a_file(tmp_path):
    edit = FileEdit(PLACE, "b0", "old", "new")
    tally = Tally()
    for row in (
        SourceFile(PLACE, "train", "x"),
        SourceFile(PLACE, "held_out", "x"),
        Change("app", "c1", "Ada", "2024", "train", "s", "", 2, (edit, edit)),
        Change("app", "c2", "Ada", "2024", "train", "s", "", 0, ()),
        replay("c1"),
        Rejected("binary", "app", "x"),
        Rejected("binary", "app", "y"),
    ):
        tally.add(row)
    tally.write(tmp_path)
    whole = Tally()
    whole.read(tmp_path)
    whole.read(tmp_path)
    assert whole.counts == {
        "files_train": 2, "files_held_out": 2, "changes_train": 4, "edits_train": 4,
        "replays_train": 2, "texts_searched": 8, "lines_searched": 0,
    }  # fmt: skip
    assert whole.rejects == {"binary": 4}


def test_rejects_are_added_at_the_end(tmp_path):
    for name in "ab":
        append_rejected(tmp_path, [Rejected("binary", "app", name)])
    rows = read_jsonl(tmp_path / FILES[Rejected], Rejected)
    assert [row.path for row in rows] == ["a", "b"]

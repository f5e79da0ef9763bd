import json

import pytest

from devtune.errors import DevtuneError
from devtune.jsonl import read_jsonl, to_json, write_jsonl
from devtune.records import (
    Action,
    Change,
    Comment,
    Contamination,
    Discussion,
    DuplicateCluster,
    FileEdit,
    Message,
    Provenance,
    Rejected,
    Replay,
    ReviewComment,
    Sample,
    Source,
    SourceFile,
    ToolCall,
)

PLACE = Provenance("app", "c", "x\ny.py", "b", "Ädа <a@corp.test>", "2024")
AWKWARD = "a\r\nb\u2028c\x85\x00\x7f\t\\\"'日本 \U0001f600\n"
ROWS = [
    SourceFile(PLACE, "train", AWKWARD),
    Change(
        "app", "c", "Ada", "2024", "held_out", "Fix", AWKWARD, 2,
        (FileEdit(PLACE, "", "", AWKWARD), FileEdit(PLACE, "o", AWKWARD, "")),
    ),
    Change("app", "c", "Ada", "2024", "train", "", "", 0, ()),
    Rejected("why", "app", "x.py"),
    Rejected("why", "app", "x.py", "c", AWKWARD),
    Sample("id", "f", (Message("system", AWKWARD), Message("user", ""),), (PLACE, PLACE)),
    Sample(
        "id", "f", (Message("assistant", "", (ToolCall("1", "edit", AWKWARD),), "", False),),
        (PLACE,), AWKWARD,
    ),
    Source("app", "git", 0.1, "MIT", AWKWARD),
    Discussion(
        "app", "issue", 1, AWKWARD, "", "ada", "2024", "train", ("c",), (2,),
        (Comment("eve", "2024", AWKWARD),),
        (ReviewComment("eve", "2024", AWKWARD, "x", "c", "", 1, 2, AWKWARD, False),),
    ),
    Replay(
        "app", "c", "Ada", "2024", "train", "", AWKWARD, (PLACE,),
        (Action("run", AWKWARD, AWKWARD, False, 1, 2, 3),),
    ),
    DuplicateCluster(PLACE, (PLACE,)),
    Contamination("id", "f", "app", AWKWARD, "bench", "1", AWKWARD),
]  # fmt: skip


def fault(file, row_type):
    with pytest.raises(DevtuneError) as caught:
        list(read_jsonl(file, row_type))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row).__name__)
def test_rows_come_back_as_they_were_written(tmp_path, row):
    file = tmp_path / "rows.jsonl"
    assert write_jsonl(file, [row] * 3) == 3
    assert list(read_jsonl(file, type(row))) == [row] * 3
    assert file.read_bytes().count(b"\n") == 3


def test_equal_rows_are_equal_bytes_with_sorted_keys(tmp_path):
    for name in ("one", "two"):
        write_jsonl(tmp_path / name, iter([ROWS[1], ROWS[1]]))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    for row in ROWS:
        pairs: list[list[tuple[str, object]]] = []
        json.loads(to_json(row), object_pairs_hook=pairs.append)
        assert pairs
        for each in pairs:
            assert [name for name, _ in each] == sorted(name for name, _ in each)


def test_an_empty_file_has_no_rows(tmp_path):
    file = tmp_path / "rows.jsonl"
    assert write_jsonl(file, []) == 0
    assert list(read_jsonl(file, Sample)) == []


SAMPLE = ROWS[5]
GOOD = json.loads(to_json(SAMPLE))


def changed(**values):
    return json.dumps({**GOOD, **values}).encode()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"", "Invalid JSON: EOF while parsing a value"),
        (changed()[:-20], "Invalid JSON: "),
        (changed() + b"{}", "Invalid JSON: trailing characters"),
        (b'{"sample_id": "\xff"}', "Invalid JSON: "),
        (b"5", "Input should be an object"),
        (b"null", "Input should be an object"),
        (b"[]", "Input should be an object"),
        (b"{}", "sample_id: Field required"),
        (changed(sample_id=5), "sample_id: Input should be a valid string"),
        (changed(extra=5), "extra: Unexpected keyword argument"),
        (changed(messages=None), "messages: Input should be a valid array"),
        (
            changed(messages=[{"role": "robot", "content": ""}]),
            "messages.0.role: Input should be 'system', 'user', 'assistant' or 'tool'",
        ),
        (changed(messages=[{"role": "user"}]), "messages.0.content: Field required"),
        (changed(provenance=[{"source": "app"}]), "provenance.0.commit: Field required"),
    ],
)
def test_a_damaged_row_has_its_file_and_line(tmp_path, line, complaint):
    file = tmp_path / "rows.jsonl"
    good = changed()
    file.write_bytes(good + b"\n" + good + b"\n" + line + b"\n" + good + b"\n")
    message = fault(file, Sample)
    assert message.startswith(f"{file}:3: not a Sample row ({complaint}")
    assert message.endswith("); remove the directory and run its stage again")


def test_a_damaged_row_is_not_quoted(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b'{"reason": "secret words", "source": "secret words"')
    assert "secret" not in fault(file, Rejected)
    file.write_bytes(changed(sample_id=["secret words"]))
    assert "secret" not in fault(file, Sample)


def test_rows_before_the_damage_are_given(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_bytes(changed() + b"\n{")
    rows = read_jsonl(file, Sample)
    assert next(rows) == SAMPLE
    with pytest.raises(DevtuneError, match=r"rows.jsonl:2: "):
        next(rows)


def test_a_wrong_split_is_no_row(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_bytes(to_json(ROWS[0]).replace(b'"train"', b'"test"'))
    assert "split: Input should be 'train' or 'held_out'" in fault(file, SourceFile)


def test_a_missing_file_is_named(tmp_path):
    file = tmp_path / "rows.jsonl"
    assert fault(file, Sample) == f"{file}: no such file or directory; correct the path"

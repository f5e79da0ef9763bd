import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from devtune.data.selection.benchmark_texts import OWN, Document, read_benchmarks, read_texts
from devtune.errors import DevtuneError

SWE = {
    "repo": "o/r", "instance_id": "o__r-1", "problem_statement": "It fails", "patch": "+fix",
    "test_patch": "+test", "hints_text": "hint",
}  # fmt: skip
HUMAN = {
    "task_id": "HumanEval/0", "prompt": "def f():", "entry_point": "f",
    "canonical_solution": " return 1", "test": "assert f()",
}  # fmt: skip
LIVE = {
    "question_id": "abc_a", "question_title": "Title", "question_content": "Given",
    "starter_code": "", "private_test_cases": "eJx", "platform": "x",
}  # fmt: skip
KNOWN = [
    Document("HumanEval", "HumanEval/0", ("def f():", " return 1", "assert f()")),
    Document("LiveCodeBench", "abc_a", ("Given", "", "Title")),
    Document("SWE-bench", "o__r-1", ("It fails", "+fix", "+test")),
]


def parquet(file, *rows):
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), file)


def lines(file, *rows):
    content = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)


def test_benchmarks_are_known_by_their_columns_in_every_form(tmp_path):
    for form, write in ((".jsonl", lines), (".jsonl.gz", lines), (".parquet", parquet)):
        folder = tmp_path / form[1:]
        write(folder / f"a/HumanEval{form}", HUMAN)
        write(folder / f"live/test{form}", LIVE)
        write(folder / f"swe/data/test-00000-of-00001{form}", SWE)
        assert list(read_benchmarks(folder)) == KNOWN


def test_a_benchmark_as_one_list_is_read_item_by_item(tmp_path):
    (tmp_path / "all.json").write_text(json.dumps([HUMAN, LIVE, {"x": 1}, 3, SWE]))
    assert list(read_benchmarks(tmp_path)) == KNOWN


def test_other_files_beside_a_benchmark_are_passed_by(tmp_path):
    lines(tmp_path / "b.jsonl", SWE, {"something": "else"})
    (tmp_path / "README.md").write_text("card")
    (tmp_path / "run.py").write_text("code")
    parquet(tmp_path / "other.parquet", {"text": "x"})
    assert list(read_benchmarks(tmp_path)) == KNOWN[2:]


def test_a_problem_without_an_id_is_named_by_its_row(tmp_path):
    lines(tmp_path / "b.jsonl", {**SWE, "instance_id": None}, {})
    assert [each.name for each in read_benchmarks(tmp_path)] == ["b.jsonl:1"]


def test_own_texts_are_read_with_all_their_strings(tmp_path):
    (tmp_path / "b.txt").write_bytes(b"plain \xff")
    (tmp_path / "a.md").write_text("# Exam")
    lines(tmp_path / "c" / "rows.jsonl", {"q": "why", "n": 1, "more": ["because"]}, "text", HUMAN)
    (tmp_path / "d.json").write_text('{"q": {"deep": "one"}}')
    parquet(tmp_path / "e.parquet", {"text": "p", "number": 3}, {"text": None, "number": 4})
    (tmp_path / "skipped.py").write_text("x")
    assert list(read_texts(tmp_path)) == [
        Document(OWN, "a.md", ("# Exam",)),
        Document(OWN, "b.txt", ("plain \ufffd",)),
        Document(OWN, "c/rows.jsonl:1", ("why", "because")),
        Document(OWN, "c/rows.jsonl:2", ("text",)),
        KNOWN[0],
        Document(OWN, "d.json:1", ("one",)),
        Document(OWN, "e.parquet:1", ("p",)),
        Document(OWN, "e.parquet:2", ()),
    ]
    assert list(read_texts(tmp_path / "a.md")) == [Document(OWN, "a.md", ("# Exam",))]


def test_links_in_a_circle_are_not_followed(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "self.txt").symlink_to(tmp_path / "self.txt")
    assert [each.name for each in read_texts(tmp_path)] == ["a.txt"]


@pytest.mark.parametrize("read", [read_texts, read_benchmarks])
def test_a_path_that_is_not_there_is_named(tmp_path, read):
    with pytest.raises(DevtuneError) as caught:
        list(read(tmp_path / "gone"))
    assert str(caught.value) == f"{tmp_path}/gone: no such file or directory; correct the path"


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "a.pdf").write_text("x")
    for path in (tmp_path / "a.pdf", tmp_path):
        with pytest.raises(DevtuneError) as caught:
            list(read_texts(path))
        assert str(caught.value) == (
            f"{path}: no .txt .md .json .jsonl .parquet file; name one, or a directory of them"
        )


def test_a_directory_without_a_benchmark_says_what_to_do(tmp_path):
    (tmp_path / "README.md").write_text("card")
    with pytest.raises(DevtuneError) as caught:
        list(read_benchmarks(tmp_path))
    assert str(caught.value) == (
        f"{tmp_path}: no SWE-bench Verified, HumanEval or LiveCodeBench there;"
        " download one, or leave out `benchmarks`"
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", b'{"a": 1}\n{"a": '),
        ("a.json", b"[" * 200_000),
        ("a.json", b"\xff\xfe\xfd"),
        ("a.json", b""),
        ("a.parquet", b"PAR1 but no table"),
        ("a.parquet", b""),
        ("a.jsonl", b"version https://git-lfs.github.com/spec/v1\n"),
        ("a.json.gz", gzip.compress(b"[1, 2]")[:-12]),
        ("a.jsonl.gz", b"no gzip"),
        ("a.txt.gz", gzip.compress(b"text")[:10] + b"no stream"),
        ("a.txt.gz", gzip.compress(b"text" * 99)[:20]),
    ],
)
def test_a_damaged_file_is_named_in_one_line(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DevtuneError) as caught:
        list(read_texts(tmp_path / name))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / name}: ")
    assert "damaged or not" in message
    assert message.endswith("download it again or leave it out")
    assert "\n" not in message

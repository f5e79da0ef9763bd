import pytest

from devtune.data.chunks import chunks_of, read_at
from devtune.errors import DevtuneError
from devtune.jsonl import write_jsonl
from devtune.records import Rejected

ROWS = [Rejected("long_line", "app", f"é{n}" * (n % 7), str(n)) for n in range(50)]


@pytest.fixture
def file(tmp_path):
    write_jsonl(tmp_path / "rows.jsonl", ROWS)
    return tmp_path / "rows.jsonl"


@pytest.mark.parametrize("num_bytes", [1, 10, 100, 1000, 10**9])
def test_chunks_hold_every_row_once_whatever_their_size(file, num_bytes):
    chunks = chunks_of(file, num_bytes)
    assert [row for chunk in chunks for _, row in chunk.rows(Rejected)] == ROWS
    assert (len(chunks) == 1) == (num_bytes == 10**9)


def test_a_row_is_found_again_at_its_offset(file):
    found = [offset for chunk in chunks_of(file, 300) for offset, _ in chunk.rows(Rejected)]
    assert [read_at(file, offset, Rejected) for offset in found] == ROWS


def test_an_absent_or_empty_file_has_no_chunks(tmp_path):
    (tmp_path / "empty").touch()
    assert chunks_of(tmp_path / "empty") == chunks_of(tmp_path / "absent") == []


def test_a_damaged_row_names_file_and_place_but_not_what_it_holds(file):
    content = file.read_bytes().replace(b'"commit":"3"', b'"comm1t":"hush"')
    file.write_bytes(content)
    with pytest.raises(DevtuneError) as caught:
        [*chunks_of(file)[0].rows(Rejected)]
    assert str(caught.value).startswith(f"{file}: at byte ")
    assert "not a Rejected row" in str(caught.value)
    assert "hush" not in str(caught.value)

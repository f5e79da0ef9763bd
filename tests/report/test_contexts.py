import pytest

from devtune.errors import DevtuneError
from devtune.report.contexts import MAX_LINE, read_contexts
from devtune.report.privacy import open_corpus
from tests.report.searched import ADDRESS, CODE, ODD_TEXT, ROWS, TOKEN, redaction

OTHERS = ("changes", "discussions", "replays", "sessions", "rejected")


@pytest.fixture
def corpus(searched):
    return open_corpus(searched).directory


def text_of(context):
    return "".join(bit.text for bit in context.bits)


def test_three_lines_stand_on_either_side_and_placeholders_are_told_apart(corpus):
    (context,) = read_contexts(corpus, ROWS[:1])
    assert text_of(context) == "\n".join((*CODE[3:], "", 'other = "REDACTED_GITHUB_PAT_11"'))
    marked = [bit.text for bit in context.bits if bit.is_placeholder]
    assert marked == [TOKEN, "REDACTED_GITHUB_PAT_11"]


def test_a_longer_number_is_another_placeholder(corpus):
    (context,) = read_contexts(corpus, [ROWS[2]])
    assert text_of(context).endswith('other = "REDACTED_GITHUB_PAT_11"')


def test_messages_and_edits_are_looked_through_as_well(corpus):
    message, edit = read_contexts(corpus, [ROWS[1], redaction(ADDRESS, "docs/000.md")])
    assert text_of(message) == f"Drop the token\nIt was {TOKEN}."
    assert text_of(edit) == f"# Docs\n\nAsk {ADDRESS}.\n"


def test_what_stands_in_no_text_of_its_file_is_left_out_and_the_order_kept(corpus):
    rows = [redaction(TOKEN, "gone.py"), ROWS[4], ROWS[3]]
    found = read_contexts(corpus, rows)
    assert [each.row for each in found] == rows[1:]
    assert text_of(found[0]) == f"{ODD_TEXT} {ADDRESS}\nkey: REDACTED_PASSWORD_1"


def test_a_line_of_any_length_is_cut_around_the_placeholder(corpus, tmp_path):
    for name in OTHERS:
        (tmp_path / f"{name}.jsonl").touch()
    line = (corpus / "files.jsonl").read_bytes().splitlines()[0]
    long = line.replace(b'token = \\"', b"t" * 5000).replace(b"after = 1", b"a" * 5000)
    (tmp_path / "files.jsonl").write_bytes(long)
    (context,) = read_contexts(tmp_path, ROWS[:1])
    lines = text_of(context).split("\n")
    assert lines[3] == f'…{"t" * MAX_LINE}{TOKEN}"'
    assert lines[4] == f"{'a' * MAX_LINE}…"


def test_a_text_of_nothing_but_beginnings_takes_no_longer(corpus, tmp_path):
    for name in OTHERS:
        (tmp_path / f"{name}.jsonl").touch()
    line = (corpus / "files.jsonl").read_bytes().splitlines()[0]
    (tmp_path / "files.jsonl").write_bytes(line.replace(b"before", b"REDACTED_" * 100_000))
    (context,) = read_contexts(tmp_path, ROWS[:1])
    assert len(text_of(context)) < 10 * MAX_LINE


def test_a_damaged_row_is_one_line_that_says_which(tmp_path):
    (tmp_path / "files.jsonl").write_text(f'{{"text": "{TOKEN}"\n', encoding="utf-8")
    with pytest.raises(DevtuneError, match=r"files\.jsonl:1: damaged; move .* run collect again$"):
        read_contexts(tmp_path, ROWS[:1])

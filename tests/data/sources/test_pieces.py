from dataclasses import replace

from devtune.data.sources.pieces import NESTED, BranchCommit, attach
from tests.data.sources.test_pile import HEAD, REMARK


def read(value):
    return {"remark": [replace(REMARK, number=99)], "commit": [BranchCommit(value["id"], ())]}.get(
        value["what"], []
    )


def test_every_nested_key_is_read_and_belongs_to_the_head():
    value = {key: [{"what": "remark", "id": key}] for key in NESTED}
    assert attach(HEAD, value, read) == [HEAD, *[REMARK] * len(NESTED)]


def test_counts_in_place_of_lists_are_no_pieces():
    assert attach(HEAD, dict.fromkeys(NESTED, 3), read) == [HEAD]


def test_nested_commits_become_the_heads_own_and_the_unknown_is_none():
    commits = [{"what": "commit", "id": each} for each in ("b", "a", "b")]
    value = {"commits": [*commits, {"what": "else", "id": "z"}]}
    assert attach(HEAD, value, read) == [replace(HEAD, commits=("b", "a")), None]

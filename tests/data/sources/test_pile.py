from dataclasses import replace

from devtune.data.sources.pieces import BranchCommit, Head, Remark
from devtune.data.sources.pile import Filed, Pile

HEAD = Head(
    space="shared",
    number=1,
    project="octo/app",
    id=0,
    is_change_request=False,
    title="It breaks \ufffd",
    body="",
    author="ada",
    is_bot=False,
    date="2024-03-01T12:00:00+00:00",
    updated="",
    repository="octo/app",
)
REMARK = Remark(
    kind="comment",
    space="shared",
    number=1,
    project="octo/app",
    parent_id=0,
    id=5,
    omitted="",
    author="eve",
    date="2024-03-01T13:00:00+00:00",
    updated="",
    body="Me too.",
)


def test_what_is_put_away_comes_back_by_kind_and_number():
    pull = replace(HEAD, number=2, is_change_request=True, commits=("a" * 40,))
    with Pile() as pile:
        for number, piece in enumerate((REMARK, pull, replace(HEAD, number=30), HEAD)):
            pile.add(piece, f"file{number}", 0)
        found = list(pile.gathered())
    assert [each.heads for each in found] == [
        *((HEAD,), (replace(HEAD, number=30),)),
        (pull,),
    ]
    assert [each.file for each in found] == ["file3", "file2", "file1"]
    assert found[0].remarks == (Filed("file0", REMARK),)


def test_a_remark_that_names_only_an_id_finds_its_number():
    head = replace(HEAD, space="issue", id=907, number=7)
    remark = replace(REMARK, space="issue", number=0, parent_id=907)
    lost = replace(remark, parent_id=908)
    with Pile() as pile:
        for piece in (remark, lost, head):
            pile.add(piece, "x", 0)
        assert list(pile.remove_orphans()) == [("x", "number 0")]
        (found,) = pile.gathered()
    assert found.remarks == (Filed("x", remark),)


def test_the_repository_with_most_discussions_is_the_one_and_a_tie_goes_by_name():
    other = replace(HEAD, number=2, project="octo/other")
    with Pile() as pile:
        for piece in (other, HEAD, replace(HEAD, number=3, project="")):
            pile.add(piece, "x", 0)
        assert list(pile.remove_strangers()) == [("x", "octo/other 2")]
        assert [each.heads[0].number for each in pile.gathered()] == [1, 3]


def test_a_branch_goes_back_to_where_it_began():
    with Pile() as pile:
        pile.add(replace(HEAD, bases=("base",)), "x", 0)
        for commit, parents in {"tip": ("b", "c"), "b": ("base",), "base": ("old",)}.items():
            pile.add(BranchCommit(commit, parents), "x", 0)
        assert pile.branch_of("tip") == ("tip", "b")
        assert pile.branch_of("unknown") == ("unknown",)


def test_commits_without_parents_are_a_branch_when_they_stood_in_one_array():
    with Pile() as pile:
        for page, commit in enumerate(("tip", "b", "c", "other")):
            pile.add(BranchCommit(commit, (), has_parents=False), "x", page // 3)
        assert pile.branch_of("tip") == ("tip", "b", "c")
        assert pile.branch_of("other") == ("other",)


def test_commits_that_name_each_other_end():
    with Pile() as pile:
        pile.add(BranchCommit("a", ("b",)), "x", 0)
        pile.add(BranchCommit("b", ("a",)), "x", 0)
        assert pile.branch_of("a") == ("a", "b")

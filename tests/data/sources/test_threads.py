from dataclasses import replace

from devtune.data.sources.pile import Filed, Gathered
from devtune.data.sources.threads import Terms, put_together
from devtune.records import Discussion
from tests.data.sources.test_pile import HEAD, REMARK

LINE = replace(REMARK, kind="line", path="a.py", commit="c" * 40, first_line=3, last_line=3)


def put(*remarks, heads=(HEAD,), cut_date=""):
    gathered = Gathered("x.json", tuple(heads), tuple(Filed("x.json", each) for each in remarks))
    terms = Terms("export", "app", cut_date, lambda commit, path: "b" * 40, lambda tip: (tip, "d"))
    return list(put_together(gathered, terms))


def test_a_thread_is_resolved_when_one_of_its_remarks_is():
    first, second = replace(LINE, thread="t"), replace(LINE, thread="t", id=6, is_resolved=True)
    (found,) = put(first, second, replace(LINE, thread="u", id=7))
    assert [each.is_resolved for each in found.reviews] == [True, True, False]


def test_remarks_without_a_thread_stand_alone():
    (found,) = put(replace(LINE, is_resolved=True), replace(LINE, id=6))
    assert [each.is_resolved for each in found.reviews] == [True, False]


def test_of_equal_copies_the_one_with_a_thread_counts():
    for copies in ((LINE, replace(LINE, thread="t")), (replace(LINE, thread="t"), LINE)):
        answer = replace(LINE, id=6, thread="t", is_resolved=True)
        (found,) = put(*copies, answer)
        assert [each.is_resolved for each in found.reviews] == [True, True]


def test_remarks_without_an_id_are_never_taken_for_copies():
    (found,) = put(replace(REMARK, id=0), replace(REMARK, id=0, body="And me."))
    assert [each.body for each in found.comments] == ["And me.", "Me too."]


def test_a_request_does_not_close_itself_where_numbers_are_shared():
    pull = replace(HEAD, is_change_request=True, body="Fixes #1, #2")
    (found,) = put(heads=[pull])
    assert found.closes == (2,)
    (found,) = put(heads=[replace(pull, space="change_request")])
    assert found.closes == (1, 2)


def test_an_issue_closes_nothing():
    (found,) = put(heads=[replace(HEAD, body="Fixes #2")])
    assert found.closes == ()


def test_commits_nested_in_an_answer_go_before_those_of_lists():
    pull = replace(HEAD, is_change_request=True, tip="a", merged_as=("m",))
    (found,) = put(heads=[pull])
    assert found.commits == ("m", "a", "d")
    (found,) = put(heads=[replace(pull, commits=("x", "a"))])
    assert found.commits == ("m", "x", "a")


def test_a_confidential_answer_keeps_the_discussion_out():
    heads = [HEAD, replace(HEAD, is_confidential=True, updated="2020")]
    (row,) = put(REMARK, heads=heads)
    assert (row.reason, row.source, row.path, row.detail) == (
        *("confidential", "export"),
        *("x.json", "issue 1"),
    )


def test_what_is_left_out_goes_before_the_discussion():
    rows = put(replace(REMARK, omitted="draft"), REMARK)
    assert [getattr(each, "reason", "") for each in rows] == ["draft", ""]
    assert isinstance(rows[1], Discussion)


def test_a_later_answer_of_the_same_discussion_gives_its_words():
    heads = [replace(HEAD, updated="2021", title="new"), replace(HEAD, updated="2020", title="old")]
    for order in (heads, heads[::-1]):
        (found,) = put(heads=order)
        assert found.title == "new"

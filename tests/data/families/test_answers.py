import random
from collections import Counter

import pytest

from devtune.data.families.answers import FORMS, order_forms, write_answer
from devtune.data.families.calls import apply_calls
from devtune.data.families.deltas import find_deltas
from devtune.steps.families import ChangeFormats, CommitEdit
from tests.changes import (
    LONG,
    ODD_LINES,
    PROMPTS,
    TOOLS,
    change_of,
    git_apply,
    read_blocks,
    shuffled,
)


def step_of(**weights):
    given = dict.fromkeys(FORMS, 0.0) | weights
    prompt = PROMPTS / "commit_edit.jinja"
    formats = ChangeFormats(**given)
    return CommitEdit(type="commit_edit", prompt=prompt, tools=TOOLS, formats=formats)


def answer_of(form, *edits):
    deltas = find_deltas(change_of("Change the thing", *edits), 400, 100_000)
    return write_answer(step_of(**{form: 1.0}), deltas, "Change the thing", "key")


def test_forms_are_chosen_by_their_weights_and_always_alike():
    formats = ChangeFormats(search_replace=2, unified_diff=0, tool_calls=1)
    orders = [order_forms(formats, str(number)) for number in range(3000)]
    assert orders == [order_forms(formats, str(number)) for number in range(3000)]
    firsts = Counter(order[0] for order in orders)
    assert 1800 < firsts["search_replace"] < 2200
    assert all(sorted(order) == ["search_replace", "tool_calls"] for order in orders)


@pytest.mark.parametrize("form", FORMS)
def test_each_form_makes_the_new_tree(tmp_path, form):
    chance = random.Random(form)
    alphabet = [*ODD_LINES, *map(str, range(20))]
    edits = []
    for number in range(250):
        old, new = ("".join(f"{x}\n" for x in each) for each in shuffled(chance, alphabet))
        sides = (chance.choice([old, None]), new) if form == "search_replace" else (old, new)
        if sides[0] != sides[1] and new and "\r" not in f"{old}{new}":
            edits.append((f"{number}.py", *sides))
    assert len(edits) > 80
    answer = answer_of(form, *edits)
    texts = {path: old for path, old, _ in edits if old is not None}
    match form:
        case "search_replace":
            both = {path: old or "" for path, old, _ in edits}
            left = read_blocks(both, answer.messages[0].content)
        case "unified_diff":
            left = git_apply(tmp_path / "repository", texts, answer.messages[0].content)
        case _:
            left = apply_calls(texts, [x for each in answer.messages for x in each.tool_calls])
            assert answer.tools
    assert left == {path: new for path, _, new in edits}
    assert answer.form == form


@pytest.mark.parametrize(
    ("form", "edit", "reason"),
    [
        ("search_replace", ("x.py", "a\n", None), "file_deleted"),
        ("search_replace", ("x.py", "a\n", ""), "file_emptied"),
        ("search_replace", ("x.py", "a\nb", "a\nc\n"), "last_line_end"),
        ("search_replace", ("x.py", None, "a"), "last_line_end"),
        ("search_replace", ("x.py", "a\n", "=======\n"), "marker_in_the_text"),
        ("search_replace", ("x.py", "a\n>>>>>>> REPLACE\n", "b\n"), "marker_in_the_text"),
        ("search_replace", ("x.py", "a\n", "b\r\n  <<<<<<< SEARCH\r\n"), "marker_in_the_text"),
        ("tool_calls", ("x.py", "s\n" * 999, "s\n" * 500 + "t\n" + "s\n" * 499), "not_unique"),
    ],
)  # fmt: skip
def test_what_a_form_cannot_say_has_a_reason(form, edit, reason):
    assert answer_of(form, edit) == f"{form}: {reason}"


def test_a_change_takes_another_form_when_its_own_cannot_say_it():
    deltas = find_deltas(change_of("Drop it", ("x.py", "a\n", None)), 5, 100)
    step = step_of(search_replace=1.0, unified_diff=1.0)
    forms = {write_answer(step, deltas, "Drop it", str(key)).form for key in range(20)}
    assert forms == {"unified_diff"}


def test_a_marker_elsewhere_in_the_file_does_no_harm():
    old = f"Title\n=======\n\n{LONG}"
    new = old.replace("line_50 = 50", "line_50 = -1")
    answer = answer_of("search_replace", ("x.rst", old, new))
    assert read_blocks({"x.rst": old}, answer.messages[0].content) == {"x.rst": new}


def test_a_text_without_a_last_line_end_keeps_it_that_way():
    answer = answer_of("search_replace", ("x.py", "ab\nb", "ab\nc\nb"))
    assert read_blocks({"x.py": "ab\nb"}, answer.messages[0].content) == {"x.py": "ab\nc\nb"}


def test_the_lines_an_answer_quotes_are_known():
    edit = ("x.py", LONG, LONG.replace("line_50 = 50", "line_50 = -1"))
    assert answer_of("search_replace", edit).needed == (((50, 51),),)
    assert answer_of("unified_diff", edit).needed == (((47, 54),),)
    assert answer_of("tool_calls", edit).needed == (((50, 51),),)

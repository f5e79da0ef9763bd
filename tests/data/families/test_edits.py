import random

import pytest

from devtune.data.families.edits import (
    DIVIDE,
    REPLACE,
    SEARCH,
    commit_edit,
    find_blocks,
    whole_lines,
    write_blocks,
)
from devtune.errors import DevtuneError
from devtune.pipeline import CommitEdit
from devtune.records import Rejected

LONG = "".join(f"line_{number} = {number}\n" for number in range(100))


@pytest.fixture
def run(make_corpus, prompts_dir):
    def make(*changes, **values):
        prompt = prompts_dir / "commit_edit.jinja"
        step = CommitEdit(type="commit_edit", prompt=prompt, **values)
        return list(commit_edit(step, make_corpus(changes=changes)))

    return make


@pytest.fixture
def edit(run):
    def make(old, new, path="x.py", **values):
        (made,) = run(("train", "Change the thing well", (path, old, new)), **values)
        return made

    return make


def request_and_answer(made):
    request, answer = made.sample.messages
    return request.content, answer.content


def apply_blocks(text, answer):
    # Written apart from the code under test, as a reader of the answer would.
    lines = answer.split("\n")
    complete = text if text.endswith("\n") or not text else f"{text}\n"
    while lines:
        assert lines.pop(0) == SEARCH
        divide, end = lines.index(DIVIDE), lines.index(REPLACE)
        search = "".join(f"{line}\n" for line in lines[:divide])
        replace = "".join(f"{line}\n" for line in lines[divide + 1 : end])
        del lines[: end + 1]
        assert f"\n{complete}".count(f"\n{search}") == 1 if search else not complete
        complete = complete.replace(search, replace) if search else replace
    unended = text and not text.endswith("\n")
    return complete.removesuffix("\n") if unended else complete


def reason_of(made):
    assert isinstance(made, Rejected)
    return made.reason


def shuffled(chance, alphabet):
    lines = [f"{chance.choice(alphabet)}" for _ in range(chance.randint(0, 30))]
    changed = list(lines)
    for _ in range(chance.randint(1, 6)):
        place = chance.randint(0, len(changed))
        match chance.choice("aadr"):
            case "a":
                changed.insert(place, chance.choice(alphabet))
            case "d":
                del changed[place : place + chance.randint(1, 3)]
            case _:
                changed[place : place + 1] = [chance.choice(alphabet), chance.choice(alphabet)]
    return lines, changed


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("size", [1, 2, 4, 40])
def test_blocks_applied_to_the_old_text_give_the_new_text(edit, end, size):
    chance = random.Random(size)
    alphabet = ["", "    x = 1", "x = 1", "\tpass", "a\x0cb", "s = '\u2028'", "a\rb", "é", "}"]
    alphabet += [f"value_{number}" for number in range(size)]
    num_blocks = []
    for _ in range(150):
        lines, changed = shuffled(chance, alphabet[-size:] if size < 4 else alphabet)
        last = end if chance.random() < 0.7 else ""
        old, new = end.join(lines) + last, end.join(changed) + last
        made = edit(old, new)
        if isinstance(made, Rejected):
            assert made.reason in ("file_deleted", "nothing_changed", "not_expressible_as_blocks")
            assert made.reason != "not_expressible_as_blocks" or (
                new.endswith("\n") != (old.endswith("\n") or not old)
            )
            continue
        request, answer = request_and_answer(made)
        assert apply_blocks(old, answer) == new
        num_blocks.append(answer.count(SEARCH))
    assert len(num_blocks) > 75
    assert size < 4 or max(num_blocks) > 1


def test_each_search_text_stands_in_the_request(edit):
    chance = random.Random(3)
    for _ in range(100):
        lines = [chance.choice(["a", "b", "", f"value_{n}"]) for n in range(200)]
        changed = list(lines)
        changed[chance.randrange(200)] = "new"
        made = edit("\n".join(lines) + "\n", "\n".join(changed) + "\n", context_lines=1)
        request, answer = request_and_answer(made)
        search = answer.split(f"{SEARCH}\n")[1].split(f"{DIVIDE}\n")[0]
        assert search in request


def test_a_small_change_is_one_small_block(edit):
    new = LONG.replace("line_50 = 50", "line_50 = -1")
    request, answer = request_and_answer(edit(LONG, new, context_lines=2))
    assert answer == f"{SEARCH}\nline_50 = 50\n{DIVIDE}\nline_50 = -1\n{REPLACE}"
    shown = "".join(f"line_{number} = {number}\n" for number in range(48, 53))
    assert request.startswith("Change the file `x.py`.\n\nChange the thing well\n\n")
    assert "Lines 49 to 53 are:" in request
    assert f"```python\n{shown}```" in request


def test_changes_far_apart_are_blocks_of_their_own(edit):
    new = LONG.replace("line_5 =", "five =").replace("line_90 =", "ninety =")
    _, answer = request_and_answer(edit(LONG, new))
    assert answer.count(SEARCH) == 2
    assert apply_blocks(LONG, answer) == new


def test_a_new_file_has_nothing_to_search_for(edit):
    request, answer = request_and_answer(edit("", "a = 1\n\n"))
    assert answer == f"{SEARCH}\n{DIVIDE}\na = 1\n\n{REPLACE}"
    assert request.startswith("Create the file `x.py`.")
    assert "```" not in request


def test_line_ends_and_blank_lines_at_the_end_survive(edit):
    for old, new in (
        ("a\r\nb\r\n", "a\r\nc\r\n"),
        ("a\nb\n\n\n", "a\nc\n\n\n\n"),
        ("a\nb", "a\nc"),
        ("ab\nb", "ab\nc\nb"),
        ("a\nb\n", "b\n"),
        ("\na\n", "\n\na\n"),
        ("b = 'x\x0cy'\nc\x0c\n", "b = 'x\x0cz'\nc\x0c\n"),
    ):
        assert apply_blocks(old, request_and_answer(edit(old, new))[1]) == new


def test_the_whole_of_a_short_file_is_shown_to_its_last_blank_line(edit):
    request, _ = request_and_answer(edit("a\nb\n\n\n", "a\nc\n\n\n"))
    assert "The file is:" in request
    assert "```python\na\nb\n\n\n```" in request


@pytest.mark.parametrize(("old", "new"), [("a\nb", "a\nb\n"), ("a\n", "b"), ("", "a")])
def test_a_last_line_end_that_comes_or_goes_cannot_be_said(edit, old, new):
    assert reason_of(edit(old, new)) in (
        "not_expressible_as_blocks", "nothing_but_the_last_line_end",
    )  # fmt: skip


@pytest.mark.parametrize("marker", [SEARCH, DIVIDE, REPLACE, f"  {DIVIDE}", f"{DIVIDE}\r"])
def test_a_marker_in_a_changed_line_is_not_said(edit, marker):
    assert reason_of(edit("a\nb\n", f"a\n{marker}\n")) == "not_expressible_as_blocks"
    assert reason_of(edit(f"{marker}\nb\n", "c\nb\n")) == "not_expressible_as_blocks"


def test_a_marker_elsewhere_in_the_file_does_no_harm(edit):
    old = f"Title\n{DIVIDE}\n\n" + LONG
    new = old.replace("line_50 = 50", "line_50 = -1")
    _, answer = request_and_answer(edit(old, new))
    assert apply_blocks(old, answer) == new


def test_a_file_of_equal_lines_is_widened_until_unique(edit):
    for place in (0, 200, 399):
        lines = ["same\n"] * 400
        lines[place] = "other\n"
        old, new = "same\n" * 400, "".join(lines)
        request, answer = request_and_answer(edit(old, new))
        assert apply_blocks(old, answer) == new
        assert answer.split(DIVIDE)[0].removeprefix(f"{SEARCH}\n") in request


@pytest.mark.timeout(20)
def test_huge_repetitive_files_take_no_minutes(edit):
    same = "same\n" * 100_000
    assert not isinstance(edit(f"{same}a\n", f"{same}b\n"), Rejected)
    assert reason_of(edit(f"a\n{same}a\n", f"b\n{same}b\n")) == "too_repetitive"
    many = "".join(f"{number}\n" for number in range(100_000))
    assert reason_of(edit(many, many[::-1])) == "too_many_changed_lines"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("a\n", "", "file_deleted"),
        ("a\n", "a\n", "nothing_changed"),
        ("a\n" * 9, "b\n" * 9, "too_many_changed_lines"),
        ("", "b\n" * 9, "too_many_changed_lines"),
    ],
)
def test_what_is_no_edit_to_learn_from_has_a_reason(edit, old, new, reason):
    rejected = edit(old, new, max_changed_lines=8)
    assert reason_of(rejected) == reason
    assert (rejected.path, rejected.commit) == ("x.py", "c0")


def test_commits_that_do_not_say_what_they_do_are_left_out(run):
    one = ("x.py", "a\n", "b\n")
    found = run(
        ("train", "Fix it", one),
        ("train", "Revert the last change", one),
        ("train", "Touch very many files", one, ("y.py", "a\n", "b\n")),
        ("held_out", "Rename a to c", ("x.py", "a\n", "c\n")),
        skip_subjects=["^Revert"],
        max_files=1,
    )
    assert [each.reason for each in found[:3]] == [
        "subject_too_short", "subject_skipped", "commit_touches_many_files",
    ]  # fmt: skip
    assert (found[3].split, found[3].sample.family) == ("held_out", "commit_edit")
    assert found[3].sample.provenance[0].commit == "c3"


def test_a_bad_pattern_is_named(run):
    with pytest.raises(DevtuneError) as caught:
        run(("train", "One two three", ("x.py", "a\n", "b\n")), skip_subjects=["(a"])
    assert str(caught.value) == (
        "build: skip_subjects: bad regular expression '(a': missing ), unterminated subpattern at"
        " position 0; correct it"
    )


def test_blocks_that_are_not_unique_alone_are_joined():
    old = whole_lines("x\na\ny\n" * 6)
    new = list(old)
    new[4], new[13] = "b\n", "b\n"
    hunks = [(4, 5, 4, 5), (13, 14, 13, 14)]
    blocks = find_blocks(old, new, hunks)
    assert blocks is not None
    assert apply_blocks("".join(old), write_blocks(blocks)) == "".join(new)


def test_lines_between_two_far_changes_are_left_out_of_the_request(edit):
    new = LONG.replace("line_10 = 10\n", "line_10 = -1\n").replace("line_90 = 90", "line_90 = -1")
    request, answer = request_and_answer(edit(LONG, new, context_lines=1))
    assert "line_9 = 9\nline_10 = 10\nline_11 = 11\n[…]\nline_89 = 89\n" in request
    assert "line_50" not in request
    assert answer.count(SEARCH) == 2


def test_a_held_out_edit_that_brings_back_a_trained_version_is_left_out(run):
    found = run(
        ("train", "Rename a to b", ("x.py", "a\n", "b\n")),
        ("held_out", "Go back to a", ("x.py", "b\n", "a\n")),
        ("held_out", "Rename b to c", ("x.py", "b\n", "c\n")),
    )
    assert found[1].reason == "already_at_the_cut"
    assert found[2].split == "held_out"

import pytest

from devtune.data.families.repairs import fix_repair
from devtune.errors import DevtuneError
from devtune.records import SourceFile
from devtune.steps.families import FixRepair
from tests.changes import LONG, PROMPTS, change_of, context_of, edit_of

NEW = LONG.replace("line_50 = 50", "line_50 = -1")


@pytest.fixture
def run(tmp_path):
    def make(row, **values):
        prompt = PROMPTS / "fix_repair.jinja"
        step = FixRepair(type="fix_repair", prompt=prompt, **values)
        return list(fix_repair(step, row, context_of(tmp_path, "fix_repair")))

    return make


def test_a_fix_is_asked_for_without_saying_what_is_wrong(run):
    change = change_of("Fix the sign of line 50", ("x.py", LONG, NEW), body="It was positive.")
    (made,) = run(change, context_lines=2)
    request, answer = (each.content for each in made.sample.messages)
    shown = "".join(f"line_{number} = {number}\n" for number in range(48, 53))
    assert f"```python\n{shown}```" in request
    assert "`x.py`, lines 49 to 53" in request
    assert "sign" not in request
    assert "positive" not in request
    assert answer == f"```python\n{shown.replace('= 50', '= -1')}```"
    assert made.evidence == ("line_50 = -1\n",)
    assert (made.split, made.sample.family) == ("train", "fix_repair")


def test_tests_and_documents_beside_a_fix_are_no_part_of_it(run):
    change = change_of(
        "Fix the sign", ("x.py", LONG, NEW), ("tests/test_x.py", "a\n", "b\n"),
        ("README.md", "a\n", "b\n"), split="held_out",
    )  # fmt: skip
    (made,) = run(change)
    assert [each.path for each in made.sample.provenance] == ["x.py"]
    assert made.split == "held_out"


def test_requests_are_phrased_in_several_ways(run):
    requests = {
        run(change_of("Fix the sign", ("x.py", LONG, NEW), commit=f"c{number}"))[0]
        .sample.messages[0]
        .content
        for number in range(40)
    }
    assert len(requests) >= 3


@pytest.mark.parametrize(
    ("subject", "edits", "reason"),
    [
        ("Fix a typo in the parser", [("x.py", LONG, NEW)], "fixes_no_mistake"),
        ("Fix tests", [("x.py", LONG, NEW)], "fixes_no_mistake"),
        ("Fix it", [("x.py", LONG, NEW), ("y.py", LONG, NEW)], "not_in_one_code_file"),
        ("Fix it", [("x.md", LONG, NEW)], "not_in_one_code_file"),
        ("Fix it", [("x.py", None, NEW)], "not_in_one_code_file"),
        ("Fix it", [("x.py", LONG, None)], "not_in_one_code_file"),
        ("Fix it", [("x.py", LONG, NEW.replace("line_9 =", "nine ="))], "not_in_one_region"),
        ("Fix it", [("x.py", LONG, "x\n" * 100)], "too_many_changed_lines"),
        ("Fix it", [("x.py", "# a\nx = 1\n", "# b\nx = 1\n")], "only_comments_change"),
        ("Fix it", [("x.py", "if a:\n  b\n", "if a:\n    b\n")], "only_blank_space_changes"),
        ("Fix it", [("../x.py", LONG, NEW)], "path_not_plain"),
    ],
)
def test_fixes_that_cannot_be_found_by_reading_have_a_reason(run, subject, edits, reason):
    (rejected,) = run(change_of(subject, *edits))
    assert rejected.reason == reason


def test_what_is_no_fix_is_passed_over(run):
    assert run(change_of("Add a prefix", ("x.py", LONG, NEW))) == []
    assert run(SourceFile(edit_of("x.py", None, "a\n").provenance, "train", "a\n")) == []


def test_the_recipe_says_what_a_fix_is_called(run):
    change = change_of("Repariere das Vorzeichen", ("x.py", LONG, NEW))
    assert len(run(change, subjects=("^Repariere",))) == 1


def test_a_bad_pattern_is_named(run):
    with pytest.raises(DevtuneError) as caught:
        run(change_of("Fix it", ("x.py", LONG, NEW)), subjects=("(a",))
    assert str(caught.value) == (
        "fix_repair.subjects: bad regular expression '(a': missing ), unterminated subpattern at"
        " position 0; correct it"
    )


def test_the_region_at_the_end_of_a_file_is_whole(run):
    (made,) = run(change_of("Fix it", ("x.py", "a = 1\nb = 2", "a = 1\nb = 3\nc = 4")))
    assert made.sample.messages[1].content == "```python\na = 1\nb = 3\nc = 4\n```"

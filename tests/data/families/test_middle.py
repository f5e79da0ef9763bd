import random
import re
from itertools import pairwise

import pytest

from devtune.data.corpus import split_lines
from devtune.data.families.middle import fill_in_the_middle, indented_blocks
from devtune.records import Change, Rejected
from devtune.steps.families import FillInTheMiddle
from tests.graphs import PROMPTS, context_of, file_of

TWO = """\
def first(a):
    b = a
    return b


def second(a):
    c = a * 2

    if c:
        d = 3
        c += d
    return c
"""


@pytest.fixture
def run(tmp_path):
    def make(file, *others, **values):
        prompt = PROMPTS / "fill_in_the_middle.jinja"
        step = FillInTheMiddle(type="fill_in_the_middle", prompt=prompt, **values)
        context = context_of(tmp_path / "corpus", "fill_in_the_middle", file, *others)
        return list(fill_in_the_middle(step, file, context))

    return make


def parts(made):
    request, answer = (each.content for each in made.sample.messages)
    shown = re.findall("^(```+)\\w+\n(.*?)\n\\1$", request, re.DOTALL | re.MULTILINE)
    ((_, gap),) = [each for each in shown if "<missing>" in each[1]]
    before, after = f"{gap}\n".split("\n<missing>\n")
    block = re.fullmatch("```+\\w+\n(.*)\n```+", answer, re.DOTALL).group(1)
    return before, block, after.removesuffix("\n")


def samples(found):
    return [each for each in found if not isinstance(each, Rejected)]


def nested(chance, depth=0):
    lines = []
    for _ in range(chance.randint(1, 5)):
        lines.append("    " * depth + f"value_{chance.randint(0, 50)} = 1")
        if chance.random() < 0.2:
            lines.append("")
        if depth < 4 and chance.random() < 0.5:
            lines.append("    " * depth + f"if value_{chance.randint(0, 50)}:")
            lines += nested(chance, depth + 1)
    return lines


def spans_of(text, least=1, most=12):
    return [(each.start, each.end) for each in indented_blocks(split_lines(text), least, most)]


def test_an_indented_block_is_the_lines_deeper_than_the_one_above():
    assert spans_of(TWO, 2) == [(1, 3), (6, 12), (9, 11)]
    assert spans_of(TWO, 3) == [(6, 12)]
    assert spans_of(TWO, 2, 2) == [(1, 3), (9, 11)]


@pytest.mark.parametrize("text", ["", "a\n", "\n\n", "    a\nb\n"])
def test_texts_without_an_indented_block(text):
    assert spans_of(text) == []


def test_a_tab_is_eight_columns_and_blank_lines_belong_to_what_follows():
    assert spans_of("a\n\tb\n        c\n\n\nd\n") == [(1, 3)]
    assert spans_of("a {\n  b\n\n  c\n\n") == [(1, 4)]


@pytest.mark.parametrize("line", ['"""Say."""', "r'''Say", "/** Say", "* Say", "*/", "*"])
def test_a_docstring_is_no_block(run, line):
    file = file_of("a.lua", f"f()\n    {line}\n    x\n")
    assert run(file) == [Rejected("no_suitable_block", "app", "a.lua", "c0ffee")]


def test_a_pointer_is_no_docstring(run):
    (made,) = run(file_of("a.zig", "{\n    *p = 1;\n    *q = 2;\n}\n"))
    assert parts(made)[1] == "    *p = 1;\n    *q = 2;"


@pytest.mark.parametrize("path", ["a.py", "a.lua"])
@pytest.mark.parametrize("seed", range(20))
def test_before_block_and_after_are_the_file(run, seed, path):
    text = "\n".join(nested(random.Random(seed))) + "\n"
    found = samples(run(file_of(path, text), context_lines=1000, min_lines=1))
    assert len(found) <= 3
    for made in found:
        before, block, after = parts(made)
        assert f"{before}\n{block}\n{after}".rstrip("\n") == text.rstrip("\n")
        assert made.evidence == (block,)


@pytest.mark.parametrize("path", ["a.py", "a.lua"])
@pytest.mark.parametrize("seed", range(20))
def test_the_blocks_of_a_file_are_disjoint_and_as_many_as_asked(run, seed, path):
    text = "\n".join(nested(random.Random(seed))) + "\n"
    taken = []
    for made in samples(run(file_of(path, text), context_lines=1000, min_lines=1, per_file=9)):
        before, block, _ = parts(made)
        start = before.count("\n") + 1
        taken.append((start, start + block.count("\n") + 1))
    assert all(end <= start for (_, end), (start, _) in pairwise(sorted(taken)))
    assert all(end <= text.count("\n") for _, end in taken)
    fewer = samples(run(file_of(path, text), min_lines=1, per_file=1))
    assert len(fewer) == min(len(taken), 1)


def test_the_choice_is_the_same_each_time_and_hangs_on_the_text_alone(run):
    text = "\n".join(nested(random.Random(11))) + "\n"
    answers = []
    for path in ("a.py", "a.py", "other/b.py"):
        found = samples(run(file_of(path, text), per_file=2))
        answers.append([each.sample.messages[1] for each in found])
    assert answers[0] == answers[1] == answers[2] != []


@pytest.mark.parametrize("path", ["a.md", "Makefile"])
def test_only_code_is_asked_for(run, path):
    assert run(file_of(path, TWO)) == []


def test_a_file_without_a_block_has_a_reason(run):
    expected = [Rejected("no_suitable_block", "app", "b.py", "c0ffee")]
    assert run(file_of("b.py", "x = 1\n")) == expected


def test_a_commit_is_no_file(tmp_path, run):
    step = FillInTheMiddle(type="fill_in_the_middle", prompt=PROMPTS / "fill_in_the_middle.jinja")
    change = Change("app", "c0ffee", "Ada", "2024-01-01", "train", "Say", "", 0, ())
    context = context_of(tmp_path / "corpus", "fill_in_the_middle")
    assert list(fill_in_the_middle(step, change, context)) == []


def test_context_is_as_long_as_asked(run):
    for made in run(file_of("a.py", TWO), context_lines=1, min_lines=2, per_file=2):
        assert [part.count("\n") for part in (parts(made)[0], parts(made)[2])] == [0, 0]


def test_a_sample_is_on_the_side_of_its_file(run):
    (made,) = run(file_of("a.py", TWO, split="held_out"), per_file=1)
    assert made.split == "held_out"


def test_odd_line_breaks_stay_inside_their_lines(run):
    text = "def f():\n    a = '\u2028    x'\n    b = '\x0c'\n    return a\n"
    (made,) = run(file_of("a.py", text), min_lines=3)
    assert parts(made)[1] == text.split("\n", 1)[1].rstrip("\n")


CONFIG = file_of(
    "app/config.py",
    'def load(path):\n    """Read the settings."""\n    return path\n\n\n'
    "def keep(x):\n    return x\n\n\ndef drop(x):\n    return x\n",
)
USER = file_of(
    "app/main.py",
    "from app.config import drop, keep, load\n\n\n"
    "def main(x):\n    y = load(x)\n    y = y + 1\n    return y\n",
)
CALLER = file_of(
    "app/cli.py",
    "from app.main import main\n\n\ndef run():\n    " + "\n    ".join("abcdef") + "\n"
    "    main(3)\n    " + "\n    ".join("ghijkl") + "\n",
)
TEST = file_of(
    "a/test_main.py", "from app.main import main\n\n\ndef test_it():\n    assert main(3)\n"
)


def shown(made):
    return {each.path for each in made.sample.provenance[1:]}


def test_definitions_and_callers_of_other_files_are_shown(run):
    (made,) = run(USER, CONFIG, CALLER, TEST, min_lines=3, per_file=1)
    request = made.sample.messages[0].content
    assert request.count("def load(path):") == 1
    assert "Read the settings." in request
    assert "def keep(x):" in request
    assert "    d\n    e\n    f\n    main(3)\n    g\n    h\n    i\n```" in request
    assert "    c\n" not in request
    place = made.sample.provenance[0]
    assert (place.path, place.first_line, place.last_line) == (USER.provenance.path, 5, 7)
    assert shown(made) == {"app/config.py", "app/cli.py", "a/test_main.py"}


def test_what_the_function_uses_comes_before_what_else_is_imported_and_tests_last(run):
    (made,) = run(USER, CONFIG, TEST, CALLER, min_lines=3, per_file=1, repository_context=1)
    request = made.sample.messages[0].content
    assert "def load(path):" in request
    assert "def drop(x):" not in request
    assert shown(made) == {"app/config.py", "app/cli.py"}


def test_no_context_is_shown_where_none_is_asked_for_or_there(run):
    (made,) = run(USER, CONFIG, CALLER, TEST, min_lines=3, per_file=1, repository_context=0)
    alone = run(USER, min_lines=3, per_file=1)
    assert shown(made) == shown(alone[0]) == set()
    assert made.sample == alone[0].sample


def test_a_file_to_train_on_is_shown_nothing_held_out(run):
    newer = file_of(CALLER.provenance.path, CALLER.text, split="held_out")
    (made,) = run(USER, CONFIG, newer, min_lines=3, per_file=1)
    assert shown(made) == {"app/config.py"}


def test_requests_are_phrased_in_several_ways(run):
    texts = set()
    for number in range(12):
        (made,) = run(file_of(f"a{number}.py", "def f():\n    a = 1\n    return a\n"))
        texts.add(made.sample.messages[0].content.replace(f"a{number}.py", "X"))
    assert len(texts) >= 4


def test_line_ends_of_another_system_are_read_as_python_does(run):
    plain = run(file_of("a.py", TWO))
    other = run(file_of("a.py", "\ufeff" + TWO.replace("\n", "\r\n")))
    assert [each.sample for each in other] == [each.sample for each in plain] != []


def test_without_context_no_gap_is_left_where_it_would_stand(run):
    text = "def f(a):\n    b = a\n    c = b\n    return c\n"
    found = [made for n in range(24) for made in run(file_of(f"{n}.py", text), per_file=1)]
    assert len({made.sample.messages[0].content.split("`")[0] for made in found}) > 4
    assert not [made for made in found if "\n\n\n" in made.sample.messages[0].content]

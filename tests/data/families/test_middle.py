import random
import re
from itertools import pairwise

import pytest

from devtune.data.corpus import passage_of, split_lines
from devtune.data.families.middle import blocks, fill_in_the_middle
from devtune.pipeline import FillInTheMiddle
from devtune.records import Rejected

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
def run(make_corpus, prompts_dir):
    def make(*files, changes=(), **values):
        prompt = prompts_dir / "fill_in_the_middle.jinja"
        step = FillInTheMiddle(type="fill_in_the_middle", prompt=prompt, **values)
        return list(fill_in_the_middle(step, make_corpus(files, changes)))

    return make


def parts(made):
    request, answer = (each.content for each in made.sample.messages)
    before, after = request.split("```python\n", 1)[1].rsplit("\n```", 1)[0].split("\n<missing>\n")
    return before, re.fullmatch("```python\n(.*)\n```", answer, re.DOTALL).group(1), after


def samples(found, split="train"):
    return [each for each in found if not isinstance(each, Rejected) and each.split == split]


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


def test_a_block_is_the_lines_deeper_than_the_one_above():
    lines = split_lines(TWO)
    assert list(blocks(lines, 2, 12)) == [(1, 3), (6, 12), (9, 11)]
    assert list(blocks(lines, 3, 12)) == [(6, 12)]
    assert list(blocks(lines, 2, 2)) == [(1, 3), (9, 11)]


@pytest.mark.parametrize("lines", [[], ["a\n"], ["\n", "\n"], ["    a\n", "b\n"]])
def test_texts_without_a_block(lines):
    assert list(blocks(lines, 1, 12)) == []


def test_a_tab_is_eight_columns_and_blank_lines_belong_to_what_follows():
    assert list(blocks(["a\n", "\tb\n", "        c\n", "\n", "\n", "d\n"], 1, 12)) == [(1, 3)]
    assert list(blocks(["a {\n", "  b\n", "\n", "  c\n", "\n"], 1, 12)) == [(1, 4)]


@pytest.mark.parametrize("line", ['"""Say."""', "r'''Say", "/** Say", "* Say", "*/", "*"])
def test_a_docstring_is_no_block(line):
    assert list(blocks(["def f():\n", f"    {line}\n", "    x\n"], 1, 12)) == []


def test_a_pointer_is_no_docstring():
    assert list(blocks(["{\n", "    *p = 1;\n", "    *q = 2;\n", "}\n"], 1, 12)) == [(1, 3)]


@pytest.mark.parametrize("seed", range(40))
def test_before_block_and_after_are_the_file(run, seed):
    lines = nested(random.Random(seed))
    text = "\n".join(lines) + "\n"
    found = run(("a.py", "train", text), context_lines=1000, min_lines=1)
    assert len(samples(found)) <= 3
    for made in samples(found):
        before, block, after = parts(made)
        assert f"{before}\n{block}\n{after}".rstrip("\n") == text.rstrip("\n")


@pytest.mark.parametrize("seed", range(40))
def test_the_blocks_of_a_file_are_disjoint_and_as_many_as_asked(run, seed):
    text = "\n".join(nested(random.Random(seed))) + "\n"
    lines = [f"{number}\n" for number in range(text.count("\n"))]
    taken = []
    for made in samples(run(("a.py", "train", text), context_lines=1000, min_lines=1, per_file=9)):
        before, block, _ = parts(made)
        start = before.count("\n") + 1
        taken.append((start, start + block.count("\n") + 1))
    assert all(end <= start for (_, end), (start, _) in pairwise(sorted(taken)))
    assert all(end <= len(lines) for _, end in taken)
    fewer = samples(run(("a.py", "train", text), min_lines=1, per_file=1))
    assert len(fewer) == min(len(taken), 1)


def test_the_choice_is_the_same_each_time_and_hangs_on_the_text_alone(run):
    text = "\n".join(nested(random.Random(11))) + "\n"
    answers = []
    for path in ("a.py", "a.py", "other/b.py"):
        found = samples(run((path, "train", text), per_file=2))
        answers.append([each.sample.messages[1] for each in found])
    assert answers[0] == answers[1] == answers[2] != []


def test_only_code_is_asked_for_and_a_file_without_a_block_has_a_reason(run):
    found = run(("a.md", "train", TWO), ("b.py", "train", "x = 1\n"), ("Makefile", "train", TWO))
    assert found == [Rejected("no_suitable_block", "app", "b.py", "c0ffee")]


def test_context_is_as_long_as_asked(run):
    (made, _) = samples(run(("a.py", "train", TWO), context_lines=1, min_lines=2, per_file=2))
    assert [part.count("\n") for part in (parts(made)[0], parts(made)[2])] == [0, 0]


NEW = "\n\ndef third(a):\n    e = a\n    f = e\n    return f\n"


@pytest.mark.parametrize("path", ["a.py", "renamed.py"])
@pytest.mark.parametrize("indent", ["", "    "])
def test_a_held_out_block_is_newer_than_the_cut_wherever_it_was_moved(run, path, indent):
    moved = "".join(f"{indent}{line}" if line.strip() else line for line in split_lines(TWO + NEW))
    moved = f"if 1:\n{moved}" if indent else moved
    found = run(("a.py", "train", TWO), (path, "held_out", moved), per_file=9)
    held_out = samples(found, "held_out")
    assert [passage_of(parts(made)[1]) for made in held_out] == [("e = a", "f = e", "return f")]


def test_a_block_an_earlier_commit_wrote_is_not_held_out(run):
    change = ("train", "Add it", ("gone.py", "", TWO))
    found = run(("b.py", "held_out", TWO), changes=[change])
    assert [each.reason for each in found] == ["no_suitable_block"]
    assert len(samples(run(("b.py", "held_out", TWO)), "held_out")) == 2


def test_odd_line_breaks_stay_inside_their_lines(run):
    text = "def f():\n    a = '\u2028    x'\n    b = '\x0c'\n    return a\n"
    (made,) = samples(run(("a.py", "train", text)))
    assert parts(made)[1] == text.split("\n", 1)[1].rstrip("\n")

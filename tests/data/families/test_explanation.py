import textwrap

import pytest

from devtune.data.families.explanation import explanation
from devtune.records import Rejected
from devtune.steps.families import Explanation
from tests.changes import change_of
from tests.files import context_of, file_of, texts

WHY = "The server closes idle connections, so the first request may fail."
CODE = f"""\
def load(url):
    session = start()

    # The server closes idle connections,
    # so the first request may fail.
    for _ in range(2):
        if session.get(url):
            break

    else:
        raise Failed
    # Short one.
    session.close()

    return session


# {WHY}
RETRIES = 2
LIMIT = 3

OTHER = 4
"""


@pytest.fixture
def run(tmp_path):
    def make(*row, split="train", **values):
        context = context_of(tmp_path, "explanation")
        step = Explanation(type="explanation", prompt=context.prompt.file, **values)
        return list(explanation(step, file_of(*row, split=split), context))

    return make


def fences(text):
    return ["".join(part.partition("\n")[2]) for part in text.split("```")[1::2]]


def test_the_code_below_a_comment_asks_and_the_comment_answers(run):
    first, second = run("a.py", CODE, split="held_out", context_lines=1)
    request, answer = texts(first)
    assert answer == WHY
    assert "server" not in request
    assert "`load`" in request
    assert "`a.py`" in request
    passage = (
        "for _ in range(2):\n    if session.get(url):\n        break\n\nelse:\n    raise Failed"
    )
    assert f"{passage}\n" in fences(request)
    assert f"\n{passage}\n# Short one.\n" in [f"\n{each}" for each in fences(request)]
    assert first.evidence == (
        "    # The server closes idle connections,\n    # so the first request may fail.",
    )
    assert (first.split, first.sample.family) == ("held_out", "explanation")
    assert texts(second)[1] == WHY
    assert "RETRIES = 2\nLIMIT = 3\n" in fences(texts(second)[0])


def test_the_surroundings_end_with_the_function_and_leave_the_comment_out(run):
    first, _ = run("a.py", CODE, context_lines=100)
    scene = max(fences(texts(first)[0]), key=len)
    assert scene.startswith("def load(url):\n    session = start()\n\n    for _ in range(2):\n")
    assert scene.endswith("    return session\n")
    assert "server" not in scene


def test_without_surroundings_the_code_is_shown_once(run):
    first, second = run("a.py", CODE, context_lines=0)
    assert [len(fences(texts(each)[0])) for each in (first, second)] == [1, 1]


def test_questions_are_phrased_in_several_ways(run):
    def asked(number, context_lines):
        return texts(run(f"x{number}.py", CODE, context_lines=context_lines)[0])[0].replace(
            f"x{number}.py", ""
        )

    for context_lines in (0, 5):
        assert len({asked(number, context_lines) for number in range(30)}) >= 3


SAMPLES = {
    "a.js": "function f(a) {\n  // {}\n  a.go();\n  a.stop();\n\n  return a;\n}\n",
    "a.ts": "class A {\n  f(a: B) {\n    // {}\n    a.go();\n    a.stop();\n\n    x();\n  }\n}\n",
    "A.java": "class A {\n  X f(B a) {\n    // {}\n    a.go();\n    a.stop();\n\n    x();\n }\n}\n",
    "a.go": "package a\n\nfunc f(a B) {\n\t// {}\n\ta.go()\n\ta.stop()\n\n\tx()\n}\n",
    "a.rs": "fn f(a: B) {\n    // {}\n    a.go();\n    a.stop();\n\n    x();\n}\n",
    "a.c": "void f(int a) {\n  /* {} */\n  go(a);\n  stop(a);\n\n  x();\n}\n",
    "a.cpp": "void f(B a) {\n  // {}\n  a.go();\n  a.stop();\n\n  x();\n}\n",
    "A.cs": "class A {\n  X F(B a) {\n    // {}\n    a.go();\n    a.stop();\n\n    x();\n  }\n}\n",
    "a.rb": "def f(a)\n  # {}\n  a.go\n  a.stop\n\n  x\nend\n",
    "a.php": "<?php\nfunction f($a) {\n    // {}\n    $a->go();\n    $a->stop();\n\n    x();\n}\n",
}


@pytest.mark.parametrize("path", SAMPLES)
def test_comments_of_every_language_explain(run, path):
    text = SAMPLES[path].replace("{}", WHY, 1)
    (made,) = run(path, text)
    request, answer = texts(made)
    assert answer == WHY
    assert WHY not in request
    (passage,) = [each for each in fences(request) if each.count("\n") == 2]
    lines = text.split("\n")
    at = next(number for number, line in enumerate(lines) if WHY in line)
    assert passage == textwrap.dedent("\n".join(lines[at + 1 : at + 3])) + "\n"


@pytest.mark.parametrize(
    ("comment", "reason"),
    [
        ("TODO: close idle connections before the first request fails", "comment_is_todo"),
        ("Copyright 2020 by those who wrote this file and others", "comment_is_licence"),
        ("cspell:disable for the names of those who wrote it, sorry", "comment_is_directive"),
        ("session = start(url, timeout, retries, limit, and_more, than, eight)", "comment_is_code"),
        ("==== what follows is about the first request of all ====", "comment_is_banner"),
        ("the first request may fail, which is why we do this:", "comment_goes_on_elsewhere"),
        ("see the documentation of the server for why it may fail", "comment_goes_on_elsewhere"),
    ],
)
def test_comments_that_explain_nothing_have_a_reason(run, comment, reason):
    text = f"x = 1\n\n# {comment}\ny = 2\n"
    assert run("a.py", text) == [Rejected(reason, "app", "a.py", "c0ffee", "line 3")]


def test_a_comment_above_too_much_code_is_left_out(run):
    (rejected, _) = run("a.py", CODE, max_lines=5)
    assert rejected == Rejected("code_too_long", "app", "a.py", "c0ffee", "line 4")


def test_a_comment_that_also_stands_nearby_is_left_out(run):
    found = run("a.py", f"# {WHY}\nx = 1\n\n# {WHY}\ny = 1\n")
    assert [each.reason for each in found] == ["comment_is_repeated"] * 2


C = f"""\
int f(int x) {{
  // {WHY}
  if (x) {{
#if HAVE_FAST
    fast(x);

    fast(x);
#else
    slow(x);
#endif
  }}

  // {WHY.lower()}
  go(x);
#if X
  go(x);
#endif
}}
#ifdef A
// {WHY.upper()}
int y;
#else
int y, z;
#endif
"""


def test_conditions_of_the_preprocessor_are_shown_whole_or_not_at_all(run):
    passages = [min(fences(texts(each)[0]), key=len) for each in run("a.c", C)]
    start = C.index("  if (x)")
    assert passages == [
        C[start : C.index("\n\n  // the")] + "\n",
        "  go(x);\n#if X\n  go(x);\n#endif\n",
        "int y;\n",
    ]


@pytest.mark.parametrize(
    ("path", "above", "below"),
    [
        ("a.c", "/* one\n two\n three */\n", "/* one\n two\n three */\n"),
        ("a.py", '"""\none\ntwo\n"""\n', '"""\none\ntwo\n"""\n'),
    ],
)
def test_surroundings_hold_no_pieces_of_comments_or_strings(run, path, above, below):
    mark = "//" if path == "a.c" else "#"
    text = f"{above}int = 1;\n\n{mark} {WHY}\nx = 1;\n\ny = 2;\n\n{below}"
    (made,) = run(path, text, context_lines=above.count("\n") + 1)
    assert max(fences(texts(made)[0]), key=len) == "int = 1;\n\nx = 1;\n\ny = 2;\n"


def test_fields_of_a_documentation_are_no_part_of_the_answer(run):
    comment = f"    /**\n     * {WHY}\n     *\n     * @var int\n     */\n"
    (made,) = run("a.php", f"<?php\nclass A {{\n{comment}    private $a;\n}}\n")
    assert texts(made)[1] == WHY


@pytest.mark.parametrize(
    "text",
    [
        f"# {WHY}\n\nx = 1\n",
        f"x = 1\n# {WHY}\n",
        f"x = 1  # {WHY}\n",
        "# Too short.\nx = 1\n",
        "x = (\n",
        "",
    ],
)
def test_comments_that_stand_above_no_code_or_are_short_are_no_candidates(run, text):
    assert run("a.py", text) == []


def test_the_documentation_of_a_function_is_left_to_its_own_family(run):
    assert run("a.go", f"package a\n\n// {WHY}\nfunc F() {{\n\tx()\n}}\n") == []


def test_commits_and_prose_make_nothing(run, tmp_path):
    assert run("a.md", CODE) == []
    context = context_of(tmp_path, "explanation")
    step = Explanation(type="explanation", prompt=context.prompt.file)
    assert list(explanation(step, change_of("Load it", ("a.py", None, CODE)), context)) == []

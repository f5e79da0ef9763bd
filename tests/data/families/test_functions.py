import ast
import inspect
import random
import re
import textwrap
from pathlib import Path

import pytest

import devtune
from devtune.data.families.functions import docstring_to_function, function_to_docstring
from devtune.records import Rejected
from devtune.steps.families import DocstringToFunction, FunctionToDocstring
from tests.changes import change_of
from tests.files import context_of, file_of, texts

FAMILIES = {
    "docstring_to_function": (docstring_to_function, DocstringToFunction),
    "function_to_docstring": (function_to_docstring, FunctionToDocstring),
}
ADD = '''def add(a, b):
    """Return the sum of a and b."""
    total = a
    total += b
    return total
'''
LOOSE = {"min_lines": 1, "max_lines": 5000, "min_docstring_words": 1}


@pytest.fixture
def run(tmp_path):
    def make(family, *row, split="train", **values):
        make_all, kind = FAMILIES[family]
        context = context_of(tmp_path, family)
        step = kind(type=family, prompt=context.prompt.file, **values)
        return list(make_all(step, file_of(*row, split=split), context))

    return make


@pytest.fixture
def taken(run):
    # What was made of each function of a text: signature and documentation, whole, bare.
    def take(text, path="a.py"):
        wholes = run("docstring_to_function", path, text, **LOOSE)
        bares = run("function_to_docstring", path, text, **LOOSE)
        made = [each for each in (*wholes, *bares) if not isinstance(each, Rejected)]
        half = len(made) // 2
        assert [each.evidence for each in made[:half]] == [each.evidence for each in made[half:]]
        return [
            (texts(whole)[0], unfenced(texts(whole)[1]), unfenced(texts(bare)[0]), texts(bare)[1])
            for whole, bare in zip(made[:half], made[half:], strict=True)
        ]

    return take


def unfenced(text):
    lines = text.split("\n")
    start = next(number for number, line in enumerate(lines) if line.startswith("```"))
    fence = lines[start][: len(lines[start]) - len(lines[start].lstrip("`"))]
    return "\n".join(lines[start + 1 : lines.index(fence, start + 1)])


def shape(function, body):
    parts = [function.args, function.returns, *function.decorator_list, *body]
    return [function.name, *(ast.dump(each) if each else "" for each in parts)]


def functions_in(text):
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]


def as_written(text, function):
    literal = ast.get_source_segment(text, function.body[0].value)
    return inspect.cleandoc(re.fullmatch(r'(?s)[rRuU]?("""|"|\'\'\'|\')(.*)\1', literal)[2])


def assert_exact(taken_apart, original):
    _, whole, bare, documentation = taken_apart
    assert documentation == ast.get_docstring(original).rstrip()
    (function,) = ast.parse(whole).body
    assert shape(function, function.body[1:]) == shape(original, original.body[1:])
    assert ast.get_docstring(function).rstrip() == documentation
    (undocumented,) = ast.parse(bare).body
    assert shape(undocumented, undocumented.body) == shape(original, original.body[1:])


AWKWARD = {
    "tabs": 'class A:\n\tdef f(self):\n\t\t"""Do it."""\n\t\tif 1:\n\t\t\treturn 2\n\t\treturn 1\n',
    "two spaces": 'class A:\n  def f(self):\n    """Do it.\n\n    More.\n    """\n    return 1\n',
    "a string with less indentation": (
        'class A:\n    def f(self):\n        """Do it."""\n        x = """\n  a\nb\n"""\n'
        "        return x\n"
    ),
    "a string with more indentation": (
        'class A:\n    def f(self):\n        """Do it."""\n        x = """\n            a\n"""\n'
        "        return x\n"
    ),
    "an f-string over lines": (
        'class A:\n    def f(self):\n        """Do it."""\n        return f"""\n        {self}\n'
        '        """\n'
    ),
    "blanks inside a string": (
        'class A:\n    def f(self):\n        """Do it."""\n        return """a\n        \nb"""\n'
    ),
    "a docstring at the margin": (
        'class A:\n    def f(self):\n        """Do it.\n\nAt the margin.\n        """\n'
        "        return 1\n"
    ),
    "form feed": 'a = 1\n\x0c\ndef f():\n    """Do it."""\n    b = "\x0c"\n    return b\n',
    "separators": 's = "\u2028\x85\x0b"\ndef f():\n    """Do \u2029 it."""\n    return "\u2028"\n',
    "unicode": 'é = "日本"\ndef f(ü):\n    """Größe 👩‍💻 tun."""\n    return ü + é\n',
    "margin comments": 'class A:\n  def f(self):\n    """Do it."""\n# why\n    return 1\n',
    "continued": 'class A:\n  def f(a):\n    """Do it."""\n    return (1 +\n      2) + \\\n 3\n',
    "decorators": '@a\n@b(\n    1,\n)\nasync def f(x: int,\n) -> B:  # y\n    """Do."""\n    x\n',
    "raw docstring": 'def f():\n    r"""Find \\d in it."""\n    return 1\n',
}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_layouts_of_python_come_out_whole(taken, name, end):
    text = AWKWARD[name]
    (found,) = taken(text.replace("\n", end))
    assert_exact(found, functions_in(text)[0])
    assert "\r" not in "".join(found)


def test_all_functions_of_real_python_are_what_they_were(taken):
    count = 0
    for file in sorted(Path(devtune.__file__).parent.rglob("*.py"))[::4]:
        originals = {ast.dump(each): each for each in functions_in(file.read_text())}
        shapes = [shape(each, each.body[1:]) for each in originals.values()]
        for _, whole, bare, documentation in taken(file.read_text()):
            (function,) = ast.parse(whole).body
            assert shape(function, function.body[1:]) in shapes
            assert documentation == as_written(whole, function)
            (undocumented,) = ast.parse(bare).body
            assert shape(undocumented, undocumented.body) in shapes
            count += 1
    assert count > 20


def test_random_indentation_never_changes_a_python_function(taken):
    chance = random.Random(5)
    for _ in range(60):
        width = chance.choice(["  ", "    ", "\t", "   "])
        depth = chance.randint(0, 3)
        lines = [f"{width * level}class C{level}:" for level in range(depth)]
        inner = width * (depth + 1)
        margin = chance.choice(["", inner])
        lines += [f"{width * depth}def f(self):", f'{inner}"""Do', f"{margin}it.", f'{inner}"""',
                  f'{inner}x = """a', chance.choice(["", " ", inner, "b"]), '"""',
                  f"{inner}return x"]  # fmt: skip
        text = "\n".join(lines) + "\n"
        (found,) = taken(text)
        assert_exact(found, functions_in(text)[0])


PARTS = {
    "a.py": ("", ADD, ""),
    "a.js": (
        "",
        "/**\n * Return the sum of a and b.\n */\nfunction add(a, b) {\n  let total = a;\n"
        "  total += b;\n  return total;\n}\n",
        "",
    ),
    "a.ts": (
        "",
        "/** Return the sum of a and b. */\nexport function add(a: number, b: number): T {\n"
        "  let total = a;\n  total += b;\n  return total;\n}\n",
        "",
    ),
    "A.java": (
        "class A {\n",
        "    /**\n     * Return the sum of a and b.\n     */\n    int add(int a, int b) {\n"
        "        int total = a;\n        total += b;\n        return total;\n    }\n",
        "}\n",
    ),
    "a.go": (
        "package a\n\n",
        "// Return the sum of a and b.\nfunc add(a int, b int) int {\n\ttotal := a\n"
        "\ttotal += b\n\treturn total\n}\n",
        "",
    ),
    "a.rs": (
        "",
        "/// Return the sum of a and b.\nfn add(a: i32, b: i32) -> i32 {\n"
        "    let mut total = a;\n    total += b;\n    total\n}\n",
        "",
    ),
    "a.c": (
        "",
        "/* Return the sum of a and b. */\nint add(int a, int b) {\n    int total = a;\n"
        "    total += b;\n    return total;\n}\n",
        "",
    ),
    "a.cpp": (
        "namespace n {\n",
        "/// Return the sum of a and b.\nint add(int a, int b) {\n    int total = a;\n"
        "    total += b;\n    return total;\n}\n",
        "}\n",
    ),
    "A.cs": (
        "class A\n{\n",
        "    /// Return the sum of a and b.\n    int add(int a, int b)\n    {\n"
        "        int total = a;\n        total += b;\n        return total;\n    }\n",
        "}\n",
    ),
    "a.rb": (
        "class A\n",
        "  # Return the sum of a and b.\n  def add(a, b)\n    total = a\n    total += b\n"
        "    total\n  end\n",
        "end\n",
    ),
    "a.php": (
        "<?php\n",
        "/**\n * Return the sum of a and b.\n */\nfunction add($a, $b)\n{\n    $total = $a;\n"
        "    $total += $b;\n    return $total;\n}\n",
        "",
    ),
}
FILES = {path: "".join(parts) for path, parts in PARTS.items()}


@pytest.mark.parametrize("path", PARTS)
def test_documentation_and_function_ask_for_each_other_in_every_language(taken, path):
    before, function, after = PARTS[path]
    ((request, whole, bare, documentation),) = taken(before + function + after, path)
    function = textwrap.dedent(function).rstrip("\n")
    assert whole == function
    assert documentation == "Return the sum of a and b."
    assert documentation in request
    assert "return total" not in request
    lines = function.split("\n")
    named = next(number for number, line in enumerate(lines) if "add(" in line)
    documented = named + 2 if path == "a.py" else named
    assert bare.split("\n") == [
        *lines[named : named + 1 if path == "a.py" else named],
        *lines[documented:],
    ]
    assert lines[named] in request


@pytest.mark.parametrize("path", FILES)
def test_requests_and_answers_are_fenced_in_their_language(run, path):
    fence = {"js": "javascript", "ts": "typescript", "java": "java", "go": "go", "rs": "rust",
             "c": "c", "cpp": "cpp", "cs": "csharp", "rb": "ruby", "php": "php",
             "py": "python"}[path.rpartition(".")[2]]  # fmt: skip
    (made,) = run("docstring_to_function", path, FILES[path])
    assert f"```{fence}\n" in texts(made)[0]
    assert texts(made)[1].startswith(f"```{fence}\n")
    (made,) = run("function_to_docstring", path, FILES[path], split="held_out")
    assert f"```{fence}\n" in texts(made)[0]
    assert (made.split, made.sample.family) == ("held_out", "function_to_docstring")


def test_the_body_is_what_a_held_out_answer_is_compared_by(run):
    for family in FAMILIES:
        (made,) = run(family, "a.py", ADD)
        assert made.evidence == ("    total = a\n    total += b\n    return total",)


@pytest.mark.parametrize("family", FAMILIES)
def test_requests_are_phrased_in_several_ways(run, family):
    def asked(number):
        request = texts(run(family, f"x{number}y.py", ADD)[0])[0]
        return request.replace(f"x{number}y", "")

    assert len({asked(number) for number in range(40)}) >= 3


@pytest.mark.parametrize(
    ("text", "limits", "reason"),
    [
        (ADD, {"min_docstring_words": 8}, "docstring_too_short"),
        (ADD, {"min_lines": 4}, "function_too_short"),
        (ADD, {"max_lines": 3}, "function_too_long"),
        (ADD.replace("Return", ":param a: what to add to\n    Return"), {},
         "docstring_without_summary"),
        (ADD.replace("b.", "b. TODO: check"), {}, "comment_is_todo"),
        (ADD.replace("return total", "raise NotImplementedError"), {}, "function_is_stub"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("family", FAMILIES)
def test_unsuitable_functions_have_a_reason(run, family, text, limits, reason):
    assert run(family, "a.py", text, **limits) == [Rejected(reason, "app", "a.py", "c0ffee", "add")]


def test_fields_that_say_nothing_are_no_documentation_to_learn(run):
    text = ADD.replace("b.", "b.\n\n    @param a\n    @param b  what to add\n    ")
    (rejected,) = run("function_to_docstring", "a.py", text)
    assert rejected.reason == "docstring_with_empty_fields"
    assert len(texts(run("docstring_to_function", "a.py", text)[0])) == 2
    told = text.replace("@param a\n", "@param a\n        what to start with\n")
    assert len(texts(run("function_to_docstring", "a.py", told)[0])) == 2


@pytest.mark.parametrize("family", FAMILIES)
def test_a_remark_above_a_test_case_is_no_documentation(run, family):
    body = "{\n  a();\n  b();\n  c();\n}"
    remark = "// Add numbers that are large.\n"
    assert run(family, "a.js", f"{remark}it('adds large numbers', () => {body});\n") == []
    assert len(run(family, "a.js", f"{remark}const large = () => {body};\n")) == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_brackets_and_blank_lines_are_no_lines_of_a_body(run, family):
    text = "// Return the sum of a and b.\nfunction add(a, b) {\n\n  return (\n    a + b\n  );\n}\n"
    assert len(run(family, "a.js", text, min_lines=2)) == 1
    (rejected,) = run(family, "a.js", text, min_lines=3)
    assert rejected.reason == "function_too_short"


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("path", ["a.py", "a.ts", "a.md", "a.zig"])
def test_what_is_not_parsed_or_not_code_makes_nothing(run, family, path):
    assert run(family, path, "def f(:\n") == []


def test_commits_make_nothing(tmp_path):
    for family, (make_all, kind) in FAMILIES.items():
        context = context_of(tmp_path, family)
        step = kind(type=family, prompt=context.prompt.file)
        assert list(make_all(step, change_of("Add it", ("a.py", None, ADD)), context)) == []


def test_a_fence_in_a_docstring_does_not_end_the_answer(run):
    text = ADD.replace("of a and b.", "of a and b.\n\n```\nadd(1, 2)\n```\n    ")
    (made,) = run("docstring_to_function", "a.py", text)
    answer = texts(made)[1]
    assert answer.startswith("````python\n")
    assert answer.endswith("\n````")


def test_a_comment_is_called_what_its_marks_make_it(run):
    body = "function add(a, b) {\n  const total = a + b\n  return total\n}\n"
    asked = {
        mark: texts(
            run("function_to_docstring", "a.js", f"{mark} Adds a to b. */\n{body}", **LOOSE)[0]
        )
        for mark in ("/**", "/*")
    }
    assert "JSDoc" in asked["/**"][0]
    assert "JSDoc" not in asked["/*"][0]
    assert "comment" in asked["/*"][0]
    assert asked["/*"][1] == asked["/**"][1] == "Adds a to b."

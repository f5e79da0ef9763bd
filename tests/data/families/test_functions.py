import ast
import inspect
import random
import textwrap
from pathlib import Path

import pytest

import devtune
from devtune.data.families.functions import docstring_to_function, function_to_docstring, functions_of
from devtune.pipeline import DocstringToFunction, FunctionToDocstring
from devtune.records import Rejected

MODULE = '''\
import os

@cache
@register(
    "name",
)
def decorated(a, *, b=1):  # why
    """Return a with b added to it."""
    # first
    c = a + b

    return c


async def waits(url: str,
) -> bytes:
    r"""Fetch the \\d of a url.

        Deeper.
    Back.
    """

    async with get(url) as answer:
        return await answer.read()


class Outer:
    """Not a function."""

    class Inner:
        def method(self):
            \'\'\'Say what it is called.\'\'\'
            return self.name

    def undocumented(self):
        return 1

    @property
    def encloses(self):
        """Give back a function of its own."""
        def inner():
            """Not taken: it stands in its encloser."""
            return 1
        return inner


try:
    import fast
except ImportError:
    def fast(x):
        """Do slowly what the library does fast."""
        return x


def one_liner(): """Nothing to take."""; return 1
def only_documented():
    """Nothing but this."""
def after_bracket(
    a): """A docstring behind the bracket."""; return a
'''


def named(text):
    functions = functions_of(text)
    assert functions is not None
    return {each.qualified_name: each for each in functions}


def shape(function):
    body = function.body[1:]
    return [function.name, ast.dump(function.args), *(ast.dump(each) for each in body)]


def originals(text):
    tree = ast.parse(text)
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return {node.name: node for node in ast.walk(tree) if isinstance(node, kinds)}


def test_documented_functions_are_found_with_their_names():
    assert list(named(MODULE)) == [
        "decorated", "waits", "Outer.Inner.method", "Outer.encloses", "fast",
    ]  # fmt: skip


def test_a_function_is_taken_apart_and_dedented():
    found = named(MODULE)
    signature = '@cache\n@register(\n    "name",\n)\ndef decorated(a, *, b=1):  # why'
    assert found["decorated"].signature == signature
    assert found["decorated"].docstring == "Return a with b added to it."
    assert found["decorated"].body == "    # first\n    c = a + b\n\n    return c"
    assert found["waits"].docstring == "Fetch the \\d of a url.\n\n    Deeper.\nBack."
    method = found["Outer.Inner.method"]
    assert method.text.split("\n", 1)[1] == "    '''Say what it is called.'''\n    return self.name"
    assert (method.signature, method.body) == ("def method(self):", "    return self.name")
    assert method.num_lines == 2
    assert found["Outer.encloses"].signature == "@property\ndef encloses(self):"


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
    "form feed before def": 'class A:\n\x0c  def f(self):\n    """Do it."""\n    return 1\n',
    "separators": 's = "\u2028\x85\x0b"\ndef f():\n    """Do \u2029 it."""\n    return "\u2028"\n',
    "unicode": 'é = "日本"\ndef f(ü):\n    """Größe 👩‍💻 tun."""\n    return ü + é\n',
    "margin comments": 'class A:\n  def f(self):\n    """Do it."""\n# why\n    return 1\n',
    "continued": 'class A:\n  def f(a):\n    """Do it."""\n    return (1 +\n2) + \\\n 3\n',
    "parts of a docstring": 'def f():\n    ("Do it "\n     "well.")\n    return 1\n',
}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_layouts_come_out_whole(name, end):
    text = AWKWARD[name]
    (function,) = named(text.replace("\n", end)).values()
    original = originals(text)["f"]
    assert function.docstring == ast.get_docstring(original)
    assert "\r" not in function.text
    taken = ast.parse(function.text).body[0]
    assert shape(taken) == shape(original)
    assert ast.get_docstring(taken) == function.docstring
    bare = ast.parse(f"{function.signature}\n{function.body}").body[0]
    assert [ast.dump(each) for each in bare.body] == shape(original)[2:]


def test_all_functions_of_real_code_parse_to_what_they_were():
    count = 0
    for file in sorted(Path(devtune.__file__).parent.rglob("*.py")):
        text = file.read_text()
        kinds = ast.FunctionDef | ast.AsyncFunctionDef
        shapes = [shape(each) for each in ast.walk(ast.parse(text)) if isinstance(each, kinds)]
        for function in functions_of(text) or ():
            taken = ast.parse(function.text).body[0]
            assert inspect.cleandoc(ast.get_docstring(taken) or "") == function.docstring
            assert textwrap.dedent(function.text) == function.text
            assert shape(taken) in shapes
            count += 1
    assert count > 100


@pytest.mark.parametrize("text", ["def f(:\n", "x = '\0'\n", "print 1\n", "(" * 5000, "\ud800 = 1"])
def test_what_does_not_parse_is_none(text):
    assert functions_of(text) is None


def test_a_byte_order_mark_is_no_fault():
    assert list(named("\ufeff" + MODULE)) == list(named(MODULE))


def test_a_thousand_branches_are_no_fault():
    chain = "if 0:\n    pass\n" + "elif 1:\n    pass\n" * 1200
    found = functions_of(f'def f():\n    """Do it."""\n    return 1\n{chain}')
    assert found is not None
    assert [each.qualified_name for each in found] == ["f"]


def test_random_indentation_never_changes_a_function():
    chance = random.Random(5)
    for _ in range(200):
        width = chance.choice(["  ", "    ", "\t", "   "])
        depth = chance.randint(0, 3)
        lines = [f"{width * level}class C{level}:" for level in range(depth)]
        inner = width * (depth + 1)
        margin = chance.choice(["", inner])
        lines += [f"{width * depth}def f(self):", f'{inner}"""Do', f"{margin}it.", f'{inner}"""',
                  f'{inner}x = """a', chance.choice(["", " ", inner, "b"]), '"""',
                  f"{inner}return x"]  # fmt: skip
        text = "\n".join(lines) + "\n"
        (function,) = named(text).values()
        taken = ast.parse(function.text).body[0]
        assert shape(taken) == shape(originals(text)["f"])
        assert ast.get_docstring(taken) == function.docstring


ADD = '''def add(a, b):
    """Return the sum of a and b."""
    total = a
    total += b
    return total
'''
SUB = ADD.replace("add", "sub").replace("sum", "difference").replace("+=", "-=")


FAMILIES = {
    "docstring_to_function": (docstring_to_function, DocstringToFunction),
    "function_to_docstring": (function_to_docstring, FunctionToDocstring),
}


@pytest.fixture
def run(make_corpus, prompts_dir):
    def make(family, *files, changes=(), **values):
        make_all, kind = FAMILIES[family]
        step = kind(type=family, prompt=prompts_dir / f"{family}.jinja", **values)
        return list(make_all(step, make_corpus(files, changes)))

    return make


def texts(made):
    return [each.content for each in made.sample.messages]


def test_a_docstring_asks_for_the_function(run):
    (made,) = run("docstring_to_function", ("a.py", "train", ADD))
    assert texts(made) == [
        "Write the function `add` of `a.py`.\n\n```python\ndef add(a, b):\n```\n\n"
        "Return the sum of a and b.",
        f"```python\n{ADD}```",
    ]
    assert made.split == "train"


def test_a_function_asks_for_its_docstring(run):
    (made,) = run("function_to_docstring", ("a.py", "train", ADD))
    bare = ADD.replace('    """Return the sum of a and b."""\n', "")
    assert texts(made) == [
        f"Write the docstring of `add` in `a.py`, without quotes.\n\n```python\n{bare}```",
        "Return the sum of a and b.",
    ]


@pytest.mark.parametrize(
    ("limit", "number", "reason"),
    [
        ("min_docstring_words", 8, "docstring_too_short"),
        ("min_lines", 4, "function_too_short"),
        ("max_lines", 3, "function_too_long"),
    ],
)
@pytest.mark.parametrize("family", FAMILIES)
def test_unsuitable_functions_have_a_reason(run, family, limit, number, reason):
    (rejected,) = run(family, ("a.py", "train", ADD), **{limit: number})
    assert rejected == Rejected(reason, "app", "a.py", "c0ffee", "add")


def test_files_that_do_not_parse_and_other_languages(run):
    found = run("function_to_docstring", ("a.py", "train", "def f(:\n"), ("a.go", "train", ADD))
    assert found == [Rejected("not_parseable", "app", "a.py", "c0ffee")]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_function_that_was_moved_or_documented_anew_is_not_held_out(run, family):
    moved = "class A:\n" + textwrap.indent(ADD.replace("the sum", "what is the sum"), "    ")
    found = run(family, ("a.py", "train", ADD), ("b.py", "held_out", moved + SUB))
    held_out = [each for each in found if not isinstance(each, Rejected) and each.split != "train"]
    assert ["sub" in each.sample.messages[0].content for each in held_out] == [True]
    assert Rejected("already_at_the_cut", "app", "b.py", "c0ffee", "A.add") in found


def test_a_function_an_earlier_commit_wrote_is_not_held_out(run):
    change = ("train", "Add add for good", ("gone.py", "", ADD))
    found = run("docstring_to_function", ("b.py", "held_out", ADD + SUB), changes=[change])
    assert [isinstance(each, Rejected) for each in found] == [True, False]
    later = ("held_out", "Add add for good", ("gone.py", "", ADD))
    found = run("docstring_to_function", ("b.py", "held_out", ADD + SUB), changes=[later])
    assert [isinstance(each, Rejected) for each in found] == [False, False]


def test_a_fence_in_a_docstring_does_not_end_the_answer(run):
    text = ADD.replace("of a and b.", "of a and b.\n\n```\nadd(1, 2)\n```\n    ")
    (made,) = run("docstring_to_function", ("a.py", "train", text))
    answer = texts(made)[1]
    assert answer.startswith("````python\n")
    assert answer.endswith("\n````")

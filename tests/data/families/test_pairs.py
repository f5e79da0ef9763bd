import pytest

from devtune.data.families.pairs import (
    implementation_to_test,
    relate_names,
    test_to_implementation,
)
from devtune.records import Change, Rejected
from devtune.steps.families import ImplementationToTest, TestToImplementation
from tests.graphs import PROMPTS, context_of, entry_of, file_of, graph_of

# Pytest would take the family itself for a test.
test_to_implementation.__test__ = False
FAMILIES = {
    "test_to_implementation": (test_to_implementation, TestToImplementation),
    "implementation_to_test": (implementation_to_test, ImplementationToTest),
}
CODE = file_of(
    "app/config.py",
    'def load(path):\n    """Read it."""\n    text = path.read()\n    return text\n\n\n'
    "def keep(path):\n    path.write()\n    return path\n",
)
TESTS = file_of(
    "tests/test_config.py",
    "from app.config import keep, load\n\n\n"
    "def test_load_reads_a_file():\n    keep('a')\n    assert load('a')\n    assert load('b')\n\n\n"
    "def test_load():\n    assert load('a')\n",
)


@pytest.fixture
def run(tmp_path):
    def make(family, file, *others, **values):
        make_all, kind = FAMILIES[family]
        step = kind(type=family, prompt=PROMPTS / f"{family}.jinja", **values)
        return list(make_all(step, file, context_of(tmp_path / "corpus", family, file, *others)))

    return make


def texts(made):
    return [each.content for each in made.sample.messages]


def test_a_function_is_asked_for_by_the_shortest_test_about_it(run):
    made, rejected = run("test_to_implementation", CODE, TESTS)
    request, answer = texts(made)
    assert answer.startswith('```python\ndef load(path):\n    """Read it."""\n')
    assert "def test_load():\n    assert load('a')" in request
    assert "test_load_reads_a_file" not in request
    assert "def load(path):" in request
    assert "path.read()" not in request
    assert "`tests/test_config.py`" in request
    assert [each.path for each in made.sample.provenance] == [
        "app/config.py",
        "tests/test_config.py",
    ]
    assert [each.strip() for each in made.evidence[0].splitlines()] == [
        "text = path.read()",
        "return text",
    ]
    assert rejected == Rejected("no_test_calls_it", "app", "app/config.py", "c0ffee", "1 functions")


def test_a_test_is_asked_for_by_the_function_its_name_says(run):
    long, short = run("implementation_to_test", TESTS, CODE)
    request, answer = texts(long)
    assert "def test_load_reads_a_file():" in answer
    assert "path.read()" in request
    assert "def keep" not in request
    assert "def test_load" not in request
    assert "def test_load():" in texts(short)[1]
    assert [each.path for each in short.sample.provenance] == [
        "tests/test_config.py",
        "app/config.py",
    ]


def test_a_test_about_no_one_function_is_left_out(run):
    both = "from app.config import keep, load\n\n\ndef test_it():\n    keep(1)\n    load(2)\n"
    alone = "from app.config import load\n\n\ndef test_it():\n    load(2)\n    print(1)\n"
    named = alone.replace("test_it", "test_load")
    expected = Rejected("tests_no_known_function", "app", "a/test_x.py", "c0ffee", "1 tests")
    for text in (both, alone):
        assert run("implementation_to_test", file_of("a/test_x.py", text), CODE) == [expected]
    (made,) = run("implementation_to_test", file_of("a/test_x.py", named), CODE)
    assert "path.read()" in texts(made)[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_pair_that_is_too_long_has_a_reason(run, family):
    row, other = (CODE, TESTS) if family == "test_to_implementation" else (TESTS, CODE)
    reasons = [
        each.reason for each in run(family, row, other, max_lines=3) if hasattr(each, "reason")
    ]
    assert reasons.count("pair_too_long") == (1 if row is CODE else 2)


@pytest.mark.parametrize("family", FAMILIES)
def test_only_files_with_something_in_them_are_asked_for(run, family, tmp_path):
    assert run(family, file_of("a.md", "# Notes\n"), CODE) == []
    assert run(family, file_of("bad.py", "def (\0"), CODE) == []
    change = Change("app", "c0ffee", "Ada", "2024-01-01", "train", "Say", "", 0, ())
    step = FAMILIES[family][1](type=family, prompt=PROMPTS / f"{family}.jinja")
    context = context_of(tmp_path / "corpus", family, CODE)
    assert list(FAMILIES[family][0](step, change, context)) == []


def test_training_sees_no_held_out_test_and_held_out_code_sees_all(run):
    newer = file_of(TESTS.provenance.path, TESTS.text, split="held_out")
    found = run("test_to_implementation", CODE, newer)
    assert [each.reason for each in found] == ["no_test_calls_it"]
    code = file_of(CODE.provenance.path, CODE.text, split="held_out")
    made, _ = run("test_to_implementation", code, TESTS)
    assert made.split == "held_out"


@pytest.mark.parametrize("family", FAMILIES)
def test_requests_are_phrased_in_several_ways(run, family):
    found = set()
    for number in range(12):
        code = file_of(f"app/m{number}.py", CODE.text)
        test = file_of(f"tests/t{number}.py", TESTS.text.replace("app.config", f"app.m{number}"))
        pair = (code, test) if family == "test_to_implementation" else (test, code)
        request = texts(run(family, *pair)[0])[0]
        found.add(request.replace(f"m{number}", "m").replace(f"t{number}", "t"))
    assert len(found) >= 4


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("tests/test_config.py", "def test_load():\n    load()\n", 6),
        ("tests/test_it.py", "def test_load():\n    load()\n", 4),
        ("tests/test_config.py", "def test_it():\n    load()\n", 2),
        ("tests/test_it.py", "def test_it():\n    load()\n", 0),
        ("tests/tests.py", "def test_it():\n    load()\n", 0),
        ("tests/test_it.py", "class TestLoad:\n    def test_it(self):\n        load()\n", 4),
    ],
)
def test_names_say_what_a_test_is_about(tmp_path, path, text, expected):
    test = file_of(path, text)
    graph = graph_of(tmp_path, CODE, test)
    (mine,) = (each for each in graph.entries(graph.place(test)) if each.is_test)
    assert relate_names(mine, entry_of(graph, CODE, "load")) == expected


@pytest.mark.parametrize("family", FAMILIES)
def test_what_stands_among_tests_is_no_implementation(run, family):
    helper = file_of("tests/config.py", CODE.text)
    test = file_of("tests/test_config.py", TESTS.text.replace("app.config", "tests.config"))
    row, other = (helper, test) if family == "test_to_implementation" else (test, helper)
    assert [each for each in run(family, row, other) if not isinstance(each, Rejected)] == []


@pytest.mark.parametrize("body", ["...", "pass"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_function_without_a_body_has_a_reason(run, family, body):
    stub = file_of("app/config.py", f"def load(path):\n    {body}\n")
    row, other = (stub, TESTS) if family == "test_to_implementation" else (TESTS, stub)
    assert {each.reason for each in run(family, row, other)} == {"no_body"}

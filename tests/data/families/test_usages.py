import pytest

from devtune.data.families.usages import NUM_SHOWN, api_usage
from devtune.records import Change, Rejected
from devtune.steps.families import ApiUsage
from tests.graphs import PROMPTS, context_of, file_of

CODE = file_of("app/config.py", 'def load(path):\n    """Read it."""\n    return path\n')


def caller(name, num_lines=2, split="train", call="load(1)"):
    filling = "".join(f"    {name} = {number}\n" for number in range(num_lines - 2))
    text = f"from app.config import load\n\n\ndef {name}():\n{filling}    return {call}\n"
    return file_of(f"app/{name}.py", text, split)


@pytest.fixture
def run(tmp_path):
    def make(file, *others, **values):
        step = ApiUsage(type="api_usage", prompt=PROMPTS / "api_usage.jinja", **values)
        return list(api_usage(step, file, context_of(tmp_path / "c", "api_usage", file, *others)))

    return make


def texts(made):
    return [each.content for each in made.sample.messages]


def too_few(path="app/config.py", count=1):
    return [Rejected("too_few_uses", "app", path, "c0ffee", f"{count} definitions")]


def test_the_answer_is_the_shortest_functions_that_call_it(run):
    callers = [caller("a", 9), caller("b", 3), caller("c", 4), caller("d", 5), caller("e", 30)]
    (made,) = run(CODE, *callers)
    request, answer = texts(made)
    assert "```python\ndef load(path):\n```" in request
    assert "Read it." in request
    assert "return path" not in request
    assert answer == (
        "`b` in `app/b.py`:\n\n```python\ndef b():\n    b = 0\n    return load(1)\n```\n\n"
        "`c` in `app/c.py`:\n\n```python\ndef c():\n    c = 0\n    c = 1\n    return load(1)\n```"
        "\n\n`d` in `app/d.py`:\n\n```python\ndef d():\n    d = 0\n    d = 1\n    d = 2\n"
        "    return load(1)\n```"
    )
    assert [each.path for each in made.sample.provenance] == [
        "app/config.py", "app/b.py", "app/c.py", "app/d.py"
    ]  # fmt: skip
    assert len(made.evidence) == NUM_SHOWN


def test_rarer_functions_are_counted_and_left_out(run):
    assert run(CODE, caller("a"), caller("b")) == too_few()
    twice = caller("a", call="load(1) + load(2)")
    assert run(CODE, twice, caller("b")) == too_few()
    assert len(run(CODE, twice, caller("b"), min_uses=2)) == 1
    assert run(CODE, caller("a"), caller("b"), caller("c", call="other.load(1)")) == too_few()


def test_call_sites_that_are_all_too_long_are_left_out(run):
    callers = [caller(name, 9) for name in "abc"]
    (rejected,) = run(CODE, *callers, max_lines=8)
    assert rejected.reason == "call_sites_too_long"
    assert len(run(CODE, *callers, max_lines=9)) == 1


def test_tests_come_after_code_and_equal_bodies_once(run):
    test, plain = caller("test_it", 2), [caller("a", 5), caller("b", 6)]
    (made,) = run(CODE, test, *plain)
    order = [texts(made)[1].index(f"`{name}` in") for name in ("a", "b", "test_it")]
    assert order == sorted(order)
    (made,) = run(CODE, *(caller(name) for name in "abcd"))
    assert texts(made)[1].count("return load(1)") == 1


def test_what_is_private_or_a_test_is_no_interface(run):
    private = file_of("app/config.py", CODE.text.replace("load", "_load"))
    assert run(private, *(caller(name) for name in "abc")) == []
    test = file_of("app/config.py", CODE.text.replace("load", "test_load"))
    assert run(test, *(caller(name) for name in "abc")) == []
    helper = file_of("tests/config.py", CODE.text)
    assert run(helper, *(caller(name) for name in "abc")) == []


def test_classes_are_asked_for_too(run):
    code = file_of("app/config.py", "class Load:\n    x: int\n")
    callers = [
        file_of(each.provenance.path, each.text.replace("load", "Load"))
        for each in map(caller, "abc")
    ]
    (made,) = run(code, *callers)
    assert "class Load:\n    x: int" in texts(made)[0]


def test_training_sees_no_held_out_caller_and_held_out_code_sees_all(run):
    callers = [caller("a"), caller("b"), caller("c", 3, split="held_out")]
    assert run(CODE, *callers) == too_few()
    code = file_of(CODE.provenance.path, CODE.text, split="held_out")
    (made,) = run(code, *callers)
    assert made.split == "held_out"
    assert "`c` in" in texts(made)[1]


def test_only_files_with_something_in_them_are_asked_for(run, tmp_path):
    assert run(file_of("a.md", "# Notes\n"), CODE) == []
    change = Change("app", "c0ffee", "Ada", "2024-01-01", "train", "Say", "", 0, ())
    step = ApiUsage(type="api_usage", prompt=PROMPTS / "api_usage.jinja")
    assert list(api_usage(step, change, context_of(tmp_path / "c", "api_usage", CODE))) == []


def test_requests_are_phrased_in_several_ways(run):
    found = set()
    for number in range(12):
        code = file_of(f"app/m{number}.py", CODE.text)
        callers = [
            file_of(each.provenance.path, each.text.replace("app.config", f"app.m{number}"))
            for each in map(caller, "abc")
        ]
        found.add(texts(run(code, *callers)[0])[0].replace(f"m{number}", "m"))
    assert len(found) >= 4


def test_overloads_are_one_definition(run):
    code = "@overload\ndef load(path: int): ...\n\n\n" + CODE.text
    found = run(file_of("app/config.py", code), *(caller(name) for name in "abc"))
    assert [texts(each)[0].count("def load(path):") for each in found] == [1]

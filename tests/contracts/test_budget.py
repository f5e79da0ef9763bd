import ast
import re
from pathlib import Path

import pytest

from devtune.recipe import Recipe
from devtune.steps import families, rules, selection, sessions

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
MAX_LINES = 300
MAX_FUNCTION_LINES = 40
MAX_FIELDS = 149
MAX_FIELDS_OF_A_STEP = 8
BANNED = {"utils", "util", "helpers", "helper", "manager", "common", "base", "misc"}


def named(file):
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", SOURCES, ids=named)
def test_a_file_is_read_in_one_sitting(file):
    lines = file.read_text(encoding="utf-8").count("\n")
    assert lines <= MAX_LINES


@pytest.mark.parametrize("file", SOURCES, ids=named)
def test_a_module_is_named_after_what_it_holds(file):
    assert file.stem not in BANNED
    assert file.parent.name not in BANNED
    assert re.fullmatch(r"[a-z][a-z0-9_]*|__init__|__main__", file.stem)


@pytest.mark.parametrize("file", SOURCES, ids=named)
def test_a_module_begins_with_a_sentence(file):
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    assert docstring
    assert docstring.split("\n\n")[0].rstrip().endswith((".", ":"))


@pytest.mark.parametrize("file", SOURCES, ids=named)
def test_a_function_fits_a_screen(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)]
    long = {each.name: body_lines(each) for each in functions}
    assert {name: lines for name, lines in long.items() if lines > MAX_FUNCTION_LINES} == {}


def body_lines(function):
    # What is explained does not count: signature and docstring are not work to follow.
    first = function.body[1 if ast.get_docstring(function) else 0 :]
    return function.end_lineno - first[0].lineno + 1 if first else 0


def fields_of_sections():
    schema = Recipe.model_json_schema()
    return {
        section["title"]: [
            name for name, field in section["properties"].items() if "const" not in field
        ]
        for section in (schema, *schema["$defs"].values())
    }


STEPS = {name for module in (families, rules, selection, sessions) for name in vars(module)}


def test_a_recipe_has_few_fields():
    # A step of a pipeline is one line of a list; whoever reads it reads that one only.
    fields = fields_of_sections()
    # A recipe has one training; what both kinds share is read once.
    fields["SftSection"] = list({*fields["SftSection"], *fields.pop("DpoSection")})
    numbers = [len(names) for title, names in fields.items() if title not in STEPS]
    assert 50 < sum(numbers) <= MAX_FIELDS


def test_a_step_of_a_pipeline_is_understood_by_itself():
    numbers = {title: len(names) for title, names in fields_of_sections().items() if title in STEPS}
    assert len(numbers) > 30
    assert {title: n for title, n in numbers.items() if n > MAX_FIELDS_OF_A_STEP} == {}

import pytest

from devtune.data.families.type_annotation import type_annotation
from devtune.records import Rejected
from devtune.steps.families import TypeAnnotation
from tests.changes import change_of
from tests.files import context_of, file_of, texts

PYTHON = '''\
import re
from a import (
    B,
)


class A:
    @cached
    async def load(self, key: str, *, limit: int = 3) -> dict[str, B]:
        """Load what is under a key."""
        import json

        found: list[B] = [key]
        return found

    def plain(self, key):
        return key
'''
TYPESCRIPT = """\
import { B } from "./b"

export class A {
  @cached()
  async load<T extends B>(key: string, limit?: number): Promise<Map<string, T>> {
    const found: B[] = [key]
    return found
  }
}

export const half = (x: number): number => {
  return x / 2
}
"""
PHP = """\
<?php
use App\\B;

class A
{
    public function load(string $key, ?int $limit = 3): array
    {
        return $this->found($key, $limit);
    }
}
"""


@pytest.fixture
def run(tmp_path):
    def make(*row, split="train", **values):
        context = context_of(tmp_path, "type_annotation")
        step = TypeAnnotation(type="type_annotation", prompt=context.prompt.file, **values)
        return list(type_annotation(step, file_of(*row, split=split), context))

    return make


def test_a_python_function_without_annotations_asks_for_its_signature(run):
    (made,) = run("a.py", PYTHON, split="held_out")
    request, answer = texts(made)
    signature = "@cached\nasync def load(self, key: str, *, limit: int = 3) -> dict[str, B]:"
    assert answer == f"```python\n{signature}\n```"
    assert (
        '```python\n@cached\nasync def load(self, key, *, limit=3):\n    """Load what is under a'
        ' key."""\n    import json\n\n    found: list[B] = [key]\n    return found\n```' in request
    )
    assert "```python\nimport re\nfrom a import (\n    B,\n)\n```" in request
    assert made.evidence == (signature,)
    assert (made.split, made.sample.family) == ("held_out", "type_annotation")


@pytest.mark.parametrize("path", ["a.ts", "a.tsx"])
def test_a_typescript_function_without_annotations_asks_for_its_signature(run, path):
    method, arrow = run(path, TYPESCRIPT)
    fence = "typescript" if path == "a.ts" else "tsx"
    request, answer = texts(method)
    signature = "async load<T extends B>(key: string, limit?: number): Promise<Map<string, T>> {"
    assert answer.startswith(f"```{fence}\n")
    assert signature in answer
    assert "async load(key, limit) {\n  const found: B[] = [key]\n  return found\n}" in request
    assert 'import { B } from "./b"' in request
    assert "= (x) => {\n  return x / 2\n}" in texts(arrow)[0]
    assert "(x: number): number => {" in texts(arrow)[1]


def test_a_php_function_without_annotations_asks_for_its_signature(run):
    (made,) = run("a.php", PHP)
    request, answer = texts(made)
    assert "public function load($key, $limit = 3)\n" in request
    assert "public function load(string $key, ?int $limit = 3): array\n" in answer
    assert "use App\\B;" in request


def test_of_many_imports_those_of_use_are_shown(run):
    imports = "".join(f"import m{number}\n" for number in range(40))
    (made,) = run("a.py", f"{imports}def f(x: m7.Y) -> m9:\n    return x.go()\n")
    assert "import m7\nimport m9\n" in texts(made)[0]
    assert "import m1\n" not in texts(made)[0]


def test_requests_are_phrased_in_several_ways(run):
    def asked(number):
        return texts(run(f"x{number}.py", PYTHON)[0])[0].replace(f"x{number}.py", "")

    assert len({asked(number) for number in range(30)}) >= 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def f(a: int) -> int:\n    x = 1\n    y = 2\n    return a\n", "function_too_long"),
        ("def f(a: int, b) -> int:\n    return a\n", "partly_annotated"),
        ("def f(a: int):\n    return a\n", "result_not_annotated"),
        ("def f(a: Any) -> t.Any:\n    return a\n", "annotations_say_nothing"),
        ('T = t.TypeVar("T")\n\ndef f(a: list[T]) -> T:\n    return a\n', "names_a_type_variable"),
        ("def f(a: int) -> int:\n    raise NotSupported\n", "parameters_not_used"),
        ("def f(self) -> None:\n    return\n", "annotations_say_nothing"),
    ],
)
def test_functions_that_are_left_out_have_a_reason(run, text, reason):
    assert run("a.py", text, max_lines=3) == [Rejected(reason, "app", "a.py", "c0ffee", "f")]


def test_constructors_have_no_result_to_annotate(run):
    assert len(run("a.py", "class A:\n    def __init__(self, a: B):\n        self.a = a\n")) == 1
    assert len(run("a.ts", "class A {\n  constructor(a: B) {\n    go(a)\n  }\n}\n")) == 1


def test_types_that_the_compiler_infers_are_no_lack(run):
    (made,) = run("a.ts", "function f(a: B, c = 1): D {\n  return a.go(c)\n}\n")
    assert "function f(a, c = 1) {" in texts(made)[0]


@pytest.mark.parametrize("path", ["a.py", "a.ts", "a.go", "a.md"])
def test_what_is_not_parsed_or_has_no_annotations_makes_nothing(run, path):
    assert run(path, "func f(:\n") == []
    assert run(path, "x = 1\n") == []


def test_commits_make_nothing(tmp_path):
    context = context_of(tmp_path, "type_annotation")
    step = TypeAnnotation(type="type_annotation", prompt=context.prompt.file)
    assert list(type_annotation(step, change_of("Load", ("a.py", None, PYTHON)), context)) == []

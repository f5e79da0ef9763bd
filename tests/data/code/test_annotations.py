import ast

import pytest

from devtune.data.code.annotations import LANGUAGES, strip_annotations

PYTHON = """\
@register(lambda: 1)
async def load[T](self, a, b: int, *c: str, d: "x" = 1, é: dict[str, T] = {}, **k: y) -> list[int]:
    z: int = 1

    def inner(
        q: Callable[
            [int], str
        ],  # why
        r: str='a:b->c',
    ) -> None: ...

    return [z]
"""
PYTHON_BARE = """\
@register(lambda: 1)
async def load(self, a, b, *c, d=1, é={}, **k):
    z: int = 1

    def inner(
        q,  # why
        r='a:b->c',
    ): ...

    return [z]
"""
TYPESCRIPT = """\
class A<T> {
  x: number = 1;
  constructor(private readonly repo: Repo<T>, @Inject() name?: string) {}
  async get<K>(id?: K, { a, b }: Options = {}, ...rest: T[]): Promise<T | undefined> {
    const y: number = 1;
    return this.repo.find((each: T): boolean => each.id === id);
  }
  abstract all(x: T): U;
}
function check(value: unknown): value is string;
function check(value: unknown): asserts value { throw value; }
const ask = (x: T): x is Y => !!x;
"""
TYPESCRIPT_BARE = """\
class A<T> {
  x: number = 1;
  constructor(private readonly repo, @Inject() name) {}
  async get(id, { a, b } = {}, ...rest) {
    const y: number = 1;
    return this.repo.find((each) => each.id === id);
  }
  abstract all(x: T): U;
}
function check(value: unknown): value is string;
function check(value) { throw value; }
const ask = (x) => !!x;
"""
PHP = """\
<?php
class A {
    public function __construct(private readonly int $a, ?Foo ...$rest) {}
    protected function get(int|string &$key = 1, array $x = []): ?string
    { return fn(int $y): int => $y; }
    abstract function all(int $x): int;
}
"""
PHP_BARE = """\
<?php
class A {
    public function __construct(private readonly $a, ...$rest) {}
    protected function get(&$key = 1, $x = [])
    { return fn($y) => $y; }
    abstract function all(int $x): int;
}
"""
FILES = {
    "python": (PYTHON, PYTHON_BARE),
    "typescript": (TYPESCRIPT, TYPESCRIPT_BARE),
    "tsx": (TYPESCRIPT, TYPESCRIPT_BARE),
    "php": (PHP, PHP_BARE),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_functions_with_bodies_lose_their_annotations_and_nothing_else(language):
    text, bare = FILES[language]
    assert strip_annotations(text, language)[0] == bare
    assert strip_annotations(bare, language)[0] == bare


def test_what_is_left_of_python_has_the_same_names_and_defaults():
    text = PYTHON.replace("[T]", "", 1)

    def names(node):
        found = ast.walk(ast.parse(node))
        return [ast.dump(x) for x in found if isinstance(x, ast.Name | ast.Constant | ast.alias)]

    bare = ast.parse(strip_annotations(text, "python")[0]).body[0]
    whole = ast.parse(text).body[0]
    assert [each.arg for each in bare.args.args] == [each.arg for each in whole.args.args]
    assert ast.unparse(bare.args.kw_defaults) == ast.unparse(whole.args.kw_defaults)
    assert names(ast.unparse(bare.body[-1])) == names(ast.unparse(whole.body[-1]))
    assert bare.returns is None


def test_what_was_written_at_each_function_is_told():
    _, found = strip_annotations(PYTHON, "python")
    assert [(each.name, each.line, each.result) for each in found] == [
        ("load", 1, "list[int]"), ("inner", 4, "None"),
    ]  # fmt: skip
    assert found[0].types == ("", "int", "str", '"x"', "dict[str, T]", "y")
    _, found = strip_annotations(TYPESCRIPT, "typescript")
    assert [(each.name, each.types, each.result) for each in found] == [
        ("constructor", ("Repo<T>", "string"), ""),
        ("get", ("K", "Options", "T[]"), "Promise<T | undefined>"),
        ("", ("T",), "boolean"),
        ("check", ("unknown",), "asserts value"),
        ("ask", ("T",), "x is Y"),
    ]


def test_a_default_says_the_type_where_the_compiler_infers_it():
    (found,) = strip_annotations("function f(x = 1, y) {}", "typescript")[1]
    assert found.types == ("inferred", "")
    (found,) = strip_annotations("def f(x=1, y): ...", "python")[1]
    assert found.types == ("", "")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "text",
    [
        "def f(" * 2000,
        "(" * 20_000,
        "function f(a: b" * 2000,
        "\ud800 \0 x: y",
        "<?php f(" * 999,
        "",
    ],
)
def test_what_is_no_code_comes_back_as_it_was_or_shorter(language, text):
    assert len(strip_annotations(text, language)[0]) <= len(text)

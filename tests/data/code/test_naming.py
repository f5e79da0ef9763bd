import pytest

from devtune.data.code.syntax import parse


@pytest.mark.parametrize(
    ("language", "text", "name"),
    [
        ("javascript", "Foo.prototype.bar = function () { };", "Foo.bar"),
        ("javascript", "module.exports = function () { };", "default"),
        ("javascript", "export default () => { };", "default"),
        ("javascript", "module.exports = {\n  'a': function () { },\n};", "a"),
        (
            "javascript",
            "test.describe('Pay', () => {\n  test('by  card', x => 1);\n});",
            "Pay.by card",
        ),
        (
            "cpp",
            "Foo &ns::Foo<int>::operator+=(const Foo &o) { return *this; }",
            "ns.Foo.operator+=",
        ),
        ("cpp", "bool operator<(A a, B b) { return true; }", "operator<"),
        ("cpp", "Foo::~Foo() { }", "Foo.~Foo"),
        ("go", "package a\nfunc (s Set[K, V]) Add(k K) { s.x(k) }", "Set.Add"),
        ("rust", "impl fmt::Display for a::B<T> { \n fn fmt(&self) { } \n }", "a.B.fmt"),
        ("php", "<?php\nnamespace A {\nfunction f() { return 1; }\n}", "A.f"),
        ("ruby", "class A::B\n  def self.c\n    1\n  end\nend", "A.B.c"),
    ],
)
def test_names_are_joined_with_dots_and_bare_of_arguments(language, text, name):
    module = parse(text, language)
    assert module is not None
    assert [each.qualified_name for each in module.functions] == [name]


@pytest.mark.parametrize(
    ("language", "text", "names"),
    [
        ("python", "def f(self, a, *b: int, c: int = 1, **d): pass", ("a", "b", "c", "d")),
        ("javascript", "const f = a => a;", ("a",)),
        ("typescript", "function f({ x }: P, [y]: Q, z = 1, ...r: R[]) { }", ("z", "r")),
        ("c", "int f(void) { }", ()),
        ("c", "int f(char **a, int b[2], int (*c)(int), int) { }", ("a", "b", "c")),
        ("java", "class A {\n int f(final int a, int... b) { }\n}", ("a", "b")),
        ("php", "<?php\nfunction f(private int $a, &$b) { }", ("a", "b")),
    ],
)
def test_parameters_are_those_with_a_name_of_their_own(language, text, names):
    module = parse(text, language)
    assert module is not None
    assert [each.parameters for each in module.functions] == [names]

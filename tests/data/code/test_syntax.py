import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devtune.data.code.grammars import GRAMMARS
from devtune.data.code.syntax import parse
from tests.data.code.sources import LANGUAGES, SOURCES, function_of, parsed

NAMES = {
    "python": ["Preis.betrag", "Preis.one", "test_betrag"],
    "javascript": ["add", "foo", "api.get", "Cart.total", "Cart.make", "Cart.adds items"],
    "typescript": ["N.C.load"],
    "java": ["Cart.count", "Cart.total"],
    "go": ["Server.Run", "TestRun", "Testify"],
    "rust": ["inner.S.run", "inner.tests.works"],
    "c": ["find"],
    "cpp": ["a.b.Holder.Holder", "a.b.Holder.get", "a.Holder.find", "Holder.Finds"],
    "csharp": ["A.B.Cart.Total", "A.B.Cart.Twice"],
    "ruby": ["Shop.Cart.total", "Shop.Cart.secret", "Cart.adds up"],
    "php": ["App.Models.Cart.total", "App.Models.adds up"],
}
TESTS = {
    "python": ["test_betrag"],
    "javascript": ["adds items"],
    "typescript": [],
    "java": ["total"],
    "go": ["TestRun"],
    "rust": ["works"],
    "c": [],
    "cpp": ["Finds"],
    "csharp": ["Total"],
    "ruby": ["adds up"],
    "php": ["total", "adds up"],
}
DOCUMENTED = {
    "python": {"betrag": "Say how much.\n\n    Deeper.\nAnd back."},
    "javascript": {"add": "Adds."},
    "typescript": {},
    "java": {"total": "Adds up."},
    "go": {"Run": "Run runs.\n\n\tdeeper"},
    "rust": {"run": "Runs it."},
    "c": {"find": "Finds it."},
    "cpp": {},
    "csharp": {"Total": "Adds up."},
    "ruby": {"total": "Adds up.\nTwice."},
    "php": {"total": "Adds up."},
}
PARAMETERS = {
    "python": ("betrag", ("args", "k", "kw")),
    "javascript": ("add", ("a", "c")),
    "typescript": ("load", ("id",)),
    "java": ("total", ("a", "rest")),
    "go": ("Run", ("a", "b", "rest")),
    "rust": ("run", ("a", "z")),
    "c": ("find", ("text", "match", "all")),
    "cpp": ("get", ("s",)),
    "csharp": ("Total", ("a", "rest")),
    "ruby": ("total", ("a", "b", "c", "d", "f", "g")),
    "php": ("total", ("a", "b", "c")),
}
CALLS = {
    "python": ("betrag", ["load", "go", "ü"]),
    "javascript": ("get", ["Page"]),
    "typescript": ("load", ["Foo", "bar"]),
    "java": ("total", ["Sum", "of"]),
    "go": ("Run", ["Floor"]),
    "rust": ("run", ["baz", "vec", "q"]),
    "c": ("find", ["lookup", "next"]),
    "cpp": ("get", ["go"]),
    "csharp": ("Total", ["Go", "Sum"]),
    "ruby": ("total", ["new", "of"]),
    "php": ("total", ["sum", "strlen", "Text"]),
}
IMPORTS = {
    "python": [("os.path", ()), ("sys", ()), ("a.b", ("d", "e")), (".", ("x",))],
    "javascript": [("react", ("React", "us")), ("../lib/x", ("q", "s"))],
    "typescript": [("./x", ("X",)), ("fs", ()), ("./b", ("a",))],
    "java": [("java.util.List", ()), ("x", ())],
    "go": [("math", ())],
    "rust": [("std::io", ("Read", "D")), ("a::b", ())],
    "c": [("stdio.h", ()), ("a/b.h", ())],
    "cpp": [("vector", ())],
    "csharp": [("System", ()), ("A.B.C", ())],
    "ruby": [("json", ())],
    "php": [("A\\B\\C", ()), ("A", ("D", "F")), ("x.php", ())],
}
DEFINITIONS = {
    "python": {"Preis": "A price in €."},
    "javascript": {"Cart": ""},
    "typescript": {"N.C": "Loads.", "N.I": ""},
    "java": {"Cart": "A cart."},
    "go": {"Server": "Server serves."},
    "rust": {},
    "c": {"point": "A point.", "pair_t": ""},
    "cpp": {"a.b.Holder": "Holds."},
    "csharp": {"A.B.Cart": "<summary>A cart.</summary>"},
    "ruby": {"Shop": "", "Shop.Cart": "A cart."},
    "php": {"App.Models.Cart": "A cart."},
}
REMARKS = {
    "python": ["Licence of the file.", "What follows is\nabout prices.", "Once only."],
    "java": ["Not documentation."],
    "rust": ["About the crate."],
}
NESTED = {
    "python": ["if a:\n" * 10_000, "x = " + "(" * 10_000 + ")" * 10_000],
    "javascript": ["if (a) {" * 10_000 + "}" * 10_000, "describe('a', () => {\n" * 10_000],
    "ruby": ["module A\n" * 10_000 + "end\n" * 10_000],
    "csharp": ["class A {" * 10_000 + "}" * 10_000],
    "rust": ["mod a {" * 10_000 + "}" * 10_000],
}


def test_every_language_has_a_source_here():
    assert set(SOURCES) == set(GRAMMARS)


def test_a_language_without_a_grammar_is_not_parsed():
    assert parse("x", "cobol") is None


def test_a_language_alias_reads_the_same():
    for alias, language in (("jsx", "javascript"), ("tsx", "typescript")):
        assert [each.qualified_name for each in parsed(alias).functions] == NAMES[language]


@pytest.mark.parametrize("language", SOURCES)
def test_the_sources_have_no_errors(language):
    assert not parsed(language).has_errors


@pytest.mark.parametrize("language", LANGUAGES)
def test_outermost_functions_are_found_with_what_they_stand_in(language):
    assert [each.qualified_name for each in parsed(language).functions] == NAMES[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_tests_are_known_by_the_convention_of_their_language(language):
    assert [each.name for each in parsed(language).functions if each.is_test] == TESTS[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_documentation_is_found_without_its_marks(language):
    found = {each.name: each.documentation for each in parsed(language).functions}
    assert {name: text for name, text in found.items() if text} == DOCUMENTED[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_parameters_are_named(language):
    name, parameters = PARAMETERS[language]
    assert function_of(language, name).parameters == parameters


@pytest.mark.parametrize("language", LANGUAGES)
def test_calls_are_named_in_order(language):
    name, calls = CALLS[language]
    assert [each.name for each in function_of(language, name).calls] == calls


@pytest.mark.parametrize("language", LANGUAGES)
def test_imports_are_named_as_written(language):
    found = [(each.module, each.names) for each in parsed(language).imports]
    assert found == IMPORTS[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_definitions_are_found_with_their_documentation(language):
    found = {each.qualified_name: each.documentation for each in parsed(language).definitions}
    assert found == DEFINITIONS[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_remarks_are_the_comments_that_document_nothing(language):
    assert [each.text for each in parsed(language).remarks] == REMARKS.get(language, [])


@pytest.mark.parametrize("language", LANGUAGES)
def test_windows_line_ends_change_nothing(language):
    assert parse(SOURCES[language].replace("\n", "\r\n"), language) == parsed(language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_byte_order_mark_changes_nothing(language):
    assert parse("\ufeff" + SOURCES[language], language) == parsed(language)


def test_a_function_with_an_error_is_left_out_and_its_neighbours_stay():
    module = parse("def a():\n    return 1 1 +\n\n\ndef b():\n    return 2\n", "python")
    assert module is not None
    assert module.has_errors
    assert [each.name for each in module.functions] == ["b"]


@pytest.mark.parametrize(("language", "text"), [(k, text) for k in NESTED for text in NESTED[k]])
def test_ten_thousand_levels_of_nesting_are_survived(language, text):
    module = parse(text, language)
    assert module is not None
    assert len(module.definitions) <= 64


def test_annotations_are_noticed_where_they_may_be_left_out():
    typed = {each.name: each.has_types for each in parsed("python").functions}
    assert typed == {"betrag": True, "one": False, "test_betrag": False}
    assert function_of("typescript", "load").has_types
    assert not function_of("javascript", "add").has_types
    assert function_of("go", "Run").has_types


_PIECES = st.sampled_from(
    [line + end for text in SOURCES.values() for line in text.split("\n") for end in ("\n", "")]
)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(st.text(max_size=300), st.lists(_PIECES | st.text(max_size=8), max_size=25)),
    st.sampled_from(list(GRAMMARS)),
)
def test_any_text_is_survived_and_spans_stay_in_range(text, language):
    text = text if isinstance(text, str) else "".join(text)
    module = parse(text, language)
    assert module is not None
    num_lines = text.count("\n") + 1
    parts = (*module.functions, *module.definitions, *module.imports, *module.remarks)
    for part in parts:
        assert 0 <= part.span.start < part.span.end <= num_lines
    for each in module.functions:
        assert all(each.span.start <= call.line < each.span.end for call in each.calls)

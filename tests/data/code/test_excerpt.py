import pytest

from devtune.data.code.syntax import parse
from tests.data.code.sources import LANGUAGES, SOURCES, function_of, parsed


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_begins_inside_a_literal_keeps_its_indentation(language):
    lines = [line for line in SOURCES[language].split("\n") if "kept" in line]
    found = [line for each in parsed(language).functions for line in each.text.split("\n")]
    assert [line for line in found if "kept" in line] == lines


@pytest.mark.parametrize("language", LANGUAGES)
def test_signature_and_body_are_all_of_the_text_but_documentation(language):
    for each in parsed(language).functions:
        joined = "".join(f"{each.signature}\n{each.body}".split())
        assert joined == "".join(each.bare.split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_span_covers_the_text(language):
    lines = SOURCES[language].split("\n")
    for each in parsed(language).functions:
        text = each.text.split("\n")
        assert len(text) == each.span.end - each.span.start
        for number, line in enumerate(text, each.span.start):
            assert lines[number].endswith(line)


@pytest.mark.parametrize("language", LANGUAGES)
def test_broken_code_never_yields_what_was_not_there(language):
    source = SOURCES[language]
    for cut in range(0, len(source), 7):
        module = parse(source[:cut], language)
        assert module is not None
        lines = {line.strip() for line in source[:cut].split("\n")}
        for each in module.functions:
            assert {line.strip() for line in each.text.split("\n")} <= lines


def test_a_function_that_shares_its_lines_is_left_out():
    module = parse("function a() {} function b() {}\nfunction c() {}\n", "javascript")
    assert module is not None
    assert [each.name for each in module.functions] == ["c"]


def test_a_directive_stays_with_its_function_and_documents_nothing():
    total = function_of("javascript", "total")
    assert total.signature.startswith("// eslint-disable-next-line\nstatic total")
    assert total.documentation == ""


def test_a_python_function_keeps_its_shape_without_indentation():
    text = "class A:\n    def f(self):\n\tif x:\n\t    y()\n    \tz()\n"
    module = parse(text, "python")
    assert module is not None
    assert [each.name for each in module.functions] == []


def test_a_line_that_stands_further_left_inside_brackets_is_kept():
    text = "class A:\n    def f(self):\n        return (\n  1\n        )\n"
    module = parse(text, "python")
    assert module is not None
    assert module.functions[0].text == "def f(self):\n    return (\n  1\n    )"


def test_a_docstring_leaves_with_the_blank_lines_after_it():
    betrag = function_of("python", "betrag")
    assert '"""' in betrag.text
    assert betrag.bare.split("\n")[1:3] == [
        "def betrag(self, *args, k: int = 1, **kw) -> int:  # why",
        '    text = """',
    ]
    assert betrag.signature.endswith("-> int:  # why")
    assert betrag.body.startswith('    text = """')


def test_a_comment_above_leaves_with_the_documentation():
    total = function_of("java", "total")
    assert total.text.startswith("/**\n")
    assert total.bare.startswith("@Test\npublic int total")
    assert total.signature.endswith("{")
    assert total.body.endswith("}")


def test_a_body_on_the_line_of_its_signature_is_cut_after_the_opening():
    one = function_of("python", "one")
    assert (one.signature, one.body) == ("def one(self):", "return 1")
    add = function_of("javascript", "add")
    assert add.signature == "export const add = (a, { b }, ...c) =>"
    assert add.body == "a + b;"


def test_calls_are_on_the_lines_they_stand_on():
    lines = SOURCES["python"].split("\n")
    for call in function_of("python", "betrag").calls:
        assert f"{call.name}(" in lines[call.line]

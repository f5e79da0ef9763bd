import pytest

from devtune.data.code.comments import docstring_text, without_marks


@pytest.mark.parametrize(
    ("comment", "text"),
    [
        ("// one", "one"),
        ("//! inner", "inner"),
        ("///< after", "after"),
        ("# one", "one"),
        ("/* one */", "one"),
        ("/** one */", "one"),
        ("/**\n * one\n *\n *   two\n */", "one\n\n  two"),
        ("/*\n   one\n     two\n*/", "one\n  two"),
        ("=begin\none\ntwo\n=end", "one\ntwo"),
        ("#", ""),
        ("/**/", ""),
        ("//////////////////", ""),
    ],
)
def test_marks_are_taken_off(comment, text):
    assert without_marks([comment]) == text


def test_consecutive_comments_are_one_text_and_rules_between_them_go():
    comments = ["# ------------", "# one", "#", "#   two", "# ============"]
    assert without_marks(comments) == "one\n\n  two"


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        ('"""One."""', "One."),
        ("'One.'", "One."),
        ('r"""A \\d.\n\n        Deeper.\n    """', "A \\d.\n\nDeeper."),
        ('f"""No {x}."""', ""),
        ('b"""No."""', ""),
    ],
)
def test_a_docstring_loses_quotes_and_indentation(literal, text):
    assert docstring_text(literal) == text

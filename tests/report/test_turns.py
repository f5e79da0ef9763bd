import pytest

from devtune.report.stretches import Stretch
from devtune.report.turns import coloured, in_words

SHOWN = [
    Stretch("[INST]", "control"),
    Stretch("Hi", "text"),
    Stretch("[/INST]", "control"),
    Stretch("Yes", "text", True),
    Stretch("\n    ", "layout"),
    Stretch("path:", "key", True),
    Stretch("</s>", "control", True),
    Stretch("\n", "layout"),
]


def test_exactly_the_trained_tokens_are_on_green():
    text = coloured(SHOWN)
    assert text.plain == "[INST]Hi[/INST]Yes\n    path:</s>\n"
    styles = [text.plain[span.start : span.end] for span in text.spans if "green" in span.style]
    assert styles == ["Yes", "path:", "</s>"]
    dim = [text.plain[span.start : span.end] for span in text.spans if span.style == "dim"]
    assert dim == ["[INST]", "[/INST]"]


def test_brackets_of_user_code_are_not_markup():
    assert coloured([Stretch("[red]x[/red]", "text")]).plain == "[red]x[/red]"


def test_without_colour_the_trained_tokens_stand_between_marks():
    assert coloured(SHOWN, marks=True).plain == "[INST]Hi[/INST]⟦Yes\n    path:</s>⟧\n"
    untrained = Stretch("x", "text")
    between = [SHOWN[3], Stretch("\n", "layout"), untrained, SHOWN[3]]
    assert coloured(between, marks=True).plain == "⟦Yes⟧\nx⟦Yes⟧"


def test_what_would_move_the_cursor_is_spelt():
    text = coloured([Stretch("\x1b[31m\r\n\t\u202e", "text")])
    assert text.plain == "ESC[31mCR\n\tU+202E"


@pytest.mark.parametrize(
    ("hidden", "words"),
    [
        (Stretch("", "hidden", False, 1, 9), "1 line hidden"),
        (Stretch("", "hidden", False, 1200, 9), "1,200 lines hidden"),
        (Stretch("", "hidden", True, 0, 1), "1 character hidden"),
        (Stretch("bash, \x1b", "hidden", False, 0, 70), "70 characters hidden: bash, ESC"),
    ],
)
def test_what_is_hidden_says_how_much(hidden, words):
    assert in_words(hidden) == words
    assert coloured([hidden]).plain == f"⋯ {words} ⋯"

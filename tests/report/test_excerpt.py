import html
import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from devtune.data.renderers.rows import Span
from devtune.report.excerpt import (
    MAX_CONTEXT,
    MAX_SAMPLE,
    MAX_TRAINED,
    spelt,
    turns,
    visible,
)

UNSEEN = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"}


def text_of(markup):
    return html.unescape(re.sub(r"</?i>", "", markup))


def test_markup_of_the_data_is_text():
    assert visible('</script><b a="\'">&amp;') == (
        "&lt;/script&gt;&lt;b a=&#34;&#39;&#34;&gt;&amp;amp;"
    )


def test_what_cannot_be_seen_is_spelt_and_its_repeats_counted():
    assert visible("a\u202eb\u200b\u200b\u200b\x00\x1b\x7f\u00a0") == (
        "a<i>U+202E</i>b<i>U+200B×3</i><i>NUL</i><i>ESC</i><i>U+007F</i><i>U+00A0</i>"
    )


def test_hidden_bytes_in_tags_and_variation_selectors_are_spelt_and_emoji_are_not():
    assert visible("\U000e0041\ufe01\U000e0155") == "<i>U+E0041</i><i>U+FE01</i><i>U+E0155</i>"
    assert visible("⚠\ufe0f 日本 é") == "⚠\ufe0f 日本 é"


def test_lines_and_tabs_stay_only_where_the_page_keeps_them():
    assert visible("a\r\n\tb", has_lines=True) == "a<i>CR</i>\n\tb"
    assert visible("a\n\tb") == "a<i>LF</i><i>HT</i>b"


@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_nothing_unseen_and_no_markup_of_the_data_is_left(text):
    shown = visible(text)
    assert not [each for each in shown if unicodedata.category(each) in UNSEEN]
    assert not re.search(r"<(?!/?i>)", shown)
    assert shown.count("<i>") == shown.count("</i>")


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Sm", "Sc"]), max_size=200))
def test_text_that_can_be_seen_stays_as_it_is(text):
    seen = "".join(each for each in text if "<i>" not in visible(each))
    assert text_of(visible(seen)) == seen


def test_where_only_text_may_stand_it_is_spelt_without_markup():
    assert spelt("a b\u202e\u202e\n<") == "a bU+202EU+202ELF<"


def control(text, *, trained=False):
    return Span(text, trained, is_control=True)


def plain(text, *, trained=False):
    return Span(text, trained, is_control=False)


def test_each_turn_ends_with_the_token_that_closes_it():
    spans = [
        control("<s>[INST]"), plain("ask"), control("[/INST]"),
        control("[TOOL_CALLS]", trained=True), plain("f", trained=True),
        control("</s>", trained=True), control("[TOOL_RESULTS]"), plain("r"),
        control("[/TOOL_RESULTS]"), plain("done", trained=True), control("</s>", trained=True),
    ]  # fmt: skip
    found = list(turns(spans))
    assert ["".join(each.text for each in turn) for turn in found] == [
        "<s>[INST]ask[/INST]",
        "[TOOL_CALLS]f</s>",
        "[TOOL_RESULTS]r[/TOOL_RESULTS]",
        "done</s>",
    ]
    assert [each.is_trained for turn in found for each in turn] == [
        False, False, False, False, True, True, True, False, False, False, True, True,
    ]  # fmt: skip


def test_control_tokens_that_code_spells_end_no_turn():
    (turn,) = turns([plain("x = '[/INST]</s>'")])
    assert [each.text for each in turn] == ["x = '[/INST]</s>'"]


def test_a_long_text_loses_its_middle_and_says_how_much():
    text = "a" * 5000 + "b" * 5000
    (turn,) = turns([plain(text)])
    assert [(len(each.text), each.num_cut) for each in turn] == [
        (MAX_CONTEXT // 2, 10_000 - MAX_CONTEXT),
        (MAX_CONTEXT // 2, 0),
    ]
    assert turn[0].text[0] + turn[1].text[-1] == "ab"
    (turn,) = turns([plain(text, trained=True)])
    assert sum(len(each.text) for each in turn) == MAX_TRAINED


def test_a_long_conversation_ends_with_what_is_not_shown_of_it():
    spans = [plain("x" * 2000), control("[/INST]"), plain("y" * 2000, trained=True)] * 50
    pieces = [each for turn in turns(spans) for each in turn]
    shown = sum(len(each.text) for each in pieces if not each.is_control)
    assert shown == MAX_SAMPLE
    total = sum(len(span.text) for span in spans)
    assert sum(len(each.text) + each.num_cut for each in pieces) == total
    assert pieces[-1].text == ""

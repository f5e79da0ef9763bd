import pytest

from devtune.data.documents.outline import SUFFIXES, sections_of

README = """\
Lead.

# App

It runs.

## Install

```bash
# as root
make install
```

### From source

Clone it, see [here](https://a.test).

## Use

Run one of:

<img src="x.png">
"""


def test_each_heading_has_the_text_down_to_the_next_and_the_way_to_it():
    found = {each.headings: each.text for each in sections_of(README, "README.md")}
    assert found == {
        (): "Lead.",
        ("App",): "It runs.",
        ("App", "Install"): "```bash\n# as root\nmake install\n```",
        ("App", "Install", "From source"): "Clone it, see [here](https://a.test).",
        ("App", "Use"): "",
    }


def test_the_sources_of_the_sections_are_the_file():
    sections = sections_of(README, "README.md")
    assert "\n".join(each.source for each in sections) == README
    assert [README.split("\n")[each.line] for each in sections[1:]] == [
        "# App", "## Install", "### From source", "## Use",
    ]  # fmt: skip


def test_words_of_links_are_not_free():
    section = sections_of(README, "README.md")[3]
    assert (section.num_words, section.num_free_words) == (4, 3)


def test_a_fence_in_a_code_block_does_not_end_it():
    (_, section) = sections_of("# A\n\n````\n```\nx\n```\n````\n", "a.md")
    assert section.text == "````\n```\nx\n```\n````"


def test_a_line_that_announces_what_was_left_out_goes_with_it():
    text = "Ada\n===\n\nFirst.\n\nLike this:\n\n.. image:: x.png\n\nSecond:\n\n* item\n"
    assert sections_of(text, "a.rst")[1].text == "First.\n\nSecond:\n\n* item"


@pytest.mark.parametrize("end", ["\r\n", "\r"])
@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_line_ends_of_other_systems_and_a_mark_of_byte_order_change_nothing(suffix, end):
    text = "== Ada\n\nb\n\n c\n\nDora\n====\n\nd\n"
    found = sections_of("\ufeff" + text.replace("\n", end), f"a{suffix}")
    assert found == sections_of(text, f"a{suffix}")
    assert len(found) > 1


@pytest.mark.parametrize("path", ["README", "docs/a.txt"])
def test_a_plain_text_is_read_as_the_markup_it_looks_like(path):
    assert [each.headings for each in sections_of("## A\n\nb\n", path)] == [(), ("A",)]
    assert [each.headings for each in sections_of("Ada\n===\n\nb\n", path)] == [(), ("Ada",)]


def test_other_files_have_no_sections():
    assert sections_of(README, "a.py") == ()


def test_a_nul_takes_no_part_in_the_work():
    (_, section) = sections_of("# A\n\n\x000\x00 `x` \x00\n", "a.md")
    assert section.text == "\ufffd0\ufffd `x` \ufffd"

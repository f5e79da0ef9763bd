import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtune.data.filters.attributes import Attributes


def of(text: str, path: str, place: str = ".gitattributes"):
    return Attributes({place: text}).of(path)


@pytest.mark.parametrize(
    ("pattern", "path", "is_covered"),
    [
        ("*.js", "a.js", True),
        ("*.js", "deep/er/a.js", True),
        ("/*.js", "a.js", True),
        ("/*.js", "deep/a.js", False),
        ("docs/*.md", "docs/a.md", True),
        ("docs/*.md", "docs/deep/a.md", False),
        ("docs/*.md", "my/docs/a.md", False),
        ("docs/**", "docs/deep/a.md", True),
        ("docs/**", "docs", False),
        ("**/docs/**", "my/docs/a.md", True),
        ("**/docs/**", "docs/a.md", True),
        ("a/**/z.c", "a/z.c", True),
        ("a/**/z.c", "a/b/c/z.c", True),
        ("a/**/z.c", "b/z.c", False),
        ("docs", "docs/a.md", False),
        ("docs/", "docs/a.md", False),
        ("a?.c", "ab.c", True),
        ("a?.c", "a/.c", False),
        ("[ab].c", "b.c", True),
        ("[!ab].c", "b.c", False),
        ("[^ab].c", "c.c", True),
        (r"\*.c", "a.c", False),
        (r"\*.c", "*.c", True),
        ('"a b.c"', "a b.c", True),
        ("*", "any/thing", True),
        ("**", "any/thing", True),
        ("A.c", "a.c", False),
    ],
)
def test_patterns_cover_the_paths_git_says_they_cover(pattern, path, is_covered):
    assert of(f"{pattern} linguist-vendored", path) == ({"vendored": True} if is_covered else {})


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("linguist-vendored", {"vendored": True}),
        ("linguist-vendored=true", {"vendored": True}),
        ("linguist-vendored=false", {"vendored": False}),
        ("-linguist-vendored", {"vendored": False}),
        ("linguist-language=C++", {"language": "C++"}),
        ("linguist-generated -linguist-documentation", {"generated": True, "documentation": False}),
        ("text eol=lf filter=evil diff=evil", {}),
        ("linguist-generated\ttext", {"generated": True}),
    ],
)
def test_only_what_is_said_to_linguist_is_read(words, values):
    assert of(f"*.c {words}\r\n", "a.c") == values
    assert of(f"*.c\t{words}\n", "a.c") == values


def test_later_lines_and_nearer_files_win_and_a_bang_takes_back():
    text = (
        "*.c linguist-vendored\n*.c -linguist-vendored linguist-generated\nb.c !linguist-generated"
    )
    assert of(text, "a.c") == {"vendored": False, "generated": True}
    assert of(text, "b.c") == {"vendored": False}
    both = Attributes(
        {
            "lib/deep/.gitattributes": "*.c linguist-vendored",
            "lib/.gitattributes": "/own.c -linguist-vendored",
            ".gitattributes": "lib/** linguist-vendored=x",
        }
    )
    assert both.of("lib/own.c") == {"vendored": False}
    assert both.of("lib/deep/own.c") == {"vendored": True}
    assert both.of("lib/deep/own.h") == {"vendored": "x"}
    assert both.of("library/own.c") == {}


@pytest.mark.parametrize(
    "text",
    [
        "# *.c linguist-vendored",
        "[attr]own linguist-vendored",
        "[attr]own linguist-vendored\n*.c own",
        "!*.c linguist-vendored",
        f"{'*' * 2048}.c linguist-vendored",
        "linguist-vendored",
        "[.c linguist-vendored",
    ],
)
def test_comments_macros_and_what_git_forbids_say_nothing(text):
    assert of(text, "a.c") == {}


def test_a_hostile_pattern_and_a_path_of_four_thousand_characters_end():
    # Without linear matching neither would, within the life of the machine.
    stars = Attributes({".gitattributes": f"{'*a' * 500}b linguist-vendored"})
    folders = Attributes({".gitattributes": f"{'**/a/' * 300}b linguist-vendored"})
    assert stars.of("a" * 4000) == {}
    assert folders.of("a/" * 2000) == {}


@given(st.text(), st.text(), st.text(alphabet='*?[]!^\\/"ab.# \t'))
def test_no_text_and_no_path_is_too_odd(text, path, pattern):
    files = {".gitattributes": text, "a/.gitattributes": f"{pattern} linguist-vendored"}
    assert set(Attributes(files).of(path)) <= {"vendored"}
    assert set(Attributes(files).of(f"a/{path}")) <= {"vendored"}

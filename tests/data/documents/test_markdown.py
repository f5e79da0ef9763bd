import pytest

from devtune.data.documents.markdown import read_markdown


def shown(text):
    return [(each.kind, each.text) for each in read_markdown(text)]


def test_headings_of_both_kinds_have_levels():
    found = read_markdown("# One #\n\nTwo\n---\n\n### Three\n")
    assert [(each.text, each.level, each.line) for each in found] == [
        ("One", 1, 0), ("Two", 2, 2), ("Three", 3, 5),
    ]  # fmt: skip


@pytest.mark.parametrize("fence", ["```", "~~~", "````"])
def test_a_hash_in_a_fence_is_no_heading(fence):
    (block,) = read_markdown(f"{fence}bash\n# not a heading\nmake\n{fence}\n")
    assert (block.kind, block.language, block.text) == ("code", "bash", "# not a heading\nmake")


def test_a_hash_in_a_fence_inside_a_list_is_no_heading():
    text = "- Run:\n\n  ```bash\n  # not a heading\n  make\n  ```\n"
    assert shown(text) == [("prose", text.rstrip())]


def test_front_matter_is_no_text():
    assert shown("---\ntitle: x\n---\n\n# Real\n") == [("heading", "Real")]
    assert shown("---\n\nNo front matter.\n") == [("prose", "---\n\nNo front matter.")]


def test_pictures_comments_and_tags_go_and_their_words_stay():
    text = (
        "[![build](https://ci.test/b.svg)](https://ci.test) <!-- a `b`\n\nc -->\n"
        '<p align="center">Fast <b>and</b> small.</p> ![logo](l.png)'
    )
    assert shown(text) == [("prose", "Fast and small.")]


def test_what_looks_like_marks_in_code_spans_stays():
    text = "Write `<p>`, `` [a](b) ` `` or `![x](y)` and `<!-- z -->`, and a lone ` too."
    assert shown(text) == [("prose", text)]


def test_links_that_lead_out_of_the_text_become_words():
    text = (
        "See [the guide](docs/guide.md), [the site](https://corp.test), [spec][s], [Spec]"
        " and [no link].\n\n[s]: https://spec.test\n[spec]: other.md\n"
    )
    assert shown(text) == [
        ("prose", "See the guide, [the site](https://corp.test), [spec](https://spec.test), Spec"
         " and [no link].")
    ]  # fmt: skip


MYST = """\
(target)=

Call {func}`run <app.run>` or {meth}`~App.stop`, see {doc}`guide`.

```{code-block} python
:linenos:

run()
```

```{warning}
Not in {mod}`threads`.
```

```{toctree}
a
b
```

```{eval-rst}
.. click:example::

    hello()

.. autofunction:: run
```

:::{note}
Slow.
:::
"""


def test_directives_and_roles_of_myst_are_understood():
    assert shown(MYST) == [
        ("prose", "Call `run` or `App.stop`, see guide."),
        ("code", "run()"),
        ("prose", "**Warning:** Not in `threads`."),
        ("code", "hello()"),
        ("prose", "**Note:**\nSlow."),
    ]


@pytest.mark.parametrize(
    "text",
    ["`" * 200_000, "[" * 100_000, "> " * 50_000 + "# x", "<!--" * 100_000, "![a](" * 50_000,
     "- " * 50_000, "```\n" * 1001, "{a}`" * 50_000, "---\n" * 20_000, "\x00`a`\x001\x00"],
)  # fmt: skip
def test_hostile_text_is_read_to_its_end(text):
    assert all(block.text for block in read_markdown(text.replace("\0", "")) if block.kind != "x")

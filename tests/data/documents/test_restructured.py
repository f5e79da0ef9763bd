import pytest

from devtune.data.documents.restructured import read_restructured, to_markdown


def shown(text):
    return [(each.kind, each.text) for each in read_restructured(text)]


def test_levels_follow_the_order_in_which_adornments_appear():
    text = "=====\nTitle\n=====\n\nOne\n---\n\nDeep\n~~~~\n\nTwo\n---\n"
    assert [(each.text, each.level) for each in read_restructured(text)] == [
        ("Title", 1), ("One", 2), ("Deep", 3), ("Two", 2),
    ]  # fmt: skip


def test_lines_that_only_look_like_headings_are_none():
    text = "Code::\n\n    Title\n    =====\n    # more\n\nend\n"
    assert shown(text) == [("prose", "Code:"), ("code", "Title\n=====\n# more"), ("prose", "end")]
    assert [kind for kind, _ in shown("a  b\n====  ====\n1  2\n")] == ["prose"]


def test_literal_blocks_keep_their_blank_lines_and_end_with_their_indent():
    text = "So::\n\n    a\n\n      b\n\nNext\n\n  Deeper::\n\n     c\n\n  out\n"
    assert shown(text) == [
        ("prose", "So:"), ("code", "a\n\n  b"), ("prose", "Next"), ("prose", "  Deeper:"),
        ("code", "c"), ("prose", "  out"),
    ]  # fmt: skip


DIRECTIVES = """\
.. code-block:: python
   :caption: x

   # a comment
   run()

.. note:: Short
   and long.

   .. code:: bash

      make

.. deprecated:: 2.0 Use :func:`go`.

.. versionadded:: 1.0

.. toctree::
   :maxdepth: 2

   a

.. autofunction:: run
.. image:: x.png
   :alt: y
.. _target:
.. a comment
   over lines

.. py:function:: stop(now)

   Stops it.

>>> run()
1
"""


def test_directives_show_code_and_remarks_and_nothing_else():
    assert shown(DIRECTIVES) == [
        ("code", "# a comment\nrun()"),
        ("prose", "**Note:** Short\nand long."),
        ("code", "make"),
        ("prose", "**Deprecated since 2.0:** Use `go`."),
        ("prose", "`stop(now)`"),
        ("prose", "Stops it."),
        ("code", ">>> run()\n1"),
    ]
    languages = [each.language for each in read_restructured(DIRECTIVES) if each.kind == "code"]
    assert languages == ["python", "bash", "pycon"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("``a * b``", "`a * b`"),
        (":class:`~app.Run`", "`app.Run`"),
        (":py:meth:`go <Run.go>`", "`go`"),
        (":ref:`the guide <guide>`", "the guide"),
        ("`Site <https://a.test>`_", "[Site](https://a.test)"),
        ("`Page <page.html>`__", "Page"),
        ("`Named`_", "Named"),
        ("`title`", "`title`"),
        (r"a\ b \* c", "ab * c"),
        ("**bold** and *thin*", "**bold** and *thin*"),
    ],
)
def test_inline_marks_become_those_of_markdown(text, expected):
    assert to_markdown(text) == expected


@pytest.mark.parametrize(
    "text",
    ["``" * 100_001, ":a" * 200_000, "`" + " " * 200_000, "=" * 100_000, ".. note::\n" * 20_000,
     "".join(f"{'   ' * n}.. note::\n\n" for n in range(300)), "::\n" * 50_000, "\\" * 100_001],
)  # fmt: skip
def test_hostile_text_is_read_to_its_end(text):
    assert isinstance(read_restructured(text), list)

import pytest

from devtune.data.languages import fenced, language_of


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("app/x.py", "python"),
        ("X.PY", "python"),
        ("a.b/c.test.tsx", "tsx"),
        ("include/x.h", "c"),
        ("README.md", ""),
        ("Makefile", ""),
        (".py", ""),
        ("a.py/b", ""),
        ("x.py.orig", ""),
        ("", ""),
    ],
)
def test_a_language_goes_by_the_ending(path, language):
    assert language_of(path) == language


@pytest.mark.parametrize(
    ("code", "fence"),
    [
        ("x = 1", "```"),
        ("a `b` ``c`` ```d```", "```"),
        ("```\nx\n```", "````"),
        ("   `````", "``````"),
        ("    ```", "```"),
    ],
)
def test_a_fence_is_longer_than_those_inside(code, fence):
    assert fenced(code, "go") == f"{fence}go\n{code}\n{fence}"

import json
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from devtune.data.sources.notebook import read_notebook


def code(*lines, **more):
    return {
        "cell_type": "code",
        "execution_count": 3,
        "id": "a1",
        "metadata": {},
        "outputs": [{"output_type": "stream", "name": "stdout", "text": ["OUTPUT\n"]}],
        "source": [f"{line}\n" for line in lines[:-1]] + [lines[-1]],
        **more,
    }


def markdown(text, **more):
    return {"cell_type": "markdown", "id": "b2", "metadata": {}, "source": text, **more}


def notebook(*cells, language="python", **metadata):
    kernel = {"display_name": language, "language": language, "name": language}
    return {
        "cells": list(cells),
        "metadata": {"kernelspec": kernel, "secret": "METADATA", **metadata},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def read(*cells, **values):
    found = read_notebook(json.dumps(notebook(*cells, **values)))
    assert found is not None
    return found


def test_cells_become_blocks_and_outputs_metadata_and_attachments_are_dropped():
    image = {"x.png": {"image/png": "ATTACHMENT"}}
    text, language = read(
        markdown("# Title\n\nSome *words*.", attachments=image),
        code("import os", "", "print(os.name)"),
        code("  "),
        {"cell_type": "raw", "metadata": {}, "source": ["left as is"]},
    )
    assert language == "python"
    assert text == (
        "# %% [markdown]\n# # Title\n#\n# Some *words*.\n\n"
        "# %%\nimport os\n\nprint(os.name)\n\n"
        "# %% [raw]\n# left as is\n"
    )


def test_images_written_into_markdown_are_dropped():
    text, _ = read(markdown("before ![x](data:image/png;base64,iVBORw0KGgo=) after"))
    assert text == "# %% [markdown]\n# before ![x](data:) after\n"


def test_magics_are_kept_as_comments():
    text, _ = read(
        code(
            "%matplotlib inline",
            "!pip install \\",
            "    numpy",
            "files = !ls *.csv",
            "if colab:",
            "    %cd ..",
            "np.mean??",
            "x = (10",
            "     %y)",
            "ok = a != b",
        )
    )
    assert text == (
        "# %%\n# %matplotlib inline\n# !pip install \\\n    # numpy\n# files = !ls *.csv\n"
        "if colab:\n    # %cd ..\n# np.mean??\nx = (10\n     %y)\nok = a != b\n"
    )


def test_a_line_of_a_long_string_is_no_magic():
    text, _ = read(code('query = """', "%s", "!important", '"""', "%time f()"))
    assert text == '# %%\nquery = """\n%s\n!important\n"""\n# %time f()\n'


def test_a_cell_of_another_language_is_a_comment_and_a_timed_one_is_code():
    text, _ = read(code("%%bash", "rm x"), code("%%time", "f()"))
    assert text == "# %%\n# %%bash\n# rm x\n\n# %%\n# %%time\nf()\n"


def test_the_comment_marker_is_that_of_the_language():
    for language, fence, marker in (
        ("julia", "julia", "#"),
        ("R", "r", "#"),
        ("javascript", "javascript", "//"),
        ("C++17", "cpp", "//"),
        ("C#", "csharp", "//"),
        ("haskell", "haskell", "--"),
        ("clojure", "clojure", ";;"),
        ("python3", "python", "#"),
        ("brainfunk", "", "#"),
    ):
        text, found = read(markdown("why"), code("x"), language=language)
        assert found == fence
        assert text == f"{marker} %% [markdown]\n{marker} why\n\n{marker} %%\nx\n"


def test_lines_that_begin_with_a_percent_sign_stay_code_outside_python():
    text, _ = read(code("a", "%in% b"), language="R")
    assert text == "# %%\na\n%in% b\n"


def test_language_info_goes_before_the_kernel():
    text, language = read(code("x"), language="weird", language_info={"name": "julia"})
    assert (text, language) == ("# %%\nx\n", "julia")


def test_a_notebook_that_names_no_language_is_python():
    text = json.dumps({"cells": [code("x")], "metadata": {}, "nbformat": 4})
    assert read_notebook(text) == ("# %%\nx\n", "python")


def test_the_older_format_is_read():
    old = {
        "metadata": {"name": "old"},
        "nbformat": 3,
        "nbformat_minor": 0,
        "worksheets": [
            {
                "metadata": {},
                "cells": [
                    {"cell_type": "heading", "level": 2, "metadata": {}, "source": ["Part"]},
                    {
                        "cell_type": "code",
                        "collapsed": False,
                        "input": ["x = 1\n", "x"],
                        "language": "python",
                        "metadata": {},
                        "outputs": [{"output_type": "pyout", "text": ["OUTPUT"]}],
                        "prompt_number": 1,
                    },
                ],
            }
        ],
    }
    expected = "# %% [markdown]\n# ## Part\n\n# %%\nx = 1\nx\n"
    assert read_notebook(json.dumps(old)) == (expected, "python")


def test_an_empty_notebook_is_an_empty_text():
    assert read() == ("", "python")


def test_what_is_no_notebook_is_none():
    deep = '{"cells":' + "[" * 100_000
    for text in ("", "x = 1", "[]", "{}", '{"cells": 1}', '{"cells": []}', "1" * 5000, deep):
        assert read_notebook(text) is None


def test_what_utf8_cannot_hold_is_replaced():
    text, _ = read(code("x = '\ud800\0'\r\ny"))
    assert text == "# %%\nx = '\ufffd\ufffd'\ny\n"
    text.encode("utf-8")


WHOLE = json.dumps(notebook(markdown("# Title"), code("%time", "x = 1"), language="julia"))
scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
anything = st.recursive(
    scalars,
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=3), x, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), anything)
def test_a_mangled_notebook_is_read_or_refused(seed, filler):
    chance = random.Random(seed)

    def mangle(value):
        if chance.random() < 0.1:
            return filler
        if isinstance(value, dict):
            return {key: mangle(each) for key, each in value.items() if chance.random() > 0.05}
        return [mangle(each) for each in value] if isinstance(value, list) else value

    cut = chance.randrange(len(WHOLE))
    assert read_notebook(WHOLE[:cut]) is None
    found = read_notebook(json.dumps(mangle(json.loads(WHOLE))))
    if found is not None:
        found[0].encode("utf-8")

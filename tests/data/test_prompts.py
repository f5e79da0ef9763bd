import pytest

from devtune.data.making import FAMILIES
from devtune.data.prompts import Prompt
from devtune.errors import DevtuneError


@pytest.fixture
def prompt(tmp_path):
    def make(text):
        file = tmp_path / "prompt.jinja"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Prompt(file)

    return make


def complaint(action, *arguments):
    with pytest.raises(DevtuneError) as caught:
        action(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_values_go_in_as_they_are(prompt):
    code = "{{ path }} {% if x %} <b> & \r\n\t\u2028\n    indented\n"
    assert prompt("Change {{ path }}:\n{{ code }}.\n\n").render({"path": "x", "code": code}) == (
        f"Change x:\n{code}."
    )


def test_lines_of_statements_leave_no_lines(prompt):
    text = "  {% if is_new %}\nNew\n  {% else %}\nOld\n  {% endif %}\n"
    assert prompt(text).render({"is_new": False}) == "Old"


def test_an_unknown_name_is_one_line_that_says_which_there_are(prompt, tmp_path):
    message = complaint(prompt("{{ pth }}").render, {"path": "x", "code": "y"})
    assert (
        message
        == f"{tmp_path / 'prompt.jinja'}: 'pth' is undefined; it may use: code, fence, path, pick"
    )


@pytest.mark.parametrize("text", ["{{ path + 1 }}", "{{ 1 // 0 }}", "{% include 'other' %}"])
def test_what_a_template_cannot_do_is_one_line(prompt, tmp_path, text):
    message = complaint(prompt(text).render, {"path": "x"})
    assert message.startswith(f"{tmp_path / 'prompt.jinja'}: ")
    assert message.endswith("; it may use: fence, path, pick")


def test_a_syntax_error_has_a_line_number(prompt, tmp_path):
    message = complaint(prompt, "One\n\n{% if path %}\n{{ path }\n")
    assert message.startswith(f"{tmp_path / 'prompt.jinja'}:4: not a valid template: ")
    assert message.endswith("; correct it")


def test_a_template_that_says_nothing_is_refused(prompt, tmp_path):
    message = complaint(prompt(" \n").render, {})
    assert message == f"{tmp_path / 'prompt.jinja'}: the request it gives is empty; write one"


def test_a_template_cannot_reach_the_interpreter(prompt, tmp_path):
    text = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    assert "unsafe" in complaint(prompt(text).render, {"path": "x"})


def test_a_file_that_cannot_be_read_is_named(prompt, tmp_path):
    missing = tmp_path / "no.jinja"
    assert complaint(Prompt, missing) == f"{missing}: no such file or directory; correct the path"
    assert complaint(prompt, b"caf\xe9") == (
        f"{tmp_path / 'prompt.jinja'}: not UTF-8 text; a prompt is a Jinja template"
    )


FILES = [
    {
        "path": "p.py", "state": "changed", "is_whole": False, "is_unended": True,
        "windows": [{"first_line": 1, "last_line": 2, "code": "```\nc\n```"}],
    },
    {"path": "q.py", "state": "new", "is_whole": True, "is_unended": False, "windows": []},
]  # fmt: skip
REMARK = {"body": "B", "first_line": 1, "last_line": 2, "hunk": "```diff\n+c\n```"}
PAIR = {
    "path": "p.py", "name": "n", "signature": "s", "documentation": "d", "other_path": "test_p.py",
    "other_name": "test_n", "other": "o",
}  # fmt: skip
VALUES = {
    "commit_edit": {
        "subject": "S", "body": "B", "kind": "bug fix", "scope": "parser", "files": FILES,
        "form": "unified_diff",
    },
    "issue_to_patch": {
        "title": "T", "body": "B", "comments": [{"author": "username_0", "body": "C"}],
        "kind": "issue", "subject": "S", "files": FILES, "form": "search_replace",
    },
    "review_to_fix": {
        "remarks": [REMARK], "path": "p.py", "subject": "S", "files": FILES, "form": "tool_calls",
    },
    "fix_repair": {"path": "p.py", "first_line": 1, "last_line": 2, "code": "```\nc\n```"},
    "docstring_to_function": {
        "path": "p.py", "name": "n", "language": "python", "kind": "docstring", "signature": "s",
        "documentation": "d",
    },
    "function_to_docstring": {
        "path": "p.py", "name": "n", "language": "python", "kind": "docstring", "code": "c",
    },
    "test_to_implementation": PAIR,
    "implementation_to_test": PAIR,
    "fill_in_the_middle": {
        "path": "p.py", "language": "python", "before": "b", "after": "a",
        "definitions": [{"path": "q.py", "code": "c", "documentation": "d"}],
        "callers": [{"path": "r.py", "name": "m", "code": "c"}],
    },
    "api_usage": {
        "path": "p.py", "name": "n", "kind": "function", "signature": "s", "documentation": "d",
    },
    "repository_qa": {"source": "s", "path": "p.py", "heading": "Use p.py", "above": ["A", "B"]},
    "explanation": {
        "path": "p.py", "language": "python", "name": "n", "code": "c", "scene": "b\nc",
        "num_lines": 1,
    },
    "type_annotation": {
        "path": "p.py", "name": "n", "language": "python", "code": "c", "imports": "import i",
    },
    "commit_replay": {"subject": "Mend p.py", "body": "B", "kind": "bug fix", "scope": "parser"},
}  # fmt: skip
MIN_PHRASINGS = 3


@pytest.mark.parametrize("family", VALUES)
def test_the_prompts_of_this_tree_use_what_their_family_gives(prompts_dir, family):
    prompt = Prompt(prompts_dir / f"{family}.jinja")
    requests = {prompt.render(VALUES[family], str(number)) for number in range(50)}
    assert all("p.py" in each for each in requests)
    assert len(requests) >= MIN_PHRASINGS


def test_every_family_has_its_prompt_and_no_other_is_there(prompts_dir):
    # A session brings the words of its user along.
    asking = set(FAMILIES) - {"trajectory"}
    assert {each.stem for each in prompts_dir.glob("*.jinja")} == set(VALUES) == asking


def test_the_fence_is_longer_than_any_in_the_code(tmp_path):
    file = tmp_path / "prompt.jinja"
    file.write_text("{{ fence }}\n{{ code }}\n{{ fence }}", encoding="utf-8")
    assert Prompt(file).render({"code": "x"}) == "```\nx\n```"
    assert Prompt(file).render({"code": "````\nx\n````"}).startswith("`````\n````\n")

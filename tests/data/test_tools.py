import json
import subprocess
from pathlib import Path

import pytest

from devtune.data.tools import Tools
from devtune.errors import DevtuneError
from devtune.records import Action

SERVED = Path(__file__).resolve().parents[2] / "data_prep" / "tools" / "vibe3.json"


def call(tool, **arguments):
    made = Tools.call("call00001", Action(tool, json.dumps(arguments), ""))
    assert made.id == "call00001"
    return made.name, json.loads(made.arguments)


def test_the_tools_of_this_tree_are_kept_as_they_are():
    assert json.loads(Tools(SERVED).text) == json.loads(SERVED.read_text(encoding="utf-8"))


def test_each_action_is_a_call_of_a_tool_that_takes_such_arguments():
    schemas = {
        each["function"]["name"]: each["function"]["parameters"]
        for each in json.loads(Tools(SERVED).text)
    }
    for name, arguments in (
        call("read", path="a.py"),
        call("read", path="a.py", offset=3, limit=2),
        call("write", path="a.py", content="x\n"),
        call("edit", path="a.py", old="x", new="y"),
        call("grep", pattern="x"),
        call("grep", pattern="x", path="a.py", limit=3),
        call("run", command="git ls-files '*.py'"),
    ):
        assert set(arguments) <= set(schemas[name]["properties"])
        assert set(schemas[name]["required"]) <= set(arguments)


def test_actions_are_spelt_as_the_served_agent_spells_them():
    assert call("read", path="a.py", offset=3) == ("read_file", {"path": "a.py", "offset": 3})
    assert call("edit", path="é.py", old="x", new="") == (
        "edit",
        {"file_path": "é.py", "old_string": "x", "new_string": ""},
    )
    assert call("run", command="pytest -q") == ("bash", {"command": "pytest -q"})
    assert call("grep", pattern="a b", path="c d", limit=7) == (
        "bash",
        {"command": "git grep -n -F -e 'a b' -- 'c d' | head -n 7"},
    )


@pytest.mark.parametrize("pattern", ["it's", "$HOME `id` \\n", "-rf", "a;b|c&d", '"', "x\ny"])
def test_whatever_is_searched_for_the_shell_takes_it_as_one_word(pattern):
    _, arguments = call("grep", pattern=pattern, path=pattern)
    script = arguments["command"].replace("git grep -n -F -e", "printf '%s\\0'", 1)
    answer = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    assert answer.stdout.decode().split("\0")[:-1] == [pattern, "--", pattern]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "not a JSON array of tools as the OpenAI API has them; correct it"),
        ("[1]", "not a JSON array of tools as the OpenAI API has them; correct it"),
        ('[{"name": "x"}]', "not a JSON array of tools as the OpenAI API has them; correct it"),
        ("[]", "no tool is called 'bash'; add its definition"),
    ],
)
def test_a_file_that_holds_no_tools_is_one_line(tmp_path, content, complaint):
    file = tmp_path / "tools.json"
    file.write_text(content)
    with pytest.raises(DevtuneError) as caught:
        Tools(file)
    assert str(caught.value) == f"{file}: {complaint}"


def test_the_first_tool_that_is_missing_is_named(tmp_path):
    file = tmp_path / "tools.json"
    kept = [
        each for each in json.loads(SERVED.read_text()) if each["function"]["name"] != "write_file"
    ]
    file.write_text(json.dumps(kept))
    with pytest.raises(DevtuneError, match="no tool is called 'write_file'; add its definition"):
        Tools(file)


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(DevtuneError) as caught:
        Tools(tmp_path / "none.json")
    assert str(caught.value) == (
        f"{tmp_path / 'none.json'}: no such file or directory; correct the path"
    )

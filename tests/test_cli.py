import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from devtune.cli import main
from devtune.line import NAMES

QUICKSTART = str(Path(__file__).resolve().parents[1] / "recipes" / "quickstart" / "recipe.yaml")


@pytest.fixture
def devtune(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    return run


def test_help_names_every_command(devtune):
    code, out, _ = devtune("--help")
    assert code == 0
    others = ("run", "check", "show", "plan", "schema", "samples", "report", "trace", "record")
    for name in (*NAMES, *others):
        assert re.search(rf"^    {name}\b", out, re.MULTILINE), name


@pytest.mark.parametrize("stage", NAMES)
def test_help_of_a_stage_explains_its_section(devtune, stage):
    code, out, _ = devtune(stage, "--help")
    assert code == 0
    assert "--set SECTION.KEY=VALUE" in out
    assert f"  {stage}." in out


def test_check_of_a_good_recipe_is_silent_when_asked(devtune):
    assert devtune("check", QUICKSTART, "--quiet") == (0, "", "")
    code, out, _ = devtune("check", QUICKSTART)
    assert code == 0
    assert out.endswith("nothing wrong\n")


def test_check_speaks_json_when_asked(devtune):
    _, out, _ = devtune("check", QUICKSTART, "--json")
    assert json.loads(out)["stage"] == "check"


def test_a_bad_recipe_is_one_line_on_stderr_and_exit_code_2(devtune):
    code, out, err = devtune("check", QUICKSTART, "--set", "train.sed=1")
    assert (code, out) == (2, "")
    assert err == "devtune: error: --set: unknown key `train.sed`; did you mean `seed`?\n"


def test_a_run_that_fails_is_exit_code_1(devtune, tmp_path):
    code, _, err = devtune("build", QUICKSTART, "--set", f"run_dir={tmp_path}/runs", "--quiet")
    assert code == 1
    assert err == (
        f"devtune: error: {tmp_path}/runs/corpus: is not there; "
        "run the stage that writes it first\n"
    )


def test_a_message_of_several_lines_is_printed_as_one(devtune, tmp_path):
    code, _, err = devtune("check", f"{tmp_path}/a\nb.yaml")
    assert code == 2
    assert err.count("\n") == 1


def test_show_prints_each_value_with_its_origin(devtune):
    _, out, _ = devtune("show", QUICKSTART, "--set", "train.seed=7")
    assert re.search(r"^train\.seed: 7 +# --set$", out, re.MULTILINE)
    assert re.search(r"^train\.adapter\.r: 16 +# .*/lora\.yaml:\d+$", out, re.MULTILINE)
    assert re.search(r"^train\.bf16: true +# default$", out, re.MULTILINE)


def test_plan_prints_a_table_or_one_object(devtune):
    code, out, _ = devtune("plan", QUICKSTART)
    assert code == 0
    assert "not measured on a GPU" in out
    _, out, _ = devtune("plan", QUICKSTART, "--json")
    assert json.loads(out)["text_parameters"] == 135_093_312


def test_schema_is_written_where_asked_or_refused_in_one_line(devtune, tmp_path):
    _, printed, _ = devtune("schema")
    assert devtune("schema", "--out", str(tmp_path / "schema.json"))[0] == 0
    assert (tmp_path / "schema.json").read_text(encoding="utf-8") == printed
    code, _, err = devtune("schema", "--out", str(tmp_path / "no" / "schema.json"))
    assert code == 2
    assert "no such file or directory; correct the path" in err


def test_canaries_are_an_override_relative_to_where_it_is_typed(devtune, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "can: 'a' #1.jsonl").touch(mode=0o644)
    run = ("--set", f"run_dir={tmp_path}/runs", "--quiet")
    code, _, err = devtune("evaluate", QUICKSTART, *run, "--canaries", "none.jsonl")
    assert (code, err.count("\n")) == (1, 1)
    assert f"{tmp_path}/none.jsonl: no such file or directory; correct the path" in err
    code, _, err = devtune("evaluate", QUICKSTART, "--canaries", "can: 'a' #1.jsonl", *run)
    assert code == 1  # the file was found, and the dataset was not
    assert f"{tmp_path}/runs/dataset: is not there" in err
    assert devtune("train", QUICKSTART, "--canaries", "none.jsonl")[0] == 2


def test_an_unknown_command_is_exit_code_2(devtune):
    code, _, err = devtune("trian", QUICKSTART)
    assert code == 2
    assert "invalid choice: 'trian'" in err


def test_a_reader_that_leaves_is_no_error():
    command = f"{sys.executable} -m devtune show {QUICKSTART} | head -n 1"
    answer = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert answer.stdout.startswith("run_dir: ")
    assert answer.stderr == ""


def test_a_latin_1_terminal_gets_its_help():
    command = [sys.executable, "-m", "devtune", "--help"]
    environment = {"PYTHONIOENCODING": "latin-1", "PATH": "/usr/bin:/bin"}
    answer = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert answer.returncode == 0
    assert b"published weights ? base/" in answer.stdout or b"the import stage" in answer.stdout

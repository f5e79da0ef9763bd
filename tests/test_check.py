from pathlib import Path

import pytest

from devtune.check import check
from devtune.config import load
from devtune.errors import RecipeError

ROOT = Path(__file__).resolve().parents[1]
QUICKSTART = ROOT / "recipes" / "quickstart" / "recipe.yaml"


def refusal(*overrides, anywhere=True):
    with pytest.raises(RecipeError) as caught:
        check(load(QUICKSTART, overrides), anywhere=anywhere)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_quickstart_is_good_on_this_machine():
    assert check(load(QUICKSTART)) == []


def test_what_is_not_on_this_machine_is_a_fault_here_and_a_note_anywhere():
    sources = "collect.sources=[{type: git, path: /nowhere}, {type: package, name: no_such_module}]"
    message = refusal(sources, anywhere=False)
    assert message.startswith("--set: not on this machine: collect source /nowhere;")
    notes = check(load(QUICKSTART, [sources]), anywhere=True)
    assert notes == [
        "not on this machine: collect source /nowhere",
        "not on this machine: collect source package no_such_module",
    ]


def test_absent_weights_are_a_fault_here():
    override = "import={type: checkpoint, path: /nowhere}"
    assert "not on this machine: import.path /nowhere" in refusal(override, anywhere=False)


@pytest.mark.parametrize("name", ["''", "'.x'", "'../x'", "'a b'"])
def test_a_package_whose_name_is_none_is_not_installed(name):
    override = f"collect.sources=[{{type: package, name: {name}}}]"
    assert len(check(load(QUICKSTART, [override]), anywhere=True)) == 1


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("train.deepspeed=/nowhere.json", "--set: `train.deepspeed`: no such file: /nowhere.json"),
        (
            "collect.exclude_repositories=/nowhere.yaml",
            "--set: `collect.exclude_repositories`: no such file: /nowhere.yaml; correct the path",
        ),
        (
            "collect.personal_data=/nowhere.yaml",
            "--set: `collect.personal_data`: no such file: /nowhere.yaml; correct the path",
        ),
        (
            "collect.file_rules=[{type: size}, {type: license, policy: /nowhere.yaml}]",
            "--set: `collect.file_rules.1.policy`: no such file: /nowhere.yaml; correct the path",
        ),
        (
            "collect.commit_rules=[{type: merge}, {type: bot, authors: ['a', '(']}]",
            "--set: `collect.commit_rules.1.authors.1`: '(' is no regular expression",
        ),
        (
            "collect.commit_rules=[{type: message, skip: ['[']}]",
            "--set: `collect.commit_rules.0.skip.0`: '[' is no regular expression",
        ),
        ("render.max_length=769", "render.max_length 769 exceeds train.max_length 768"),
        ("train.max_steps=0", "--set: `train.max_steps` is 0; write a number of steps, or -1"),
        ("train.adapter.target_modules='['", "`train.adapter.target_modules`: '[' is no regular"),
    ],
)
def test_a_fault_is_one_line_with_its_place(override, expected):
    assert expected in refusal(override)


def test_a_bad_pattern_and_an_absent_prompt_of_a_step_are_named(tmp_path):
    prompt = tmp_path / "prompt.jinja"
    steps = "build.steps=[{type: fix_repair, prompt: %s, subjects: ['ok', '(']}]"
    assert "`build.steps.0.prompt`: no such file" in refusal(steps % prompt)
    prompt.write_text("{{ path }}", encoding="utf-8")
    assert "`build.steps.0.subjects.1`: '(' is no regular expr" in refusal(steps % prompt)


def test_absent_and_broken_tools_of_a_step_are_named(tmp_path):
    tools = tmp_path / "tools.json"
    prompt = ROOT / "data_prep" / "prompts" / "commit_edit.jinja"
    steps = f"build.steps=[{{type: commit_edit, prompt: {prompt}, tools: {tools}}}]"
    assert "`build.steps.0.tools`: no such file" in refusal(steps)
    tools.write_text("{}", encoding="utf-8")
    assert refusal(steps) == f"{tools}: no tool is called 'bash'; add its definition"
    tools.write_text("[1]", encoding="utf-8")
    assert refusal(steps).startswith(f"{tools}: not a JSON array of tools")


def test_a_pattern_of_sources_is_absent_when_it_matches_nothing(tmp_path):
    (tmp_path / "one").mkdir()
    sources = "collect.sources=[{type: directory, path: '%s'}]"
    assert check(load(QUICKSTART, [sources % f"{tmp_path}/o*"])) == []
    expected = f"--set: not on this machine: collect source {tmp_path}/x*;"
    assert refusal(sources % f"{tmp_path}/x*", anywhere=False).startswith(expected)


def test_a_broken_prompt_policy_or_engine_file_is_named(tmp_path):
    broken = tmp_path / "broken"
    broken.write_text("{% if", encoding="utf-8")
    step = f"build.steps=[{{type: docstring_to_function, prompt: {broken}}}]"
    for override in (
        step,
        f"collect.exclude_repositories={broken}",
        f"collect.personal_data={broken}",
        f"collect.file_rules=[{{type: excluded_paths, policy: {broken}}}]",
        f"collect.file_rules=[{{type: license, policy: {broken}}}]",
        f"train.deepspeed={broken}",
    ):
        assert refusal(override).startswith(str(broken))


@pytest.mark.parametrize(
    ("license_", "remedy"),
    [
        ("Apache 2", "write Apache-2.0"),
        ("ours, all rights reserved", "write one, or LicenseRef- and a name of your own"),
        ("Acme-1.0", "write one, or LicenseRef- and a name of your own"),
    ],
)
def test_a_licence_of_a_source_is_an_spdx_id(license_, remedy):
    source = "collect.sources=[{type: package, name: json, license: '%s'}]"
    assert refusal(source % license_) == (
        f"--set: `collect.sources.0.license`: {license_!r} is no SPDX id; {remedy}"
    )
    assert check(load(QUICKSTART, [source % "MIT OR LicenseRef-Ours"]), anywhere=True) == []


def test_a_salt_is_read_before_anything_starts(tmp_path):
    salt = tmp_path / "salt.key"
    salt.write_bytes(b"short")
    salt.chmod(0o600)
    assert "less than 32 bytes can be guessed" in refusal(f"collect.salt={salt}")


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ("{type: directory, path: %s}, {type: directory, path: %s}", "two are called 'code'"),
        ("{type: git, path: %s}", "not the top of a git repository"),
        ("{type: directory, path: %s, name: app}, {type: forge, path: %s, repository: ap}",
         "no git source is called 'ap'"),
    ],
)  # fmt: skip
def test_sources_that_cannot_be_opened_are_a_fault_here(sources, expected, tmp_path):
    code = tmp_path / "code"
    code.mkdir()
    override = f"collect.sources=[{sources.replace('%s', str(code))}]"
    assert expected in refusal(override, anywhere=False)
    assert check(load(QUICKSTART, [override]), anywhere=True) == []


def test_canaries_are_read_before_anything_starts(tmp_path):
    file = tmp_path / "canaries.jsonl"
    override = f"evaluate.canaries={file}"
    assert "`evaluate.canaries`: no such file" in refusal(override)
    file.write_text('{"name": "first"}', encoding="utf-8")
    file.chmod(0o600)
    assert refusal(override).startswith(f"{file}:1: not a canary (value: Field required)")
    file.write_text('{"name": "first", "value": "q7Rt2mZx9LkV4", "prefix": "x"}', encoding="utf-8")
    check(load(QUICKSTART, [override]), anywhere=True)
    file.chmod(0o640)
    assert refusal(override).endswith("chmod 600 canaries.jsonl")

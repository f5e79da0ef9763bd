import shutil
from pathlib import Path

import pytest

from devtune.config import load
from devtune.errors import RecipeError

ROOT = Path(__file__).resolve().parents[1]
QUICKSTART = ROOT / "recipes" / "quickstart" / "recipe.yaml"
SMALL = """\
use: [part.yaml]
run_dir: runs/here
collect:
  sources:
    - {type: directory, path: code}
render: {max_length: 64}
train:
  type: sft
  adapter: {type: lora}
  learning_rate: 1e-4
  max_length: 64
"""
PART = """\
import: {type: breeze}
executor: {type: local}
collect:
  exclude_repositories: policy.yaml
build:
  steps:
    - type: exact_dedup
    - type: max_per_family
      train: 10
      held_out: 5
"""


@pytest.fixture
def write(tmp_path):
    # A good recipe in two files; each call replaces lines or files of it and returns its path.
    (tmp_path / "part.yaml").write_text(PART, encoding="utf-8")

    def make(text=SMALL, **files):
        for name, content in files.items():
            (tmp_path / f"{name}.yaml").write_text(content, encoding="utf-8")
        path = tmp_path / "recipe.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return make


def refusal(path, *overrides):
    with pytest.raises(RecipeError) as caught:
        load(path, overrides)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_good_recipe_loads_with_exponents_as_numbers(write):
    recipe = load(write()).recipe
    assert recipe.train.learning_rate == 0.0001
    assert recipe.build.steps[1].train == 10


def test_an_unknown_section_names_its_line(write):
    path = write(SMALL.replace("render:", "rendr: {max_length: 1}\nrender:"))
    assert refusal(path).startswith(f"{path}:6: unknown key `rendr`; did you mean `render`?")


def test_an_unknown_key_of_a_section_names_the_nearest(write):
    path = write(SMALL.replace("learning_rate", "lerning_rate"))
    message = refusal(path)
    assert message.startswith(f"{path}:10: unknown key `train.lerning_rate`")
    assert "did you mean `learning_rate`?" in message


def test_an_unknown_key_of_an_adapter_is_measured_against_that_adapter_alone(write):
    path = write(SMALL.replace("{type: lora}", "{type: full, r: 4}"))
    assert refusal(path) == f"{path}:9: unknown key `train.adapter.r`; valid keys: type"


def test_an_unknown_key_of_a_step_in_a_used_file_names_that_file(write, tmp_path):
    path = write(part=PART.replace("held_out: 5", "heldout: 5"))
    message = refusal(path)
    place = f"{tmp_path / 'part.yaml'}:10"
    assert message.startswith(f"{place}: unknown key `build.steps.1.heldout`; did you mean `held")


def test_an_unknown_key_of_a_source_names_its_line(write):
    path = write(SMALL.replace("path: code", "pth: code"))
    message = refusal(path)
    assert f"{path}:5: unknown key `collect.sources.0.pth`; did you mean `path`?" in message


def test_a_missing_field_is_explained_by_its_sentence(write):
    path = write(SMALL.replace("  max_length: 64\n", ""))
    message = refusal(path)
    assert message.startswith(f"{path}:7: `train.max_length` is missing: Length of a row")


def test_a_wrong_type_lists_the_right_ones(write):
    message = refusal(write(SMALL.replace("type: lora", "type: loro")))
    assert message.endswith(":9: `train.adapter.type` must be one of full, lora, qlora")


def test_a_fault_inside_a_list_is_counted_once(write):
    message = refusal(write(SMALL.replace(", path: code", "")))
    assert message.count("`collect.sources.0.path` is missing: The directory") == 1
    assert "more)" not in message


def test_a_duplicate_key_names_the_second_line(write):
    path = write(SMALL + "  max_length: 32\n")
    assert refusal(path).startswith(f'{path}:12: found duplicate key "max_length"')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("train:\n\tseed: 1\n", ":2: not valid YAML: found character '\\t'"),
        ("[1, 2]\n", ":1: a recipe is a mapping of sections, not a list"),
        ("hello\n", ":1: a recipe is a mapping of sections, not a single value"),
        ("", ": `run_dir` is missing: Where every stage writes its directory (and 5 more)"),
        ("a: 1\n---\nb: 2\n", ":2: not valid YAML"),
        ("x: \x07\n", ": not valid YAML: unacceptable character"),
        ("use: part.yaml\n", ": `use:` takes a list of paths"),
        ("use:\n", ": `use:` takes a list of paths"),
        ("use: [nowhere.yaml]\n", ":1: no such file: "),
        ("run_dir: &a {b: *a}\n", "`run_dir` must be a path"),
        ("run_dir: " + "[" * 400 + "]" * 400, ": nested too deeply"),
        ("train: !!python/object:os.system x\n", "means nothing in a recipe; remove it"),
    ],
)
def test_a_file_that_is_no_recipe_is_one_line(write, text, expected):
    path = write(text)
    message = refusal(path)
    assert message.startswith(str(path))
    assert expected in message


def test_a_binary_file_a_directory_and_no_file_are_one_line(tmp_path):
    binary = tmp_path / "binary"
    binary.write_bytes(b"\x80\xff\x00")
    assert refusal(binary) == f"{binary}: not UTF-8 text; a recipe is YAML"
    assert refusal(tmp_path).endswith("Is a directory; give the path of a recipe")
    assert refusal(tmp_path / "none").endswith(
        "No such file or directory; give the path of a recipe"
    )


def test_files_that_use_each_other_are_a_circle(write):
    path = write("use: [b.yaml]\n", b="use: [recipe.yaml]\n")
    assert "`use:` goes in a circle" in refusal(path)


def test_a_merge_key_is_read_and_its_faults_have_a_line(write):
    text = SMALL.replace("train:\n", "train:\n  <<: {seed: 3}\n")
    assert load(write(text)).recipe.train.seed == 3
    message = refusal(write(text.replace("seed", "sed")))
    assert "unknown key `train.sed`; did you mean `seed`?" in message


def test_a_later_type_replaces_an_adapter_whole(write):
    chain = SMALL.replace("[part.yaml]", "[part.yaml, lora.yaml]").replace("{type: lora}", "{r: 8}")
    lora = "use: [full.yaml]\ntrain: {adapter: {type: lora, r: 4, lora_alpha: 64}}\n"
    path = write(chain, lora=lora, full="train: {adapter: {type: full}}\n")
    adapter = load(path).recipe.train.adapter
    assert (adapter.type, adapter.r, adapter.lora_alpha) == ("lora", 8, 64)
    full = load(path, ["train.adapter={type: full}"]).recipe.train.adapter
    assert full.model_dump() == {"type": "full"}


def test_a_later_list_replaces_an_earlier_one(write):
    path = write(SMALL + "build: {steps: [{type: exact_dedup}]}\n")
    resolved = load(path)
    assert len(resolved.recipe.build.steps) == 1
    assert not [loc for loc in resolved.origins if loc[:3] == ("build", "steps", 1)]


def test_paths_follow_the_file_that_says_them(write, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    path = write(
        SMALL.replace("part.yaml", "elsewhere/part.yaml"),
    )
    shutil.move(tmp_path / "part.yaml", tmp_path / "elsewhere" / "part.yaml")
    here = tmp_path / "current"
    here.mkdir()
    monkeypatch.chdir(here)
    recipe = load("../recipe.yaml", ["import.out=base"]).recipe
    assert recipe.run_dir == tmp_path / "runs" / "here"
    assert recipe.collect.exclude_repositories == tmp_path / "elsewhere" / "policy.yaml"
    assert recipe.import_.out == here / "base"
    assert load(path).recipe.import_.out is None


def test_overrides_are_typed_nested_and_remembered(write):
    resolved = load(write(), ["train.learning_rate=2e-3", "train.adapter.r=4", "train.bf16=false"])
    assert resolved.recipe.train.learning_rate == 0.002
    assert resolved.recipe.train.adapter.r == 4
    assert resolved.recipe.train.bf16 is False
    assert str(resolved.origins[("train", "adapter", "r")]) == "--set"
    assert str(resolved.origins[("train", "type")]).endswith("recipe.yaml:8")


def test_the_last_override_wins_and_lists_are_written_whole(write):
    sources = "collect.sources=[{type: directory, path: a}, {type: directory, path: b}]"
    recipe = load(write(), ["train.seed=1", sources, "train.seed=2"]).recipe
    assert recipe.train.seed == 2
    assert [source.path.name for source in recipe.collect.sources] == ["a", "b"]


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("train.seed", "--set train.seed: write it as section.key=value"),
        ("train..seed=1", "write it as section.key=value"),
        ("=1", "write it as section.key=value"),
        ("train.seed=[1", "--set train.seed=[1: not valid YAML"),
        ("train.sed=1", "--set: unknown key `train.sed`; did you mean `seed`?"),
        ("use=[x]", "`use:` belongs in a recipe's file"),
        ("collect.sources.0.path=x", "--set: `collect.sources` must be a list, written whole"),
        ("collect.sources=[]", "at least 1 item"),
        ("train=", "--set: `train` must be a mapping"),
        ("run_dir=", "--set: `run_dir` must be a path"),
        ("train.seed=!!python/name:os.system x", "means nothing in a recipe"),
    ],
)
def test_a_bad_override_is_one_line(write, override, expected):
    assert expected in refusal(write(), override)


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("train.learning_rate=true", "must be a number, got True"),
        ("train.learning_rate='1e-4'", "must be a number, got '1e-4'"),
        ("train.learning_rate=.inf", "must be a finite number, got inf"),
        ("train.learning_rate=.nan", "greater than 0, got nan"),
        ("train.learning_rate=-1", "greater than 0, got -1"),
        ("train.learning_rate=fast", "got 'fast'"),
        ("train.save_steps=true", "must be a number, got True"),
        ("train.save_steps=1.5", "got 1.5"),
        ("train.bf16=no", "must be true or false, got 'no'"),
        ("train.bf16=1", "must be true or false, got 1"),
        ("collect.held_out=1.0", "less than 1, got 1.0"),
        ("train.report_to=mlflow", "got 'mlflow'"),
    ],
)
def test_a_value_never_quietly_becomes_another(write, override, expected):
    assert expected in refusal(write(), override)


def test_no_stays_text(write):
    path = write()
    assert load(path, ["export.served_model_name=no"]).recipe.export.served_model_name == "no"
    assert load(path, ["train.trainer_args.optim=off"]).recipe.train.trainer_args["optim"] == "off"


def test_trainer_args_are_names_of_the_installed_library(write):
    path = write()
    assert load(path, ["train.trainer_args.optim=adafactor"])
    assert "did you mean `optim`?" in refusal(path, "train.trainer_args.optm=x")
    assert "write it as `train.seed`" in refusal(path, "train.trainer_args.seed=1")
    assert "devtune sets it itself" in refusal(path, "train.trainer_args.output_dir=x")


def test_the_quickstart_names_the_file_of_each_value():
    resolved = load(QUICKSTART)
    assert str(resolved.origins[("train", "max_length")]).startswith(f"{QUICKSTART}:")
    adapter = resolved.origins[("train", "adapter", "r")]
    assert adapter.file == ROOT / "configs" / "adapter" / "lora.yaml"
    assert adapter.file.read_text(encoding="utf-8").splitlines()[adapter.line - 1] == "    r: 16"

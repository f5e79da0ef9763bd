import json
from pathlib import Path

import pytest

from devtune.config import load
from devtune.line import NAMES
from devtune.report.fields import describe_section, json_schema, show

QUICKSTART = Path(__file__).resolve().parents[2] / "recipes" / "quickstart" / "recipe.yaml"


def test_show_has_one_line_for_each_value_and_each_has_an_origin():
    lines = show(load(QUICKSTART)).splitlines()
    names = [line.partition(":")[0] for line in lines]
    assert len(names) == len(set(names))
    assert all("  # " in line for line in lines)
    assert "import.type" in names
    assert "build.steps.0.prompt" in names


def test_show_says_default_only_for_what_nobody_wrote():
    lines = dict(line.split("  # ") for line in show(load(QUICKSTART)).splitlines())
    origins = {name.strip(): origin for name, origin in lines.items()}
    assert origins["train.weight_decay: 0.0"] == "default"
    assert origins["train.max_length: 768"].startswith(str(QUICKSTART))


def test_show_names_a_list_that_was_written_in_an_override():
    text = show(load(QUICKSTART, ["collect.sources=[{type: package, name: rich}]"]))
    line = next(each for each in text.splitlines() if each.startswith("collect.sources.0.name"))
    assert line.endswith("# --set")


@pytest.mark.parametrize("stage", NAMES)
def test_every_field_of_a_section_has_a_sentence(stage):
    lines = [line for line in describe_section(stage).splitlines() if line]
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith(f"  {stage}."):
            assert following.startswith("      "), f"{line} has no sentence"


def test_each_kind_of_a_union_is_described():
    text = describe_section("train")
    for kind in ("lora", "qlora", "full"):
        assert f"train.adapter of type {kind}:" in text
    assert "train.learning_rate (required)" in text
    assert 'train.lr_scheduler_type = "cosine"' in text


def test_the_schema_forbids_unknown_keys_and_allows_use():
    schema = json.loads(json_schema())
    assert schema["additionalProperties"] is False
    assert "use" in schema["properties"]
    assert "required" not in schema
    for name, definition in schema["$defs"].items():
        assert definition["additionalProperties"] is False, name

from dataclasses import replace

import pytest
from ruamel.yaml import YAML

from devtune.data.cards.description import Makeup
from devtune.data.cards.exported import exported_card
from devtune.records import Message, Sample
from tests.conftest import make_place
from tests.data.cards.test_readme import HOSTILE

COUNTS = {"train": 4, "held_out": 0}


def makeup_of(*licenses, source="app"):
    makeup = Makeup()
    for each in licenses:
        place = replace(make_place(), license=each, source=source)
        makeup.add(Sample("00", "x", (Message("user", "Hi"),), (place,)))
    return makeup


def matter_of(card):
    return YAML(typ="safe", pure=True).load(card.split("---\n")[1])


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_the_front_matter_names_the_files_of_splits_that_have_rows(format):
    found = matter_of(exported_card(format, COUNTS, makeup_of("MIT")))
    files = [{"split": "train", "path": f"train.{format}"}]
    assert found["configs"] == [{"config_name": "default", "data_files": files}]
    assert found["size_categories"] == "n<1K"
    both = matter_of(exported_card(format, {"train": 4, "held_out": 1}, makeup_of("MIT")))
    assert len(both["configs"][0]["data_files"]) == 2


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_pairs_are_a_configuration_of_their_own(format):
    assert "preferences" not in exported_card(format, COUNTS, makeup_of("MIT"))
    card = exported_card(format, {**COUNTS, "preferences": 1}, makeup_of("MIT"))
    files = [{"split": "train", "path": f"preferences.{format}"}]
    pairs = {"config_name": "preferences", "data_files": files}
    assert matter_of(card)["configs"][1:] == [pairs]
    assert f"`preferences.{format}` holds 1 pair of sessions of one task, one a" in card
    assert ("preferences.origins.jsonl" in card) == (format == "jsonl")


@pytest.mark.parametrize(
    ("licenses", "shown"),
    [
        (["MIT"], ("mit", None)),
        (["MIT", ""], ("other", "MIT")),
        (["MIT", "ISC"], ("other", "several")),
        ([""], ("other", "not stated")),
    ],
)
def test_a_licence_stands_for_all_samples_or_is_other(licenses, shown):
    found = matter_of(exported_card("parquet", COUNTS, makeup_of(*licenses)))
    assert (found["license"], found.get("license_name")) == shown


def test_names_of_the_data_are_no_markdown_and_no_html():
    card = exported_card("jsonl", COUNTS, makeup_of(HOSTILE, source=HOSTILE))
    assert card.split("---\n")[0] == ""
    assert matter_of(card)["license"] == "other"
    body = card.split("\n---\n", 1)[1]
    for words in ("<img", "[x](", "`{{", "\x1b", "\u202e", "\n# <"):
        assert words not in body.replace("\\<", "").replace("\\[", ""), words

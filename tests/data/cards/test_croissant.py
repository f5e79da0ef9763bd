import json
from dataclasses import replace

import pytest

from devtune.data.cards.croissant import COLUMNS, LISTS, PAIR_COLUMNS, metadata
from devtune.data.tables import PREFERENCE_SCHEMA, SCHEMA
from devtune.records import Source


def test_every_file_has_its_size_and_hash(make_about):
    about = make_about()
    found = metadata(about)["distribution"]
    assert [(each["contentUrl"], each["contentSize"], each["sha256"]) for each in found] == [
        (each.name, f"{each.num_bytes} B", each.sha256) for each in about.files
    ]
    formats = [each["encodingFormat"] for each in found]
    assert formats == ["application/x-parquet", "application/x-parquet", "application/json"]


def test_every_column_of_both_tables_is_a_field(make_about):
    assert list(COLUMNS) == SCHEMA.names
    train, held_out = metadata(make_about())["recordSet"]
    for record_set, split in ((train, "train"), (held_out, "held_out")):
        assert record_set["@id"] == split
        sources = [each["source"] for each in record_set["field"]]
        assert {each["fileObject"]["@id"] for each in sources} == {f"{split}.parquet"}
        assert [each["extract"]["column"] for each in sources] == SCHEMA.names
        lists = [each["name"] for each in record_set["field"] if each.get("isArray")]
        assert lists == ["input_ids", "labels"]


def test_pairs_are_a_record_set_of_their_own_where_there_are_any(make_about):
    about = make_about()
    assert len(metadata(about)["recordSet"]) == 2
    counts = {**about.render.counts, "preferences": 7, "preferences_tokens": 900}
    about = replace(about, render=replace(about.render, counts=counts))
    *_, pairs = metadata(about)["recordSet"]
    assert pairs["@id"] == "preferences"
    assert [each["name"] for each in pairs["field"]] == PREFERENCE_SCHEMA.names
    assert list(PAIR_COLUMNS) == PREFERENCE_SCHEMA.names
    lists = [each["name"] for each in pairs["field"] if each.get("isArray")]
    assert lists == [each for each in LISTS if each in PAIR_COLUMNS]


def test_what_responsible_use_asks_for_is_there(make_about):
    found = metadata(make_about())
    for name in ("dataBiases", "dataLimitations", "personalSensitiveInformation", "dataUseCases"):
        assert found[f"rai:{name}"]
    assert "Team Billing" in found["rai:dataCollection"]
    assert found["rai:dataCollectionTimeframe"] == ["2025-06-30T00:00:00+00:00"]


def test_the_creator_is_whom_the_recipe_names(make_about):
    about = make_about()
    assert metadata(about)["creator"] == {"@type": "Organization", "name": "Team Tune"}
    assert "creator" not in metadata(replace(about, creator=""))


@pytest.mark.parametrize(
    ("license", "shown"),
    [
        ("MIT", "https://spdx.org/licenses/MIT"),
        ("LicenseRef-Ours", "LicenseRef-Ours"),
        ("MIT OR Apache-2.0", "MIT OR Apache-2.0"),
    ],
)
def test_a_licence_of_the_spdx_list_is_its_address(license, shown, make_about):
    about = make_about(sources=[Source("x", "git", 1.0, license, "")])
    about.makeup.licenses.clear()
    assert metadata(about)["license"] == [shown]


def test_no_licence_at_all_is_said(make_about):
    about = make_about(sources=[Source("x", "git", 1.0, "", "")])
    about.makeup.licenses.clear()
    assert metadata(about)["license"] == ["NOASSERTION"]


def test_the_validator_of_the_format_finds_no_fault_and_reads_the_tables(run_render, make_sample):
    mlcroissant = pytest.importorskip("mlcroissant")
    rows = [
        make_sample(("user", "q"), ("assistant", "answer"), sample_id=f"{n:016x}")
        for n in (1, 2, 3)
    ]
    _, out = run_render(rows, rows[:1])
    dataset = mlcroissant.Dataset(jsonld=out / "croissant.json")
    assert not dataset.metadata.ctx.issues.errors
    found = list(dataset.records("train"))
    assert [row["train/sample_id"].decode() for row in found] == [each.sample_id for each in rows]
    assert json.loads((out / "croissant.json").read_text())["recordSet"][0]["@id"] == "train"

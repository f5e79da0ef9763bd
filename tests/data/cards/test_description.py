import hashlib
from collections import Counter

import pytest

from devtune.data.cards.description import Makeup, Work, describe
from devtune.errors import DevtuneError
from devtune.jsonl import write_jsonl
from devtune.pipeline import RenderSection
from devtune.records import Source


def test_a_sample_counts_once_for_each_source_language_and_licence_of_its_places(makeup):
    assert makeup.sources == Counter(billing=3, ledger=1)
    assert makeup.languages == Counter(python=3, go=1)
    assert makeup.licenses == Counter({"MIT": 3, "": 1})


def test_numbers_of_parts_add_up(makeup, tmp_path):
    makeup.write(tmp_path / "one.json")
    whole = Makeup()
    for _ in range(2):
        whole.read(tmp_path / "one.json")
    assert whole.sources == Counter(billing=6, ledger=2)
    assert whole.licenses == Counter({"MIT": 6, "": 2})


def test_what_the_stages_counted_is_read_from_their_manifests(make_about):
    about = make_about()
    assert about.collect.steps == {"file_rules": ("size",), "commit_rules": ("merge",)}
    assert about.collect.rejects == {"vendored": 5, "too_large": 1}
    assert about.build.steps == {"steps": ("commit_edit", "exact_dedup")}
    assert about.build.counts == {"train": 4}
    assert about.num_samples == {"train": 3, "held_out": 1}
    assert [each.name for each in about.sources] == ["billing", "ledger", "issues"]
    assert about.privacy["num_lines"] == 56789
    tekken = about.files[2]
    assert (tekken.name, tekken.num_bytes) == ("tekken.json", 2)
    assert tekken.sha256 == hashlib.sha256(b"{}").hexdigest()


def test_licences_are_those_of_the_samples_and_of_the_sources(make_about):
    about = make_about()
    assert about.licenses == ["MIT"]
    assert about.num_unlicensed == 1


def test_a_dataset_is_named_after_its_first_sources(make_about):
    names = ("one", "two", "three", "four", "five")
    many = [Source(name, "directory", 1.0, "", "") for name in names]
    assert make_about(sources=many).name == "Samples of one, two, three and 2 more"


def test_a_forge_gives_no_name(make_about):
    assert make_about().name == "Samples of billing, ledger"


def test_directories_without_a_manifest_count_nothing(tmp_path):
    write_jsonl(tmp_path / "sources.jsonl", [])
    section = RenderSection(max_length=9)
    about = describe(section, tmp_path, tmp_path, Work(), Makeup(), ())
    assert (about.collect.counts, about.build.rejects, about.privacy) == ({}, {}, None)


def test_a_damaged_summary_of_privacy_is_one_line(make_about, tmp_path):
    make_about()
    file = tmp_path / "corpus" / "privacy.json"
    file.write_text("{", encoding="utf-8")
    with pytest.raises(DevtuneError) as caught:
        make_about()
    assert str(caught.value) == (
        f"{file}: damaged; move {tmp_path}/corpus away and run its stage again"
    )

import re
from dataclasses import replace

import pytest
from ruamel.yaml import YAML

from devtune.data.cards.readme import card, code, front_matter, text
from devtune.records import Source

HOSTILE = "a|b\n---\n# <img src=x onerror=alert(1)> [x](javascript:1) `{{ 7 * 7 }}` \x1b[31m\u202e"


def matter_of(about):
    return YAML(typ="safe", pure=True).load(card(about).split("---\n")[1])


def test_the_front_matter_names_tables_licence_size_and_languages(make_about):
    assert matter_of(make_about()) == {
        "pretty_name": "Samples of billing, ledger",
        "language": ["code"],
        "license": "other",
        "license_name": "MIT",
        "size_categories": "n<1K",
        "task_categories": ["text-generation"],
        "tags": ["devtune", "tokenized", "go", "python"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": "train", "path": "train.parquet"},
                    {"split": "held_out", "path": "held_out.parquet"},
                ],
            }
        ],
    }


@pytest.mark.parametrize(("number", "shown"), [(1, "1\nrow,"), (2000, "2,000\nrows,")])
def test_pairs_are_named_where_there_are_any(number, shown, make_about):
    about = make_about()
    assert "preferences" not in card(about)
    counts = {**about.render.counts, "preferences": number, "preferences_tokens": 9}
    about = replace(about, render=replace(about.render, counts=counts))
    assert f"`preferences.parquet` pairs sessions of one task, the better one chosen: {shown}" in (
        card(about)
    )
    table = [{"split": "train", "path": "preferences.parquet"}]
    assert matter_of(about)["configs"][1:] == [{"config_name": "preferences", "data_files": table}]


@pytest.mark.parametrize(
    ("licenses", "shown"),
    [
        ({"MIT": 4}, ("mit", None)),
        ({"MIT": 4, "": 1}, ("other", "MIT")),
        ({"MIT": 4, "Apache-2.0": 1}, ("other", "several")),
        ({"LicenseRef-Ours": 4}, ("other", "LicenseRef-Ours")),
        ({"": 4}, ("other", "not stated")),
    ],
)
def test_a_licence_stands_for_all_samples_or_is_other(licenses, shown, make_about):
    about = make_about(sources=[Source("x", "git", 1.0, "", "")])
    about.makeup.licenses.clear()
    about.makeup.licenses.update(licenses)
    found = front_matter(about)
    assert (found.license, found.get("license_name")) == shown


@pytest.mark.parametrize(
    ("number", "size"), [(999, "n<1K"), (1000, "1K<n<10K"), (2_000_000, "1M<n<10M")]
)
def test_the_size_is_that_of_both_splits(number, size, make_about):
    about = make_about()
    counts = {**about.render.counts, "train": number - 1, "held_out": 1}
    about = replace(about, render=replace(about.render, counts=counts))
    assert front_matter(about).size_categories == size


def test_the_card_says_where_it_came_from_and_how_it_was_made(make_about):
    found = card(make_about())
    billing = (
        f"| billing | git | Team Billing | MIT | {'aa' * 20} | {'cc' * 20} 2025-06-30T00:00:00"
    )
    assert billing in found
    assert "| ledger | directory | none stated | none stated |" in found
    assert "| `vendored` | 5 |" in found
    assert "- steps: `commit_edit`, `exact_dedup`" in found
    assert "| `exact_duplicate` | 2 |" in found
    assert "| `too_long` | 2 |" in found
    assert "| secret | `github_pat` | 2 | 5 |" in found
    assert "| `train` | 3 | 1,200 | 400 |" in found
    assert "| `commit_edit` | 2 | 1 |" in found
    assert "`devtune trace SAMPLE_ID`" in found
    assert re.search(r"\| kingfisher-secret-scanner \| [\d.]+ \|", found)
    assert "Team Tune answers for it." in found


def test_sections_stand_in_order_and_tables_after_a_blank_line(make_about):
    found = card(make_about())
    assert re.findall(r"^## (.*)$", found, re.MULTILINE) == [
        "What it is for", "Where it came from", "How it was made", "Privacy", "Splits and sizes",
        "Known limitations", "Tools",
    ]  # fmt: skip
    lines = found.split("\n")
    starts = [n for n, line in enumerate(lines) if re.fullmatch(r"\|(-+:?\|)+|\|(-*:?\|)+", line)]
    assert len(starts) >= 12
    assert {lines[number - 2] for number in starts} == {""}


def test_nothing_of_the_data_is_taken_for_markdown(make_about):
    sources = [Source(HOSTILE, "git", 1.0, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, 7)]
    about = make_about(sources=sources, creator=HOSTILE)
    _, matter, found = card(about).split("---\n", 2)
    for character in ("\x1b", "\u202e"):
        assert character not in matter + found
    assert not re.search(r"(?<!\\)<img", found)
    assert not re.search(r"(?<!\\)\[x", found)
    (row,) = [line for line in found.split("\n") if "| git |" in line]
    assert len(re.findall(r"(?<!\\)\|", row)) == 9
    assert matter_of(about)["pretty_name"].startswith("Samples of a|b --- # <img")


def test_a_name_that_would_end_its_code_is_text():
    assert code("too_long") == "`too_long`"
    assert code("a`b") == text("a`b") == "a\\`b"


def test_the_same_facts_give_the_same_card(make_about):
    assert card(make_about()) == card(make_about())


def test_the_card_knows_no_place_of_this_machine(make_about, tmp_path):
    assert str(tmp_path) not in card(make_about())


def test_the_directory_is_loaded_by_its_card(run_render, make_sample, tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    rows = [make_sample(("user", "q"), ("assistant", "a"), sample_id=f"{n:016x}") for n in range(3)]
    _, out = run_render(rows, rows[:1])
    found = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    assert {name: table.num_rows for name, table in found.items()} == {"train": 3, "held_out": 1}
    assert found["train"]["sample_id"] == [each.sample_id for each in rows]

import json
import re
import shutil
from dataclasses import asdict

import pytest

from devtune.cli import main
from devtune.errors import DevtuneError
from devtune.report.privacy import NUM_CONTEXTS, NUM_PLACES, json_pieces, read_findings
from devtune.stage import Outcome, run_stage
from tests.report.searched import (
    NUM_MORE,
    ODD_PATH,
    ROWS,
    SUMMARY,
    fill_searched,
    fill_searched_again,
)


@pytest.fixture(scope="module")
def findings(searched):
    return read_findings(searched)


def without(name):
    def fill(out):
        outcome = fill_searched(out)
        (out / name).unlink()
        return outcome

    return fill


def with_summary(text):
    def fill(out):
        outcome = fill_searched(out)
        (out / "privacy.json").write_text(text, encoding="utf-8")
        return outcome

    return fill


def test_a_run_and_its_corpus_mean_the_same(searched, findings):
    assert read_findings(searched / "corpus").summary == findings.summary
    assert findings.run == "searched"


def test_kinds_come_with_their_values_places_and_rules_the_most_first(findings):
    assert findings.kinds("secret") == [
        ("github_pat", 2, 3, [("betterleaks.github-pat", 3)]),
        ("password", 1, 1, [("assignment", 1)]),
    ]
    assert findings.kinds("personal") == [("email", 1, NUM_MORE + 1, [("email", NUM_MORE + 1)])]


def test_places_are_held_by_source_up_to_a_number_and_counted_beyond(findings):
    assert list(findings.groups) == ["billing", "ledger"]
    billing = findings.groups["billing"].places
    assert sorted(billing["secret"].drawn(), key=ROWS.index) == ROWS[:3]
    assert billing["personal"].num_offered == NUM_MORE > NUM_PLACES
    assert len(billing["personal"].drawn()) == NUM_PLACES


def test_texts_left_out_for_their_secrets_are_held_and_no_others(findings):
    left_out = [each.left_out.drawn() for each in findings.groups.values()]
    assert [[row.path for row in rows] for rows in left_out] == [["dump.env"], [ODD_PATH]]


def test_the_policy_is_the_one_the_corpus_was_signed_with_where_the_numbers_name_none(tmp_path):
    summary = {**SUMMARY, "policy": {"salted": False}}
    fill, signed = with_summary(json.dumps(summary)), {"personal_data": "c0" * 32}
    for name, section, policy in (("a", signed, "c0" * 32), ("b", {"personal_data": None}, "")):
        run_stage("collect", section, {}, tmp_path / name / "corpus", fill)
        assert read_findings(tmp_path / name).policy == policy


def test_each_kind_is_shown_before_any_is_shown_again(findings):
    shown = findings.to_show("secret")
    assert [row.kind for row in shown] == ["github_pat", "password", "github_pat", "github_pat"]
    assert len(findings.to_show("personal")) == NUM_CONTEXTS


def test_what_the_samples_still_held_is_counted_by_rule(findings):
    assert findings.second == ("", 2, {"assignment": 2, "email": 1})


def test_a_dataset_that_is_not_there_or_of_another_corpus_is_not_counted(searched, tmp_path):
    alone = tmp_path / "alone"
    shutil.copytree(searched / "corpus", alone / "corpus")
    assert read_findings(alone).second.missing == "dataset/ is not beside it"
    run_stage("build", {}, {}, alone / "samples", lambda _: Outcome(""))
    run_stage("render", {}, {"samples": alone / "samples"}, alone / "dataset", fill_searched_again)
    assert read_findings(alone).second == ("dataset/ beside it is of another run", 0, {})
    shutil.rmtree(alone / "samples")
    assert read_findings(alone).second.missing == "samples/ is not beside it"
    (alone / "dataset" / "manifest.json").write_text("{", encoding="utf-8")
    missing = "dataset/ beside it has a damaged manifest.json"
    assert read_findings(alone).second.missing == missing


def test_a_dataset_that_names_its_corpus_needs_no_samples(searched, tmp_path):
    corpus = shutil.copytree(searched / "corpus", tmp_path / "corpus")
    run_stage("render", {}, {"corpus": corpus}, tmp_path / "dataset", fill_searched_again)
    assert read_findings(corpus).second.num_left_out == 2


def test_a_corpus_from_before_is_one_line_that_says_to_collect_again(tmp_path):
    run_stage("collect", {}, {}, tmp_path / "corpus", without("privacy.json"))
    words = "corpus: was written before it was noted what was replaced .* run collect again$"
    with pytest.raises(DevtuneError, match=words):
        read_findings(tmp_path)
    with pytest.raises(DevtuneError, match=words):
        list(json_pieces(tmp_path))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "EOF while parsing"),
        ("[]", "object"),
        (json.dumps({**SUMMARY, "num_lines": "many"}), "num_lines: Input should be a valid int"),
        (json.dumps({**SUMMARY, "values": {"secret": [1]}}), "values.secret: "),
    ],
)
def test_damaged_numbers_are_one_line_that_says_where(tmp_path, text, why):
    run_stage("collect", {}, {}, tmp_path / "corpus", with_summary(text))
    with pytest.raises(DevtuneError, match=r"privacy\.json: damaged .*collect again$") as caught:
        read_findings(tmp_path)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_or_changed_file_is_one_line(searched, tmp_path):
    copy = shutil.copytree(searched, tmp_path / "copy")
    file = copy / "corpus" / "redactions.jsonl"
    file.write_bytes(file.read_bytes().replace(b"app/x.py", b"app/y.py"))
    with pytest.raises(DevtuneError, match=r"redactions\.jsonl: damaged; move .* away and run"):
        read_findings(copy)
    file.unlink()
    with pytest.raises(DevtuneError, match=r"redactions\.jsonl: missing; move .* away and run"):
        read_findings(copy)


def test_the_directory_of_another_stage_is_one_line(searched, tmp_path):
    with pytest.raises(DevtuneError, match="samples: written by build; give the directory of a"):
        read_findings(searched / "samples")
    with pytest.raises(DevtuneError, match="corpus: is not there; run the stage that writes it"):
        read_findings(tmp_path)


def test_the_command_prints_all_places_as_one_object(searched, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["privacy", str(searched), "--json"])
    assert stop.value.code == 0
    (line,) = capsys.readouterr().out.splitlines()
    printed = json.loads(line)
    assert {key: printed[key] for key in SUMMARY} == SUMMARY
    assert printed["found"] == [asdict(row) for row in ROWS]
    assert [row["path"] for row in printed["left_out"]] == ["dump.env", ODD_PATH]
    assert printed["second_search"]["rules"] == {"assignment": 2, "email": 1}
    assert re.fullmatch("[0-9a-f]{64}", printed["fingerprint"])

import json
import os
import stat

import pytest

from devtune.cli import main
from devtune.jsonl import write_jsonl
from devtune.records import SPLITS, Message, Sample
from devtune.stage import Outcome, read_manifest, run_stage, verify_files
from tests.conftest import make_place

RECIPE = """\
use: [{room}/recipes/quickstart/recipe.yaml]
run_dir: run
"""


def fill(out):
    messages = (Message("user", "Hi"), Message("assistant", "Yes"))
    for split, number in zip(SPLITS, "ab", strict=True):
        sample = Sample(number * 16, "commit_edit", messages, (make_place(),))
        write_jsonl(out / f"{split}.jsonl", [sample])
    return Outcome("")


@pytest.fixture
def site(tmp_path, request):
    (tmp_path / "recipe.yaml").write_text(RECIPE.format(room=request.config.rootpath))
    run_stage("build", {}, {}, tmp_path / "run" / "samples", fill)
    return tmp_path


@pytest.fixture
def export(site, capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["export-samples", str(site / "recipe.yaml"), *map(str, arguments)])
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    return run


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_the_samples_are_written_beside_and_signed(site, export, format):
    out = site / "run" / f"samples-{format}"
    assert export("--format", format) == (
        0, f"  export  1 samples to train on and 1 held out, as {format}: {out}\n", "",
    )  # fmt: skip
    verify_files(out)
    manifest = read_manifest(out)
    samples = read_manifest(site / "run" / "samples")
    assert manifest["inputs"] == {"samples": samples["fingerprint"]}
    assert {f"train.{format}", f"held_out.{format}", "README.md"} <= set(manifest["files"])
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in out.iterdir()} == {0o600}


def test_what_is_there_is_kept_and_anything_else_refused(site, export):
    target = site / "elsewhere"
    assert export("--out", target)[0] == 0
    before = {each.name: each.stat().st_mtime_ns for each in target.iterdir()}
    assert "already done: " in export("--out", target)[1]
    code, _, err = export("--out", target, "--format", "parquet")
    assert (code, err.count("\n")) == (1, 1)
    assert f"{target}: holds another result: " in err
    assert {each.name: each.stat().st_mtime_ns for each in target.iterdir()} == before
    (site / "mine").mkdir()
    (site / "mine" / "notes.txt").touch()
    code, _, err = export("--out", site / "mine")
    assert (code, err.count("\n")) == (1, 1)
    assert "mine: exists but has no manifest.json; not devtune's: move it away" in err


def test_nothing_is_half_written(site, export):
    file = site / "run" / "samples" / "held_out.jsonl"
    file.write_bytes(file.read_bytes()[:-5])
    code, _, err = export()
    assert (code, err.count("\n")) == (1, 1)
    assert "held_out.jsonl: damaged; move" in err
    assert [each.name for each in (site / "run").iterdir()] == ["samples"]


def test_a_disk_that_refuses_is_one_line_and_leaves_nothing(site, export):
    blocked = site / "file"
    blocked.touch()
    code, _, err = export("--out", blocked / "out")
    assert (code, err.count("\n")) == (1, 1)
    assert "a part of the path is a file; set another path" in err


def test_the_root_of_a_file_system_is_refused(export):
    code, _, err = export("--out", "/")
    assert (code, err.count("\n")) == (2, 1)
    assert "/: the root of a file system; set --out to a new directory" in err


def test_samples_that_are_not_there_are_one_line(site, export):
    (site / "run" / "samples").rename(site / "run" / "samples.partial")
    code, _, err = export()
    assert (code, err.count("\n")) == (1, 1)
    assert "samples: is not finished; run the stage that writes it first" in err


def test_quiet_says_nothing_and_json_one_event(site, export):
    assert export("--quiet", "--out", site / "one") == (0, "", "")
    code, out, err = export("--json", "--out", site / "two")
    assert (code, err) == (0, "")
    event = json.loads(out)
    assert (event["stage"], event["done"], event["out"]) == ("export", True, str(site / "two"))


def test_a_format_nobody_knows_is_refused(export):
    code, _, err = export("--format", "csv")
    assert code == 2
    assert "invalid choice: 'csv'" in err


def test_those_who_may_read_the_samples_may_read_them_exported(site, export):
    before = os.umask(0o077)
    try:
        assert export("--set", "readable_by=group")[0] == 0
    finally:
        os.umask(before)
    out = site / "run" / "samples-jsonl"
    assert stat.S_IMODE(out.stat().st_mode) == 0o750
    assert {stat.S_IMODE(each.stat().st_mode) for each in out.iterdir()} == {0o640}

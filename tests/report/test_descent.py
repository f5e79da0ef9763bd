import pytest

from devtune.report.descent import adrift, descendants, find_finished
from devtune.stage import Outcome, run_stage


def nothing(out):
    (out / "file").write_text(str(out), encoding="utf-8")
    return Outcome("")


@pytest.fixture
def runs(tmp_path):
    for name in ("one", "two"):
        run = tmp_path / "runs" / name
        run_stage("import", {}, {}, run / "base", nothing)
        run_stage("render", {"run": name}, {"base": run / "base"}, run / "dataset", nothing)
        made = {"dataset": run / "dataset", "base": run / "base"}
        run_stage("train", {}, made, run / "adapter", nothing)
        merged = {"adapter": run / "adapter", "base": run / "base"}
        run_stage("merge", {}, merged, run / "model", nothing)
    return tmp_path / "runs"


def places(found, runs):
    return [each.directory.relative_to(runs).as_posix() for each in found]


def test_all_finished_directories_are_found_by_run_and_stage(runs):
    (runs / "one" / "adapter" / "checkpoint").mkdir()
    (runs / "one" / "adapter" / "checkpoint" / "manifest.json").write_text("{}", encoding="utf-8")
    (runs / "other").mkdir()
    (runs / "other" / "manifest.json").write_text('{"name": "theirs"}', encoding="utf-8")
    (runs / "three").symlink_to(runs / "one")
    names = ("base", "dataset", "adapter", "model")
    expected = [f"{run}/{name}" for run in ("one", "two") for name in names]
    assert places(find_finished(runs), runs) == expected


def test_what_was_made_of_a_dataset_is_found_over_several_stages(runs):
    found = find_finished(runs)
    root = next(x.fingerprint for x in found if x.directory == runs / "two" / "dataset")
    assert places(descendants(found, [root]), runs) == ["two/adapter", "two/model"]
    assert descendants(found, []) == []


def test_weights_whose_adapter_is_gone_are_adrift(runs):
    assert adrift(find_finished(runs)) == []
    (runs / "one" / "adapter" / "manifest.json").unlink()
    assert places(adrift(find_finished(runs)), runs) == ["one/model"]

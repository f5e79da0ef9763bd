import json
import shutil

import pytest

from devtune.errors import DevtuneError
from devtune.report.lineage import find_lineage, find_part, open_dataset
from devtune.stage import Outcome, read_manifest, run_stage


@pytest.fixture
def chain(tmp_path):
    run_stage("build", {}, {}, tmp_path / "samples", lambda out: Outcome(""))
    run_stage("render", {}, {"samples": tmp_path / "samples"}, tmp_path / "dataset",
              lambda out: Outcome(""))  # fmt: skip
    return tmp_path


def test_a_part_is_found_by_the_fingerprint_its_reader_noted(chain):
    part = find_part("samples", chain / "dataset", open_dataset(chain / "dataset"))
    assert (part.directory, part.missing) == (chain / "samples", "")
    assert part.manifest == read_manifest(chain / "samples")


def test_a_part_that_is_not_there_or_of_another_run_is_said_to_be_missing(chain):
    manifest = open_dataset(chain / "dataset")
    assert find_part("corpus", chain / "dataset", manifest).missing == "corpus/ is not beside it"
    run_stage("collect", {}, {}, chain / "corpus", lambda out: Outcome(""))
    part = find_part("corpus", chain / "dataset", manifest)
    assert part.missing == "corpus/ beside it is of another run"


def test_a_part_with_a_damaged_manifest_is_said_to_be_missing(chain):
    (chain / "samples" / "manifest.json").write_text("{", encoding="utf-8")
    part = find_part("samples", chain / "dataset", open_dataset(chain / "dataset"))
    assert part.missing == "samples/ beside it has a damaged manifest.json"


def test_a_directory_of_another_stage_is_no_dataset(chain):
    with pytest.raises(DevtuneError, match="samples: written by build; give a dataset/ directory"):
        open_dataset(chain / "samples")
    manifest = json.loads((chain / "dataset" / "manifest.json").read_text(encoding="utf-8"))
    assert open_dataset(chain / "dataset") == manifest


def nothing(out):
    return Outcome("")


LINKS = {
    "base": ("import", ()),
    "corpus": ("collect", ()),
    "samples": ("build", ("corpus",)),
    "dataset": ("render", ("samples", "base", "corpus")),
    "adapter": ("train", ("dataset", "base")),
    "model": ("merge", ("adapter", "base")),
    "serving": ("export", ("model", "adapter", "base")),
}


def write(run, *names, **values):
    for name in names:
        stage, inputs = LINKS[name]
        run_stage(stage, values, {each: run / each for each in inputs}, run / name, nothing)


@pytest.fixture
def run(tmp_path):
    write(tmp_path / "run", *LINKS)
    return tmp_path / "run"


def refused(*arguments):
    with pytest.raises(DevtuneError) as caught:
        find_lineage(*arguments)
    return str(caught.value)


def start_of(fingerprint):
    return f"{fingerprint[:12]}…"


def test_a_model_is_followed_to_all_it_was_made_of(run):
    found = find_lineage(run / "serving")
    assert list(found) == [*reversed(LINKS)][:3] + ["dataset", "samples", "corpus", "base"]
    assert {part.directory for part in found.values()} == {run / name for name in LINKS}
    assert all(part.manifest == read_manifest(part.directory) for part in found.values())
    assert list(find_lineage(run / "adapter")) == [
        "adapter",
        "dataset",
        "samples",
        "corpus",
        "base",
    ]


@pytest.mark.parametrize("name", ["base", "corpus", "samples", "dataset"])
def test_a_directory_without_weights_that_were_taught_is_no_model(run, name):
    assert refused(run / name) == (
        f"{run}/{name}: written by {LINKS[name][0]}; give a serving/, model/ or adapter/ directory"
    )


@pytest.mark.parametrize(
    ("name", "reader"),
    [("model", "serving"), ("dataset", "adapter"), ("samples", "dataset"), ("corpus", "dataset")],
)
def test_an_absent_link_is_one_line_that_names_it(run, name, reader):
    noted = read_manifest(run / name)["fingerprint"]
    shutil.rmtree(run / name)
    assert refused(run / "serving") == (
        f"{run}/{reader}: {name}/ is not beside it; put the {name}/ of fingerprint"
        f" {start_of(noted)} at {run}/{name}, or give --run the directory that holds it"
    )


@pytest.mark.parametrize(
    ("name", "reader"),
    [("model", "serving"), ("dataset", "adapter"), ("samples", "dataset"), ("corpus", "dataset")],
)
def test_a_link_of_another_run_is_one_line_that_names_it(run, name, reader):
    shutil.rmtree(run / name)
    write(run, name, other=1)
    assert f"{run}/{reader}: {name}/ beside it is of another run; put the " in refused(
        run / "serving"
    )


def test_an_adapter_the_export_did_not_measure_is_named(run):
    # What was merged fits; the export read another adapter.
    manifest = json.loads((run / "serving" / "manifest.json").read_text(encoding="utf-8"))
    shutil.rmtree(run / "serving")
    shutil.copytree(run, run.with_name("other"))
    other = run.with_name("other")
    for name in ("adapter", "model"):
        shutil.rmtree(other / name)
    write(other, "adapter", "model", other=1)
    inputs = {"model": run / "model", "adapter": other / "adapter", "base": run / "base"}
    run_stage("export", {}, inputs, run / "serving", nothing)
    assert manifest["inputs"] != read_manifest(run / "serving")["inputs"]
    assert f"{run}/serving: adapter/ beside it is of another run; " in refused(run / "serving")


@pytest.mark.parametrize("name", ["serving", "adapter", "corpus", "base"])
def test_a_manifest_that_was_changed_is_one_line(run, name):
    file = run / name / "manifest.json"
    manifest = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**manifest, "section": {"seed": 2}}), encoding="utf-8")
    assert refused(run / "serving") == (
        f"{file}: does not have the fingerprint of what it says; restore it, or move the directory"
        " away and run its stage again"
    )


def test_a_base_may_stand_elsewhere_or_belong_to_another_run(run):
    shutil.rmtree(run / "base")
    assert find_lineage(run / "serving")["base"].missing == "base/ is not beside it"
    write(run, "base", other=1)
    assert find_lineage(run / "serving")["base"].missing == "base/ beside it is of another run"


def test_a_base_only_some_of_the_stages_read_is_not_taken_for_that_of_all(run):
    shutil.rmtree(run / "serving")
    shutil.rmtree(run / "base")
    write(run, "base", other=1)
    write(run, "serving")
    assert find_lineage(run / "serving")["base"].missing == "base/ beside it is of another run"


def test_weights_that_were_carried_away_are_followed_in_the_run_they_came_from(run, tmp_path):
    away = tmp_path / "server" / "v1"
    away.parent.mkdir()
    (run / "serving").rename(away)
    assert refused(away).startswith(f"{away}: adapter/ is not beside it; ")
    found = find_lineage(away, run)
    assert found["serving"].directory == away
    assert found["corpus"].directory == run / "corpus"

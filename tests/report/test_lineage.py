import json

import pytest

from devtune.errors import DevtuneError
from devtune.report.lineage import find_part, open_dataset
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

from pathlib import Path

from devtune.config import load
from devtune.fates import find_fates
from tests.report.conftest import make_pair, make_run, make_trajectory

QUICKSTART = Path(__file__).resolve().parents[1] / "recipes" / "quickstart" / "recipe.yaml"


def test_a_rejected_session_that_went_is_missed_in_every_run_that_pairs_it(tmp_path, tekken_file):
    runs, kept = tmp_path / "runs", [make_trajectory(0)]
    mine, other, draft = (
        make_run(folder, tekken_file, kept, pairs=pairs)
        for folder, pairs in (
            (runs / "mine", [make_pair(0), make_pair(1)]),
            (runs / "other", [make_pair(1)]),
            (tmp_path / "draft" / "mine", [make_pair(0)]),
        )
    )
    (other / "samples" / "preferences.jsonl").unlink()  # its dataset alone tells
    fates = find_fates(load(QUICKSTART, [f"run_dir={mine}"]).recipe, draft, runs)
    assert fates.gone == {"train": ("000000000000fa01",), "held_out": ()}
    assert other / "dataset" in {each.directory for each in fates.others}

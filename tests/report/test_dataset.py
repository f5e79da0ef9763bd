import json
import shutil

import pytest

from devtune.cli import main
from devtune.errors import DevtuneError
from devtune.jsonl import read_jsonl
from devtune.records import Source
from devtune.report.dataset import NUM_DRAWN, read_numbers
from tests.report.conftest import HELD_OUT, HOSTILE, MAX_LENGTH, TRAIN

TOO_LONG = "d0" * 8


@pytest.fixture(scope="module")
def numbers(run_dir):
    return read_numbers(run_dir / "dataset")


@pytest.fixture
def copy(run_dir, tmp_path):
    return shutil.copytree(run_dir, tmp_path / "demo")


def samples_of(groups):
    return {
        name: (tallies["train"].num_samples, tallies["held_out"].num_samples)
        for name, tallies in groups.items()
    }


def test_splits_are_counted_as_rendered(run_dir, numbers):
    counts = json.loads((run_dir / "dataset" / "manifest.json").read_text("utf-8"))["counts"]
    for split, rows in (("train", TRAIN[:-1]), ("held_out", HELD_OUT)):
        tally = numbers.totals[split]
        assert tally.num_samples == counts[split] == len(rows)
        assert tally.num_tokens == counts[f"{split}_tokens"]
        assert tally.num_trained_tokens == counts[f"{split}_trained_tokens"]
        assert sum(numbers.lengths[split].values()) == len(rows)


def test_each_way_of_counting_covers_every_sample(numbers):
    total = (len(TRAIN) - 1, len(HELD_OUT))
    for groups in (numbers.families, numbers.repositories, numbers.languages, numbers.licenses):
        assert tuple(map(sum, zip(*samples_of(groups).values(), strict=True))) == total


def test_samples_are_counted_by_family_repository_language_and_licence(numbers):
    assert samples_of(numbers.families) == {
        "commit_edit": (30, 1), "hostile_family": (1, 0), "commit_replay": (1, 0),
        "only_held": (0, 1),
    }  # fmt: skip
    assert samples_of(numbers.repositories) == {"billing": (31, 1), "ledger": (1, 1)}
    assert samples_of(numbers.languages) == {"python": (30, 2), "other": (1, 0), "go": (1, 0)}
    assert samples_of(numbers.licenses) == {
        "MIT": (31, 1), "(MIT OR Apache-2.0) AND none stated": (1, 0), "none stated": (0, 1),
    }  # fmt: skip


def test_what_was_left_out_is_counted_by_stage(numbers):
    found = {
        stage: {reason: each.count for reason, each in reasons.items()}
        for stage, reasons in numbers.rejects.items()
    }
    assert found == {
        "collect": {"vendored": 5, "excluded_repository": 1, "hostile_path": 1},
        "build": {"exact_duplicate": 1},
        "render": {"too_long": 1},
    }
    assert numbers.rejects["render"]["too_long"].examples[0].detail.startswith(TOO_LONG)
    assert (numbers.duplicates.num_clusters, numbers.duplicates.num_dropped) == (3, 22)
    assert numbers.hits.by_reference == {"humaneval": 1}


def test_sources_are_those_of_the_corpus(run_dir, numbers):
    assert numbers.sources == list(read_jsonl(run_dir / "corpus" / "sources.jsonl", Source))
    assert numbers.sources[1].owner == HOSTILE


def test_drawn_samples_know_where_they_came_from(numbers):
    drawn = numbers.draws["commit_edit"].drawn()
    assert len(drawn) == NUM_DRAWN
    known = {"train": TRAIN[:-1], "held_out": HELD_OUT}
    for each in drawn:
        sample = known[each.split][each.row]
        assert (each.sample_id, each.places) == (sample.sample_id, sample.provenance)


def test_numbers_are_json(numbers):
    found = json.loads(json.dumps(numbers.as_dict()))
    assert found["max_length"] == MAX_LENGTH
    assert found["missing"] == []
    assert found["splits"]["train"]["num_samples"] == 32
    assert found["splits"]["held_out"]["lengths"]["longest"] == max(numbers.lengths["held_out"])
    assert sum(each["counts"]["train"] for each in found["length_bins"]) == 32
    assert found["rejects"]["collect"]["excluded_repository"] == 1
    assert found["near_duplicates"] == {"num_clusters": 3, "num_dropped": 22}


def test_without_the_corpus_the_samples_still_tell_what_they_know(copy):
    shutil.rmtree(copy / "corpus")
    numbers = read_numbers(copy / "dataset")
    assert numbers.corpus.missing == "corpus/ is not beside it"
    assert numbers.sources == []
    assert list(numbers.rejects) == ["build", "render"]
    assert list(numbers.repositories) == ["billing", "ledger"]


def test_without_the_samples_the_dataset_still_tells_what_it_knows(copy):
    shutil.rmtree(copy / "samples")
    numbers = read_numbers(copy / "dataset")
    assert numbers.samples.missing == "samples/ is not beside it"
    assert numbers.corpus.missing == "without samples/, no corpus/ can be told to be its own"
    assert (numbers.repositories, numbers.duplicates, numbers.hits) == ({}, None, None)
    assert list(numbers.rejects) == ["render"]
    assert numbers.as_dict()["near_duplicates"] is None
    assert numbers.draws["commit_edit"].drawn()[0].places == ()


def test_samples_in_another_order_than_the_dataset_are_one_line(copy):
    file = copy / "samples" / "train.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[::-1]))
    with pytest.raises(DevtuneError, match=r"train.jsonl: has no sample 0{15}1 where the dataset"):
        read_numbers(copy / "dataset")


def test_a_damaged_dataset_is_one_line(copy):
    file = copy / "dataset" / "train.parquet"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DevtuneError, match=r"train.parquet: damaged; move .* and run its stage"):
        read_numbers(copy / "dataset")


def test_the_command_prints_where_the_page_is_or_only_the_numbers(copy, capsys):
    for options in ([], ["--json"]):
        with pytest.raises(SystemExit) as ended:
            main(["report", str(copy / "dataset"), *options])
        assert ended.value.code == 0
        out = capsys.readouterr().out
        if options:
            assert json.loads(out) == json.loads(
                json.dumps(read_numbers(copy / "dataset").as_dict())
            )
            assert not (copy / "dataset.html").exists()
        else:
            assert out == f"{copy}/dataset.html\n"
            (copy / "dataset.html").unlink()

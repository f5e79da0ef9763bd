from devtune.jsonl import write_jsonl
from devtune.records import Contamination, DuplicateCluster, Rejected
from devtune.report.omissions import (
    NUM_CLUSTERS,
    NUM_DROPPED,
    NUM_EXAMPLES,
    NUM_HITS,
    read_duplicates,
    read_hits,
    read_reasons,
)
from tests.conftest import make_place


def test_reasons_are_counted_most_frequent_first_with_a_few_examples(tmp_path):
    rows = [Rejected("rare", "app", "a.py"), *(Rejected("many", "app", f"{n}") for n in range(40))]
    write_jsonl(tmp_path / "rejected.jsonl", rows)
    found = read_reasons(tmp_path)
    assert {reason: each.count for reason, each in found.items()} == {"many": 40, "rare": 1}
    assert list(found) == ["many", "rare"]
    assert len(found["many"].examples) == NUM_EXAMPLES
    assert found["rare"].examples == rows[:1]
    write_jsonl(tmp_path / "rejected.jsonl", rows[::-1])
    assert read_reasons(tmp_path) == found


def test_a_stage_without_rejects_has_no_reasons(tmp_path):
    assert read_reasons(tmp_path) == {}


def test_clusters_come_largest_first_and_all_are_counted(tmp_path):
    places = tuple(make_place(f"{number}.py") for number in range(100))
    sizes = [1 + number * 7 % 90 for number in range(80)]
    rows = [DuplicateCluster(places[size], places[:size]) for size in sizes]
    write_jsonl(tmp_path / "duplicates.jsonl", rows)
    found = read_duplicates(tmp_path)
    assert (found.num_clusters, found.num_dropped) == (80, sum(sizes))
    assert [each.num_dropped for each in found.largest] == sorted(sizes)[::-1][:NUM_CLUSTERS]
    assert max(len(each.dropped) for each in found.largest) == NUM_DROPPED
    assert found.largest[0].kept == places[max(sizes)]


def test_hits_are_counted_by_reference_and_drawn(tmp_path):
    rows = [
        Contamination(f"{number}", "f", "app", "x.py", "few" if number < 9 else "most", "1", "a b")
        for number in range(300)
    ]
    write_jsonl(tmp_path / "contamination.jsonl", rows)
    found = read_hits(tmp_path)
    assert found.by_reference == {"most": 291, "few": 9}
    assert len(found.examples) == NUM_HITS
    assert set(found.examples) < set(rows)


def test_a_pipeline_that_looked_for_nothing_has_no_result(tmp_path):
    assert read_duplicates(tmp_path) is None
    assert read_hits(tmp_path) is None

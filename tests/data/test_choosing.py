from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from devtune.data.choosing import CONTAMINATION, choose_samples
from devtune.data.corpus import Made, make_sample
from devtune.data.making import EVIDENCE, INDEX, MADE, Evidence
from devtune.data.parts import Run
from devtune.data.pool import Pool, Samples
from devtune.data.selection.index import Selection, index_of
from devtune.jsonl import read_jsonl, to_json, write_jsonl
from devtune.pipeline import BuildSection, LocalExecutor
from devtune.progress import Progress
from devtune.records import Contamination, Provenance

LONG = "\n".join(f"value_{number} = compute({number}, {number * 7})" for number in range(8))


def made(answer, split="train", family="f", path="x.py", evidence=(), blob="", request="Do it."):
    place = Provenance("app", "c1", path, blob, "Ada <a@b>", "2024-01-01T00:00:00+00:00")
    return Made(split, make_sample(family, request, answer, place), tuple(evidence))


@pytest.fixture
def pool(tmp_path):
    # Parts as `making` leaves them.
    def make(*samples_of_parts):
        parts = []
        for number, samples in enumerate(samples_of_parts):
            part = tmp_path / f"part-{number}"
            part.mkdir()
            write_jsonl(part / MADE, samples)
            write_jsonl(part / INDEX, [index_of(each, n) for n, each in enumerate(samples)])
            evidence = [
                Evidence(n, each.evidence, tuple(p.blob for p in each.sample.provenance))
                for n, each in enumerate(samples)
                if each.split == "held_out"
            ]
            write_jsonl(part / EVIDENCE, evidence)
            parts.append(part)
        return Pool.of(parts)

    return make


@pytest.fixture
def choose(tmp_path, make_corpus):
    def run(pool, *steps, files=(), changes=()):
        corpus = make_corpus(files, changes)
        section = BuildSection.model_validate({"steps": steps})
        executor = LocalExecutor(type="local", workers=1)
        (tmp_path / "scratch").mkdir(exist_ok=True)
        places = Run(tmp_path / "scratch", executor, Progress("quiet"), "build")
        choose_samples(section.steps, pool, corpus, tmp_path, places)
        return pool.dropped

    return run


def test_samples_of_all_parts_are_numbered_one_after_the_other(pool):
    found = pool([made("a"), made("b")], [], [made("c")])
    assert found.bases == [0, 2, 2]
    assert list(found.rows) == [0, 1, 2]
    assert [row.position for row in found.rows.values()] == [0, 1, 2]
    assert found.rows[2].sample_id == made("c").sample.sample_id


def test_what_a_selection_lets_go_is_gone_with_its_reason(pool):
    found = pool([made("a"), made("b"), made("c")])
    found.take(Selection([0, 2], [(1, "why")], {1: 0}, ["a note"]))
    assert (list(found.rows), found.dropped) == ([0, 2], {1: "why"})
    assert (found.folded, found.notes) == ({1: 0}, ["a note"])


def test_evidence_is_of_held_out_samples_that_stay(pool):
    first = [made("a", "held_out", evidence=["x"]), made("b")]
    second = [made("c", "held_out", evidence=["y"]), made("d", "held_out", evidence=["z"])]
    found = pool(first, second)
    assert [(each.position, each.texts) for each in found.evidence()] == [
        (0, ("x",)), (2, ("y",)), (3, ("z",)),
    ]  # fmt: skip
    found.drop(2, "why")
    assert [each.position for each in found.evidence()] == [0, 3]


def test_a_part_gives_only_samples_that_stay(pool, tmp_path):
    found = pool([made("a"), made("b")], [made("c"), made("d")])
    np.save(tmp_path / "alive.npy", np.array([1, 2], np.int64))
    samples = Samples(tuple(found.parts), tuple(found.bases), tmp_path / "alive.npy")
    answers = [
        [(position, each.sample.messages[-1].content) for position, each in samples.of(unit)]
        for unit in (0, 1)
    ]
    assert answers == [[(1, "b")], [(2, "c")]]


def test_equal_samples_become_one_across_parts(pool, choose):
    found = pool([made("a", path="x.py"), made("b")], [made("a", path="y.py")])
    assert choose(found, {"type": "exact_dedup"}) == {2: "exact_duplicate"}
    assert found.folded == {2: 0}


def test_ceilings_are_applied_to_all_parts_at_once(pool, choose):
    found = pool([made(str(n)) for n in range(3)], [made(str(n), "held_out") for n in range(3, 6)])
    step = {"type": "max_per_family", "train": 1, "held_out": 2}
    assert sorted(choose(found, step).values()) == ["over_family_maximum"] * 3
    assert sorted(row.split for row in found.rows.values()) == ["held_out", "held_out", "train"]


OVERLAP = {"type": "held_out_overlap"}


def test_a_held_out_answer_that_stands_in_trained_code_goes(pool, choose):
    moved = "\n".join(f"    {line}" for line in LONG.splitlines())
    new = LONG.replace("compute", "measure")
    found = pool(
        [made("one", "held_out", evidence=[LONG])],
        [made("two", "held_out", evidence=[new]), made("three", evidence=[LONG])],
    )
    files = [("a.py", "train", f"class A:\n{moved}\n"), ("b.py", "held_out", f"{new}\n")]
    assert choose(found, OVERLAP, files=files) == {0: "already_at_the_cut"}


def test_a_held_out_answer_that_an_earlier_commit_had_goes(pool, choose):
    found = pool([made("one", "held_out", evidence=[LONG])])
    change = ("train", "Take it out", ("a.py", f"{LONG}\n", ""))
    assert choose(found, OVERLAP, changes=[change]) == {0: "already_at_the_cut"}


def test_a_held_out_answer_of_a_trained_version_goes(pool, choose, make_corpus):
    text = "x = 1\n"
    corpus = make_corpus([("a.py", "train", text)])
    blob = (corpus / "files.jsonl").read_text().split('"blob":"')[1].split('"')[0]
    found = pool([made("1", "held_out", blob=blob), made("2", "held_out", blob="other")])
    assert choose(found, OVERLAP, files=[("a.py", "train", text)]) == {0: "already_at_the_cut"}


def test_a_held_out_answer_nearly_like_a_trained_one_of_its_family_goes(pool, choose):
    near = LONG.replace("value_3", "value_x")
    found = pool(
        [made(LONG), made(near, "held_out"), made(near, "held_out", family="g")],
        [made("something else altogether", "held_out")],
    )
    assert choose(found, OVERLAP) == {1: "near_duplicate_of_training"}


BENCHMARK = "write a function that returns the seventh prime number of all of them"


def test_samples_with_words_of_a_text_go_and_are_written_down(pool, choose, tmp_path):
    file = tmp_path / "own.txt"
    file.write_text(f"{BENCHMARK}\n")
    found = pool(
        [made("nothing"), made("x", request=f"Please {BENCHMARK}!")],
        [made(f"# {BENCHMARK.upper()}\n", "held_out", path="y.py")],
    )
    step = {"type": "decontaminate", "texts": [file]}
    assert choose(found, step) == {1: "contaminated", 2: "contaminated"}
    rows = list(read_jsonl(tmp_path / CONTAMINATION, Contamination))
    assert [(row.family, row.source, row.path, row.reference, row.document) for row in rows] == [
        ("f", "app", "x.py", "own texts", "own.txt"),
        ("f", "app", "y.py", "own texts", "own.txt"),
    ]
    assert {row.ngram for row in rows} == {" ".join(BENCHMARK.split()[:10])}
    assert found.notes == ["own texts: 2 matches"]


def test_two_steps_that_compare_with_texts_write_down_what_both_found(pool, choose, tmp_path):
    words = {"one.txt": BENCHMARK, "two.txt": BENCHMARK.replace("prime", "square")}
    steps = []
    for name, text in words.items():
        (tmp_path / name).write_text(text)
        steps.append({"type": "decontaminate", "texts": [tmp_path / name]})
    found = pool([made(text) for text in words.values()])
    assert choose(found, *steps) == {0: "contaminated", 1: "contaminated"}
    rows = read_jsonl(tmp_path / CONTAMINATION, Contamination)
    assert [row.document for row in rows] == ["one.txt", "two.txt"]


def test_what_stands_in_many_files_is_boilerplate_and_no_match(pool, choose, tmp_path):
    file = tmp_path / "own.txt"
    file.write_text(f"{BENCHMARK}\n")
    found = pool([made(BENCHMARK, path=f"m{n}.py") for n in range(4)])
    steps = [
        {"type": "decontaminate", "texts": [file], "max_document_frequency": most}
        for most in (3, 4)
    ]
    assert choose(found, steps[0]) == {}
    again = Pool.of(found.parts)
    (tmp_path / "scratch" / "parts").rename(tmp_path / "aside")
    assert len(choose(again, steps[1])) == 4


def test_without_texts_nothing_is_compared(pool, choose, tmp_path):
    found = pool([made("a")])
    assert choose(found, {"type": "decontaminate"}) == {}
    assert not (tmp_path / "scratch" / "parts").exists()


def test_steps_see_what_the_ones_above_left(pool, choose, tmp_path):
    file = tmp_path / "own.txt"
    file.write_text(BENCHMARK)
    samples = [made(f"{BENCHMARK} {n}") for n in range(3)] + [made(str(n)) for n in range(3)]
    clean = {"type": "decontaminate", "texts": [file]}
    ceiling = {"type": "max_per_family", "train": 3, "held_out": 3}
    first = pool(samples)
    assert list(choose(first, clean, ceiling).values()) == ["contaminated"] * 3
    (tmp_path / "scratch" / "parts").rename(tmp_path / "aside")
    second = Pool.of(first.parts)
    reasons = list(choose(second, ceiling, clean).values())
    assert reasons.count("over_family_maximum") == 3
    assert reasons.count("contaminated") < 3


def test_memory_holds_one_row_a_sample_and_not_its_text(pool):
    found = pool([made("x" * 100_000)])
    assert "xxx" not in repr(found.rows)
    assert len(to_json(found.rows[0])) < 500
    assert isinstance(found.parts[0], Path)


def told(answer, outcome="", date="2024-01-01", **values):
    found = made(answer, **values)
    (place,) = found.sample.provenance
    sample = replace(found.sample, outcome=outcome, provenance=(replace(place, date=date),))
    return replace(found, sample=sample)


def test_of_answers_nearly_the_same_the_resolved_stays_then_the_newest(pool, choose):
    near = f"{LONG}\nlast = 1"
    found = pool(
        [told(LONG, "unresolved", "2024-03-01"), told(near, "resolved", "2024-01-01")],
        [told(f"{LONG}\nlast = 2", "unknown", "2024-02-01"), told("quite another one", "resolved")],
        [told(f"{LONG}\nlast = 3", family="g"), told(f"{LONG}\nlast = 4", split="held_out")],
    )
    step = {"type": "near_duplicate_samples", "min_jaccard": 0.7}
    assert choose(found, step) == {0: "near_duplicate", 2: "near_duplicate"}
    assert sorted(found.rows) == [1, 3, 4, 5]


def test_the_newest_of_equal_outcomes_stays(pool, choose):
    found = pool([told(f"{LONG}\nlast = {n}", date=f"2024-0{n}-01") for n in (2, 3, 1)])
    assert choose(found, {"type": "near_duplicate_samples"}) == {
        0: "near_duplicate", 2: "near_duplicate",
    }  # fmt: skip

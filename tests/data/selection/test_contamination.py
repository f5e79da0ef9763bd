import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtune.data.selection.benchmark_texts import Document
from devtune.data.selection.contamination import (
    Contamination,
    Hit,
    Match,
    References,
    find_hits,
    write_matches,
)
from devtune.data.selection.shingles import BLOCK_BYTES
from devtune.jsonl import read_jsonl

TASK = "Return the sum of all even numbers in the given list of integers"
SAID = "return the sum of all even numbers in the given"


def references(*parts, ngram=10):
    return References.of([Document("HumanEval", "0", parts)], ngram)


def texts_of(found, text):
    return [found.text_of(place) for place in sorted(found.match(text), key=found.order_of)]


def test_ten_words_in_a_row_are_found_whatever_stands_between_them():
    found = references(TASK)
    assert texts_of(found, f"x\n# {SAID.upper().replace(' ', ', ')}") == [SAID]
    assert len(found.match(TASK)) == len(TASK.split()) - 9
    assert found.match(" ".join(SAID.split()[:9])) == []
    assert found.match(SAID.replace("even", "odd")) == []
    assert found.match("") == []


def test_runs_do_not_go_from_one_part_into_the_next():
    words = SAID.split()
    found = references(" ".join(words[:6]), " ".join(words[6:]), TASK.replace("even", "odd"))
    assert found.match(SAID) == []


def test_the_words_of_a_run_are_said_whatever_stood_before_them():
    long = "x" * (BLOCK_BYTES + 9)
    found = references("first part", f"İ (ß) {long} \ud800 {TASK}")
    assert SAID in texts_of(found, SAID)
    assert texts_of(found, SAID) == [SAID]


def test_a_short_reference_is_found_as_a_whole():
    found = references("two sum of list")
    assert texts_of(found, "def f(): # Two Sum: of (list) x") == ["two sum of list"]
    assert found.match("two sum of a list") == found.match("sum of list") == []


def test_a_short_reference_of_parts_is_found_by_its_longest():
    found = references("in short", "two sum of list", "the end of it")
    assert texts_of(found, "two sum of list; the end of it") == [
        "two sum of list", "the end of it",
    ]  # fmt: skip
    assert found.match("in short") == []


def test_two_words_are_no_reference():
    assert references("return x").match("return x") == []
    assert references().match("return x") == references("", " ").match(TASK) == []


@given(st.lists(st.sampled_from("abc"), max_size=20), st.lists(st.sampled_from("abc"), max_size=20))
def test_matches_are_those_of_a_plain_search(reference, said):
    size = min(4, len(reference))
    runs = [tuple(reference[at : at + size]) for at in range(len(reference) - size + 1)]
    wanted = set(runs) if size >= 3 else set()
    expected = {
        " ".join(run) for at in range(len(said)) if (run := tuple(said[at : at + size])) in wanted
    }
    found = references(" ".join(reference), ngram=4)
    assert set(texts_of(found, " ".join(said))) == expected


def test_references_survive_the_disk(tmp_path):
    documents = [
        Document("HumanEval", "0", (TASK, "é \ud800 end of this")),
        Document("own texts", "a.txt", ("three short words",)),
    ]
    made = References.of(documents, 10)
    made.save(tmp_path)
    read = References.load(tmp_path)
    for text in (TASK, "three short words", "other"):
        assert read.match(text) == made.match(text)
        assert texts_of(read, text) == texts_of(made, text)
    assert read.sizes == [3, 10]
    assert read.document_of(read.match("three short words")[0]) == ("own texts", "a.txt")


@pytest.fixture
def find(tmp_path):
    def find(found, *chunks, max_document_frequency=10):
        files = []
        for number, samples in enumerate(chunks):
            files.append(tmp_path / f"{number}.jsonl")
            write_matches(samples, found, files[-1])
        return find_hits(files, found, max_document_frequency)

    return find


def test_a_hit_says_sample_document_and_words(find):
    documents = [
        Document("HumanEval", "0", (TASK,)),
        Document("LiveCodeBench", "b", (TASK.replace("integers", "floats"), "entirely new words")),
    ]
    both = f"{TASK} {TASK.replace('integers', 'floats')}"
    samples = [(0, "aa", "app/x", TASK), (1, "bb", "app/y", "clean"), (2, "cc", "app/z", both)]
    found = find(References.of(documents, 10), samples[:1], samples[1:])
    assert found.boilerplate == []
    assert found.hits == [
        Hit(0, "aa", "HumanEval", "0", SAID, 4),
        Hit(2, "cc", "HumanEval", "0", SAID, 4),
        Hit(2, "cc", "LiveCodeBench", "b", "of all even numbers in the given list of floats", 1),
    ]


def test_a_run_in_too_many_files_is_boilerplate(find):
    header = "licensed under the apache license version two of this year and more"
    found = references(header, TASK)
    samples = [(number, f"s{number}", f"app/{number}", header) for number in range(4)]
    samples.append((4, "s4", "app/4", f"{header} {TASK}"))
    told = find(found, samples, max_document_frequency=4)
    assert told.hits == [Hit(4, "s4", "HumanEval", "0", SAID, 4)]
    assert told.boilerplate == sorted(texts_of(found, header))
    kept = find(found, samples, max_document_frequency=5)
    assert len(kept.hits) == 5
    assert kept.boilerplate == []


def test_many_samples_of_one_file_are_no_boilerplate(find):
    samples = [(number, f"s{number}", "app/x", TASK) for number in range(20)]
    assert len(find(references(TASK), samples, max_document_frequency=1).hits) == 20


def test_how_samples_are_cut_into_chunks_does_not_count(find):
    samples = [(n, f"s{n}", f"app/{n % 4}", TASK if n % 2 else "clean") for n in range(9)]
    whole = find(references(TASK), samples)
    assert len(whole.hits) == 4
    assert find(references(TASK), samples[:2], [], samples[2:7], samples[7:]) == whole


def test_only_matching_samples_are_written(tmp_path):
    found = references(TASK)
    samples = [(0, "a", "app/x", "clean"), (1, "b", "app/x", TASK)]
    assert write_matches(samples, found, tmp_path / "m") == 1
    assert list(read_jsonl(tmp_path / "m", Match)) == [Match(1, "b", "app/x", found.match(TASK))]


def test_nothing_is_found_where_nothing_is_forbidden(find):
    assert find(References.of([], 10), [(0, "a", "x", TASK)]) == Contamination([], [])


def test_equal_documents_give_equal_bytes(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        references(TASK, "other").save(tmp_path / name)
    for file in ("hashes.npy", "places.npy", "documents.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert json.loads((tmp_path / "one" / "documents.json").read_text())[0][:2] == [
        "HumanEval",
        "0",
    ]

import pytest

from devtune.data.instruct import build
from devtune.jsonl import read_jsonl, write_jsonl
from devtune.pipeline import BuildSection, LocalExecutor
from devtune.progress import Progress
from devtune.records import Contamination, Preference, Rejected, Source
from tests.data.trajectories.test_preferences import EDIT, LOOK, STEPS, WRONG, said, tried

BENCHMARK = "write a function that returns the seventh prime number of all of them"
LONG = " ".join(f"value_{number} = call_{number}(other)" for number in range(40))


@pytest.fixture
def built(make_corpus, tmp_path):
    def run(sessions, *steps, name="samples", workers=1):
        corpus, out = make_corpus(), tmp_path / name
        out.mkdir()
        write_jsonl(corpus / "sessions.jsonl", sessions)
        write_jsonl(corpus / "sources.jsonl", [Source("logs", "sessions", 1.0, "", "")])
        every = [*STEPS, *steps, {"type": "preferences", "kinds": ["trajectory"]}]
        section = BuildSection.model_validate({"steps": every})
        executor = LocalExecutor(type="local", workers=workers)
        outcome = build(section, executor, corpus, out, Progress("quiet"))
        return outcome, list(read_jsonl(out / "preferences.jsonl", Preference)), out

    return run


@pytest.fixture
def clean(tmp_path):
    file = tmp_path / "own.txt"
    file.write_text(BENCHMARK)
    return {"type": "decontaminate", "texts": [file]}


def good(text="Done."):
    return tried(LOOK, EDIT, (text,), outcome="resolved")


def bad(*texts):
    return tried(LOOK, WRONG, *((text,) for text in texts), outcome="unresolved")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_session_that_shares_words_with_a_benchmark_is_no_rejected_side(built, clean, workers):
    shown = bad(f"I had to {BENCHMARK}.")
    outcome, pairs, out = built([good(), shown, bad("No.")], clean, workers=workers)
    [pair] = pairs
    assert said(pair.rejected)[-1] == "No."
    assert outcome.rejects["preference_contaminated"] == 1
    assert "contaminated" not in outcome.rejects
    left = [x for x in read_jsonl(out / "rejected.jsonl", Rejected) if "preference" in x.reason]
    [hit] = read_jsonl(out / "contamination.jsonl", Contamination)
    assert [row.detail for row in left] == [hit.sample_id]
    assert (hit.source, hit.path, hit.document) == ("logs", "x.jsonl", "own.txt")
    assert hit.ngram == " ".join(BENCHMARK.split()[:10])


def test_no_pair_is_made_of_what_is_contaminated_in_a_call_only(built, clean):
    called = ("I write.", ("edit", {"file_path": "b.py", "new_string": f"# {BENCHMARK}"}, "ok"))
    outcome, pairs, _ = built([good(), tried(LOOK, called, ("No.",), outcome="unresolved")], clean)
    assert pairs == []
    assert outcome.rejects["preference_contaminated"] == 1


def test_a_session_whose_sample_is_contaminated_is_not_chosen(built, clean):
    sessions = [good(f"Now {BENCHMARK}."), good(), bad("No."), bad("Never.")]
    outcome, pairs, _ = built(sessions, clean)
    assert [said(pair.chosen)[-1] for pair in pairs] == ["Done."]
    assert outcome.rejects["contaminated"] == 1
    assert "preference_contaminated" not in outcome.rejects


def placed(session, path):
    text = session.model_dump_json().replace('"x.jsonl"', f'"{path}"')
    return type(session).model_validate_json(text)


def test_what_is_boilerplate_in_samples_is_so_in_sessions_that_went_badly(built, clean):
    often = [placed(good(f"{BENCHMARK} {n}"), f"{n}.jsonl") for n in range(4)]
    sessions = [*often, good(), placed(bad(f"I had to {BENCHMARK}."), "bad.jsonl")]
    _, pairs, _ = built(sessions, {**clean, "max_document_frequency": 3})
    assert len(pairs) == 1
    outcome, pairs, _ = built(sessions, {**clean, "max_document_frequency": 5}, name="more")
    assert pairs == []
    assert (outcome.rejects["contaminated"], outcome.rejects["preference_contaminated"]) == (4, 1)


def test_a_held_out_session_is_not_unlearnt(built):
    overlap = {"type": "held_out_overlap"}
    held_out = tried(LOOK, EDIT, (LONG,), outcome="resolved", split="held_out", task="u")
    near = bad(LONG.replace("value_3 ", "value_x "))
    outcome, pairs, _ = built([good(), near, bad("No."), held_out], overlap)
    assert [said(pair.rejected)[-1] for pair in pairs] == ["No."]
    assert outcome.rejects["preference_near_held_out"] == 1
    assert outcome.counts["held_out"] == 1


def test_selection_of_samples_does_not_depend_on_pairs(built, clean, tmp_path):
    sessions = [good(), good(f"Now {BENCHMARK}."), bad(f"{BENCHMARK}")]
    _, _, out = built(sessions, clean, {"type": "held_out_overlap"})
    wanted = (out / "train.jsonl").read_bytes()
    one = LocalExecutor(type="local", workers=1)
    section = BuildSection.model_validate({"steps": [*STEPS, clean, {"type": "held_out_overlap"}]})
    (tmp_path / "plain").mkdir()
    build(section, one, tmp_path / "corpus", tmp_path / "plain", Progress("quiet"))
    assert (tmp_path / "plain" / "train.jsonl").read_bytes() == wanted

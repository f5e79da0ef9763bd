import pyarrow.parquet as pq
import pytest

from devtune.evaluate.completions import Completer, answer_start, edit_similarity
from devtune.model import load_model
from devtune.progress import Progress
from devtune.recipe import EvaluateSection

QUIET = Progress("quiet")


def test_an_answer_starts_at_the_last_trained_span():
    assert answer_start([-100, 7, 2, -100, -100, 8, 9, 2]) == 5
    assert answer_start([-100, 7, 2, -100]) == 1


def test_similarity_is_one_for_equal_and_zero_for_disjoint_texts():
    assert edit_similarity("abcd", "abcd") == 1
    assert edit_similarity("abcd", "wxyz") == 0
    assert edit_similarity("abcd", "abcx") == pytest.approx(0.75)


def test_answers_do_not_depend_on_the_batch_they_are_in(base, dataset):
    model = load_model(base).eval()
    rows = pq.read_table(dataset / "held_out.parquet").to_pylist()[:3]
    alone = Completer(dataset, EvaluateSection(max_new_tokens=12, batch_size=1))
    together = Completer(dataset, EvaluateSection(max_new_tokens=12, batch_size=3))
    answers = alone.complete(model, rows, QUIET)
    assert answers == together.complete(model, rows, QUIET)
    assert len(answers) == 3


def test_the_reference_is_cut_where_the_answer_must_stop(dataset):
    row = pq.read_table(dataset / "held_out.parquet").to_pylist()[0]
    assert Completer(dataset, EvaluateSection()).reference(row) == "answer"
    assert Completer(dataset, EvaluateSection(max_new_tokens=3)).reference(row) == "ans"

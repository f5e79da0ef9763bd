import pytest

from devtune.data.corpus import passage_of
from devtune.data.selection.overlap import MAX_CANDIDATES, find_near, is_at_the_cut
from devtune.data.selection.passages import passage_id
from devtune.data.selection.shingles import jaccard
from devtune.data.selection.sketches import Sketches, write_sketches
from devtune.steps.selection import HeldOutOverlap

STEP = HeldOutOverlap(type="held_out_overlap")
LONG, OTHER, SHORT = "a = 1\nb = 2\nc = 3", "d = 4\ne = 5\nf = 6", "return None"


def found(*texts):
    return {passage_id(passage_of(text)) for text in texts}


@pytest.mark.parametrize(
    ("evidence", "trained", "dropped"),
    [
        ((LONG,), (LONG,), True),
        (("  a = 1\n\n  b = 2\n  c = 3",), (LONG,), True),
        ((LONG, OTHER), (LONG,), False),
        ((LONG, OTHER), (LONG, OTHER), True),
        ((LONG, SHORT), (LONG,), False),
        ((LONG, SHORT), (LONG, SHORT), True),
        ((SHORT,), (SHORT,), False),
        ((SHORT, "pass"), (SHORT, "pass"), False),
        ((LONG, "", "\n"), (LONG,), True),
        ((), (LONG,), False),
        (("",), (), False),
    ],
)
def test_an_answer_is_there_already_when_all_its_code_is(evidence, trained, dropped):
    assert is_at_the_cut(evidence, ["new"], found(*trained), set()) == dropped


@pytest.mark.parametrize(
    ("blobs", "dropped"),
    [(["a"], True), (["a", "b"], True), (["a", "c"], False), (["c"], False), ([], False),
     (["", "a"], True), ([""], False)],
)  # fmt: skip
def test_an_answer_is_there_already_when_every_version_is_trained_on(blobs, dropped):
    assert is_at_the_cut((OTHER,), blobs, set(), {"a", "b", ""}) == dropped


@pytest.fixture
def sketches(tmp_path):
    def make(*rows):
        directory = tmp_path / str(len(list(tmp_path.iterdir())))
        directory.mkdir()
        write_sketches(rows, STEP, directory)
        return Sketches([directory])

    return make


def code(*changed, size=80):
    return "\n".join(
        f"changed_{line}()" if line in changed else f"value_{line} = {line} + x"
        for line in range(size)
    )


def test_a_held_out_answer_alike_to_a_trained_one_of_its_family_is_found(sketches):
    trained = sketches(("f", "other = text"), ("f", code()), ("g", code(7)))
    held_out = sketches(("f", code(3, 40)), ("h", code()), ("g", code(7)), ("f", "new = thing + 1"))
    assert find_near(trained, held_out, STEP.min_jaccard) == {0: 1, 2: 2}


def test_exact_similarity_decides(sketches):
    trained, held_out = sketches(("f", code())), sketches(("f", code(1, 20, 40, 60)))
    similarity = jaccard(trained.shingles_of(0), held_out.shingles_of(0))
    assert 0.5 < similarity < 1
    assert find_near(trained, held_out, similarity) == {0: 0}
    assert find_near(trained, held_out, similarity + 0.01) == {}


def test_nothing_is_alike_to_nothing(sketches):
    assert find_near(sketches(), sketches(("f", "a")), 0.5) == {}
    assert find_near(sketches(("f", "a")), sketches(), 0.5) == {}
    assert find_near(sketches(("f", "")), sketches(("f", "")), 0.5) == {}


def test_thousands_of_equal_answers_hide_no_other(sketches):
    trained = sketches(*[("f", code())] * (3 * MAX_CANDIDATES), ("f", code(*range(40, 80))))
    held_out = sketches(("f", code(*range(45, 80))))
    near = find_near(trained, held_out, 0.7)
    assert near == {0: 3 * MAX_CANDIDATES}


def test_the_order_of_training_does_not_count(sketches):
    rows = [("f", code(*range(start, start + 5))) for start in range(0, 60, 2)]
    held_out = [("f", code(*range(start, start + 3))) for start in range(1, 60, 9)]
    forth = find_near(sketches(*rows), sketches(*held_out), 0.6)
    back = find_near(sketches(*rows[::-1]), sketches(*held_out), 0.6)
    assert len(forth) == len(held_out)
    assert {row: len(rows) - 1 - at for row, at in back.items()} == forth

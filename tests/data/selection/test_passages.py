import random

import pytest

from devtune.data.corpus import passage_of
from devtune.data.selection.passages import Wanted, is_decisive, passage_id


def ids(*texts):
    return {passage_id(passage_of(text)) for text in texts}


def test_a_passage_is_found_wherever_it_is_moved():
    wanted = Wanted.of(["if a:\n    b()\n\n    c()\n", "d()"])
    assert wanted.find("x\n\tif a:\n\t  b()\n\t  c()\ny") == ids("if a:\nb()\nc()")
    assert wanted.find("d()") == ids("d()")
    assert wanted.find("if a:\nx\nb()\nc()") == wanted.find("") == set()


def test_passages_inside_each_other_are_all_found():
    texts = ["a\nb\nc", "b", "b\nc", "a\nb", "c\na", "c\n}", "}"]
    assert Wanted.of(texts).find("a\nb\nc\n}") == ids("a\nb\nc", "b", "b\nc", "a\nb", "c\n}", "}")


def test_a_passage_at_the_edge_of_a_text_is_not_wrapped_around():
    wanted = Wanted.of(["}\nrare", "rare\n}"])
    assert wanted.find("rare\n}") == ids("rare\n}")
    assert wanted.find("}\nrare") == ids("}\nrare")
    assert wanted.find("rare") == set()


def test_passages_are_found_as_a_plain_search_finds_them():
    chance = random.Random(2)
    texts = ["".join(chance.choices("abc", k=30)) for _ in range(5)]
    wanted = ["\n".join(chance.choices("abc", k=chance.randint(1, 5))) for _ in range(150)]
    found = set.union(*(Wanted.of(wanted).find("\n".join(text)) for text in texts))
    expected = [each for each in wanted if any(each.replace("\n", "") in text for text in texts)]
    assert found == ids(*expected)
    assert 10 < len(found) < len(ids(*wanted))


def test_empty_evidence_is_not_looked_for():
    assert len(Wanted.of(["", "\n \n", "a", " a"])) == 1


def test_what_is_wanted_survives_the_disk(tmp_path):
    wanted = Wanted.of(["é\n\ud800", "b\nc", "a"])
    for name in ("one", "two"):
        wanted.save(tmp_path / name)
        wanted = Wanted.load(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert wanted.find("b\nc\né\n\ud800") == ids("b\nc", "é\n\ud800")


def test_the_order_of_evidence_does_not_count(tmp_path):
    Wanted.of(["b\nc", "a"]).save(tmp_path / "one")
    Wanted.of(["a", " b\n\nc", "a"]).save(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(
    ("text", "decides"),
    [
        ("return None", False),
        ("a\nb", False),
        ("a\nb\nc", True),
        ("x" * 59, False),
        ("x" * 60, True),
        ("x" * 30 + "\n" + "y" * 30, True),
        ("", False),
    ],
)
def test_short_passages_do_not_decide(text, decides):
    assert is_decisive(passage_of(text)) == decides

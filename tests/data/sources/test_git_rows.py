import pytest

from devtune.records import BlameRun
from tests.data.conftest import ADA

BOB = "Bob Example <bob@corp.test>"
NUMBERS = "".join(f"number_{n} = {n}\n" for n in range(20))


@pytest.fixture
def written_by_two(make_repository):
    repository = make_repository()
    repository.commit("Write the numbers down", {"a.py": NUMBERS, "b.py": "b = 1\n"})
    repository.commit("Write one more number down", {"a.py": f"{NUMBERS}last = 20\n"}, author=BOB)
    return repository


def blamed(made, split="train"):
    return {row.provenance.path: row.blame for row in made.files if row.split == split}


def test_nobody_is_told_the_authors_of_lines_who_does_not_ask(written_by_two, corpus):
    made = corpus(written_by_two.source(), held_out=0)
    assert set(blamed(made).values()) == {()}


def test_every_line_of_a_file_has_its_author(written_by_two, corpus):
    made = corpus(written_by_two.source(), held_out=0, blame=True)
    assert blamed(made) == {
        "a.py": (BlameRun(ADA, 1, 20), BlameRun(BOB, 21, 1)),
        "b.py": (BlameRun(ADA, 1, 1),),
    }


def test_what_is_new_after_the_cut_has_authors_of_its_own(make_repository, corpus):
    repository = make_repository()
    for number in range(1, 10):
        files = {"a.py": NUMBERS[: 20 * number], f"{number}.py": f"n = {number}\n"}
        repository.commit(f"Write part {number} down", files)
    repository.commit("Write the end down", {"a.py": NUMBERS}, author=BOB)
    made = corpus(repository.source(), held_out=0.1, blame=True)
    (run,) = blamed(made)["a.py"]
    assert run.author == ADA
    assert {run.author for run in blamed(made, "held_out")["a.py"]} == {ADA, BOB}


def test_lines_below_a_secret_of_several_lines_keep_their_authors(
    make_repository, corpus, canaries
):
    repository = make_repository()
    key = f'key = """{canaries["pem"]}"""\n'
    repository.commit("Write the key down", {"a.py": f"first = 1\n{key}"}, author=BOB)
    repository.commit("Write the end down", {"a.py": f"first = 1\n{key}last = 2\n"})
    made = corpus(repository.source(), held_out=0, blame=True)
    (row,) = made.files
    lines = row.text.split("\n")
    assert len(lines) < key.count("\n"), "the key is one line now"
    assert lines[-2:] == ["last = 2", ""]
    assert [run.author for run in row.blame] == [BOB, ADA]
    assert row.blame[-1] == BlameRun(ADA, len(lines) - 1, 1)
    assert sum(run.num_lines for run in row.blame) == len(lines) - 1


def test_a_secret_known_from_elsewhere_moves_lines_as_well(make_repository, corpus, canaries):
    repository = make_repository()
    body = canaries["pem"].strip("\n").split("\n")
    inner = "\n".join(body)
    files = {"a.py": f"first = 1\n'''\n{inner}\n'''\n", "b.py": f"key = '''{inner}'''\n"}
    repository.commit("Write keys down", files, author=BOB)
    repository.commit("Write the end down", {"a.py": files["a.py"] + "last = 2\n"})
    made = corpus(repository.source(), held_out=0, blame=True)
    row = next(row for row in made.files if row.provenance.path == "a.py")
    assert sum(run.num_lines for run in row.blame) == row.text.count("\n")
    assert row.blame[-1].author == ADA


def test_authors_of_lines_stand_under_the_pseudonym_they_have_elsewhere(
    written_by_two, corpus, policy_file
):
    policy = policy_file.parent / "personal_data.yaml"
    made = corpus(written_by_two.source(), held_out=0, blame=True, personal_data=policy)
    (ada, bob) = (run.author for run in blamed(made)["a.py"])
    assert {ada, bob} == {row.author for row in made.changes}
    assert not any("corp.test" in name or "Example" in name for name in (ada, bob))


def test_authors_of_lines_are_those_of_the_mailmap(written_by_two, corpus):
    mailmap = {".mailmap": "Robert <bob@home.test> <bob@corp.test>\n"}
    written_by_two.commit("Say who is who here", mailmap)
    made = corpus(written_by_two.source(), held_out=0, blame=True)
    assert blamed(made)["a.py"][-1] == BlameRun("Robert <bob@home.test>", 21, 1)


def test_authors_of_lines_are_the_same_whatever_number_of_workers(
    make_repository, corpus, monkeypatch
):
    monkeypatch.setattr("devtune.data.sources.git_plan.FILES_PER_UNIT", 2)
    repository = make_repository()
    for number in range(6):
        files = {f"{each}.py": NUMBERS[: 30 * (number + each + 1)] for each in range(5)}
        repository.commit(f"Write part {number} down", files, author=(ADA, BOB)[number % 2])
    made = [
        corpus(repository.source(), held_out=0, blame=True, out=f"of-{workers}", workers=workers)
        for workers in (1, 3)
    ]
    first, second = ((each.out / "files.jsonl").read_bytes() for each in made)
    assert first == second
    assert {run.author for runs in blamed(made[0]).values() for run in runs} == {ADA, BOB}


def test_what_a_vendored_file_went_through_is_not_read(written_by_two, corpus):
    written_by_two.commit("Take over a library", {"vendor/x.js": "x\n" * 9})
    made = corpus(written_by_two.source(), held_out=0, blame=True)
    assert ("vendor/x.js", "vendored") in made.reasons

import pytest

from devtune.data.git import open_repository
from devtune.data.history import find_last_changes, list_commits, read_commits, read_tree
from devtune.errors import DevtuneError

BOB = "Bob Example <bob@corp.test>"


def read_commits_of(repository, tip):
    return read_commits(open_repository(repository.path), tip)


@pytest.mark.parametrize("damage", ["truncated", "missing", "garbage"])
@pytest.mark.parametrize("what", ["{first}", "{first}^{{tree}}"])
def test_a_damaged_commit_or_tree_in_the_history(make_repository, damage, what, is_damaged):
    repository = make_repository()
    first = repository.commit("One", {"x.py": "x = 1\n"})
    tip = repository.commit("Two", {"x.py": "x = 2\n"})
    repository.spoil(repository.git("rev-parse", what.format(first=first)), damage)
    opened = open_repository(repository.path)
    with pytest.raises(DevtuneError) as caught:
        list(read_commits(opened, tip))
    assert is_damaged(caught.value, repository.path)


def test_history_is_first_parent_oldest_first_without_merges(make_repository):
    repository = make_repository()
    repository.commit("One", {"x.py": "x = 1\n"})
    repository.git("switch", "-qc", "side")
    repository.commit("Side", {"side.py": "s = 1\n"}, author=BOB)
    repository.git("switch", "-q", "main")
    repository.commit("Two", {"x.py": "x = 2\n"})
    repository.git("merge", "-q", "--no-ff", "-m", "Merge side", "side")
    tip = repository.commit("Three", {"x.py": "x = 3\n"})
    opened = open_repository(repository.path)
    commits = list(read_commits(opened, tip))
    assert [each.subject for each in commits] == ["One", "Two", "Three"]
    assert [each.id for each in commits] == list_commits(opened, tip)
    assert len(list_commits(opened, tip, merges=True)) == 1
    wanted = {leaf.path: leaf.blob for leaf in read_tree(opened, tip)}
    last = find_last_changes(opened, tip, wanted)
    assert last[b"side.py"].author == BOB
    assert last[b"x.py"].id == tip


def test_a_commit_has_its_message_date_and_author_through_mailmap(make_repository):
    repository = make_repository()
    old = "bobby <bob@old.test>"
    repository.commit("One", {"x.py": "x = 1\n", ".mailmap": f"{BOB} <bob@old.test>\n"})
    tip = repository.commit("Fix the x\n\nIt was\nwrong.\n", {"x.py": "x = 2\n"}, author=old)
    (repository.path / ".mailmap").write_text("Mallory <m@evil.test> <bob@old.test>\n")
    commit = list(read_commits(open_repository(repository.path), tip))[-1]
    assert (commit.subject, commit.body) == ("Fix the x", "It was\nwrong.")
    assert commit.date == "2024-01-01T00:01:00+00:00"
    assert commit.author == BOB, "the committed .mailmap counts, not the one lying around"


def test_renames_deletions_and_modes_are_seen(make_repository):
    repository = make_repository()
    text = "".join(f"line {number}\n" for number in range(50))
    repository.commit("One", {"a.py": text, "b.py": "b = 1\n"})
    repository.write({"a.py": None, "b.py": None, "c.py": text + "more\n"})
    (repository.path / "link").symlink_to("c.py")
    tip = repository.commit("Two")
    entries = {each.path: each for each in list(read_commits_of(repository, tip))[-1].entries}
    assert entries[b"c.py"].old_path == b"a.py"
    assert entries[b"b.py"].mode == "000000"
    assert entries[b"link"].mode == "120000"


def test_odd_paths_messages_and_encodings_survive(make_repository):
    repository = make_repository()
    repository.commit("One", {b"caf\xe9.py": "x = 1\n", "new\nline :x.py": "y = 1\n"})
    repository.commit(":100644 \x01\n\n:000000 100644 fake\n", {"tab\t.py": "z = 1\n"})
    repository.git("config", "i18n.commitEncoding", "ISO-8859-1")
    tip = repository.commit("Ünïcode".encode("latin-1"))
    commits = list(read_commits_of(repository, tip))
    assert [entry.path for entry in commits[0].entries] == [b"caf\xe9.py", b"new\nline :x.py"]
    assert commits[1].subject == ":100644 \x01"
    assert commits[1].body == ":000000 100644 fake"
    assert [entry.path for entry in commits[1].entries] == [b"tab\t.py"]
    assert (commits[2].subject, commits[2].entries) == ("Ünïcode", ())
    opened = open_repository(repository.path)
    assert [leaf.path for leaf in read_tree(opened, tip)] == [
        b"caf\xe9.py",
        b"new\nline :x.py",
        b"tab\t.py",
    ]


def test_a_commit_whose_bytes_are_no_utf8_is_read_with_marks(make_repository, tmp_path):
    repository = make_repository()
    tree = repository.git("rev-parse", repository.commit("One", {"x.py": "x = 1\n"}) + "^{tree}")
    raw = tmp_path / "raw"
    person = b"Ad\xe9 <a@corp.test> 99999999999999999 +0000"
    raw.write_bytes(
        b"tree %b\nauthor %b\ncommitter %b\n\ncaf\xe9\n" % (tree.encode(), person, person)
    )
    tip = repository.git("hash-object", "-w", "--literally", "-t", "commit", str(raw))
    commit = next(read_commits_of(repository, tip))
    assert (commit.subject, commit.author) == ("caf\ufffd", "Ad\ufffd <a@corp.test>")
    assert commit.date == "", "the year is beyond what a date can say"

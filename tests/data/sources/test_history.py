import random

import pytest

from devtune.data.sources.git import open_repository
from devtune.data.sources.history import (
    find_cut,
    find_known,
    find_last_changes,
    find_touching,
    read_commits,
    read_folder,
    read_heads,
    read_tree,
)
from devtune.errors import DevtuneError

BOB = "Bob Example <bob@corp.test>"


def read_commits_of(repository, tip):
    opened = open_repository(repository.path)
    wanted = [head.id for head in read_heads(opened, tip) if len(head.parents) < 2]
    return read_commits(opened, tip, wanted)


def parents_of(repository, tip):
    return {head.id: head.parents for head in read_heads(open_repository(repository.path), tip)}


@pytest.mark.parametrize("damage", ["truncated", "missing", "garbage"])
@pytest.mark.parametrize("what", ["{first}", "{first}^{{tree}}"])
def test_a_damaged_commit_or_tree_in_the_history(make_repository, damage, what, is_damaged):
    repository = make_repository()
    first = repository.commit("One", {"x.py": "x = 1\n"})
    tip = repository.commit("Two", {"x.py": "x = 2\n"})
    repository.spoil(repository.git("rev-parse", what.format(first=first)), damage)
    with pytest.raises(DevtuneError) as caught:
        list(read_commits_of(repository, tip))
    assert is_damaged(caught.value, repository.path)
    opened = open_repository(repository.path)
    with pytest.raises(DevtuneError) as caught:
        list(read_commits(opened, tip, [first, tip]))
    assert is_damaged(caught.value, repository.path)


@pytest.fixture
def merged(make_repository):
    # `Late` began before `Merge early` and came in after it.
    repository = make_repository()
    repository.commit("Root", {"x.py": "x = 1\n"})
    repository.git("branch", "late")
    for branch, subject in (("early", "Early"), ("late", "Late"), ("last", "Last")):
        repository.git("switch", "-q", *(() if branch == "late" else ("-c",)), branch)
        repository.commit(subject, {f"{branch}.py": f"{branch} = 1\n"}, author=BOB)
        repository.commit(f"{subject} more", {f"{branch}.py": f"{branch} = 2\n"})
        repository.git("switch", "-q", "main")
        repository.git("merge", "-q", "--no-ff", "-m", f"Merge {branch}", branch)
        repository.num_commits += 1
    return repository


def subjects(repository, tip="main"):
    return [each.subject for each in read_commits_of(repository, tip)]


def test_history_is_all_that_is_reachable_oldest_first_without_merges(merged):
    expected = ["Root", "Early", "Early more", "Late", "Late more", "Last", "Last more"]
    assert subjects(merged) == expected
    tip = merged.git("rev-parse", "main")
    parents = parents_of(merged, tip)
    assert list(parents)[-1] == tip
    no_merges = [commit for commit, each in parents.items() if len(each) < 2]
    assert [each.id for each in read_commits_of(merged, tip)] == no_merges
    assert len(parents) - len(no_merges) == 3
    for commit in read_commits_of(merged, tip):
        changed = merged.git("show", "--format=", "--name-only", commit.id).split()
        assert [entry.path.decode() for entry in commit.entries] == changed


def test_lines_of_work_side_by_side_are_ordered_by_date(make_repository):
    repository = make_repository()
    repository.commit("Root", {"x.py": "x = 1\n"})
    repository.git("branch", "side")
    for number in range(3):
        for branch in ("main", "side"):
            repository.git("switch", "-q", branch)
            repository.commit(f"{branch} {number}", {f"{branch}.py": f"x = {number}\n"})
    repository.git("switch", "-q", "main")
    repository.git("merge", "-q", "--no-ff", "-m", "Merge side", "side")
    assert subjects(repository) == [
        "Root", "main 0", "side 0", "main 1", "side 1", "main 2", "side 2",
    ]  # fmt: skip


def test_order_does_not_hang_on_how_a_clone_is_stored(merged, tmp_path):
    opened, tip = open_repository(merged.path), merged.git("rev-parse", "main")
    loose = list(read_heads(opened, tip))
    merged.git("repack", "-adfq")
    merged.git("commit-graph", "write", "--reachable")
    assert list(read_heads(opened, tip)) == loose


@pytest.mark.parametrize(
    ("asked", "cut", "expected"),
    [
        (1, "main~1", ["Last", "Last more"]),
        (2, "main~1", ["Last", "Last more"]),
        (3, "main~2", ["Late", "Late more", "Last", "Last more"]),
        (4, "main~2", ["Late", "Late more", "Last", "Last more"]),
        (6, "main~3", ["Early", "Early more", "Late", "Late more", "Last", "Last more"]),
    ],
)
def test_the_cut_is_a_first_parent_and_the_held_out_are_what_it_does_not_reach(
    merged, asked, cut, expected
):
    tip = merged.git("rev-parse", "main")
    parents = parents_of(merged, tip)
    found = find_cut(parents, tip, asked, no_merges(parents))
    assert found is not None
    assert found[0] == merged.git("rev-parse", cut)
    assert sorted(merged.git("show", "-s", "--format=%s", each) for each in found[1]) == sorted(
        expected
    )
    listed = merged.git("rev-list", "--no-merges", f"{found[0]}..{tip}").split()
    assert found[1] == set(listed)


def test_there_is_no_cut_with_more_after_it_than_there_is(merged):
    tip = merged.git("rev-parse", "main")
    parents = parents_of(merged, tip)
    assert find_cut(parents, tip, 7, no_merges(parents)) is None
    assert find_cut(parents, tip, 1, set()) is None


def no_merges(parents):
    return {commit for commit, each in parents.items() if len(each) < 2}


def test_only_usable_commits_are_held_out_and_counted(merged):
    tip = merged.git("rev-parse", "main")
    parents = parents_of(merged, tip)
    unusable = {merged.git("rev-parse", ref) for ref in ("last", "late~1")}
    usable = no_merges(parents) - unusable
    assert find_cut(parents, tip, 1, usable) == (
        merged.git("rev-parse", "main~1"),
        {merged.git("rev-parse", "last~1")},
    )
    cut, held_out = find_cut(parents, tip, 2, usable)
    assert cut == merged.git("rev-parse", "main~2")
    assert held_out == {merged.git("rev-parse", ref) for ref in ("last~1", "late")}


def test_every_random_history_is_cut_where_git_would_cut_it():
    chance = random.Random(7)
    for size in range(2, 40):
        parents: dict[str, tuple[str, ...]] = {"0": ()}
        for number in range(1, size):
            num_parents = min(chance.choice((1, 1, 1, 2, 3)), number)
            recent = [str(each) for each in range(max(0, number - 5), number)]
            parents[str(number)] = tuple(chance.sample(recent, min(num_parents, len(recent))))
        tip = str(size - 1)
        asked = chance.randint(1, max(1, size // 4))
        usable = {each for each in no_merges(parents) if chance.random() < 0.8}
        assert find_cut(parents, tip, asked, usable) == plain_cut(parents, tip, asked, usable)


def plain_cut(parents, tip, asked, usable):
    def reached(commit):
        return {commit}.union(*(reached(each) for each in parents[commit]))

    commit = tip
    while parents[commit]:
        commit = parents[commit][0]
        after = reached(tip) - reached(commit)
        held_out = after & usable
        if len(held_out) >= asked:
            return commit, held_out
    return None


def test_a_file_keeps_its_author_behind_a_merge(merged):
    opened, tip = open_repository(merged.path), merged.git("rev-parse", "main")
    wanted = {leaf.path: leaf.blob for leaf in read_tree(opened, tip)}
    early = merged.git("rev-parse", "main~2:early.py")
    last = find_last_changes(opened, tip, {**wanted, b"early.py": early})
    assert last[b"early.py"].id == merged.git("rev-parse", "early")
    first = merged.git("rev-parse", "early~1:early.py")
    assert find_last_changes(opened, tip, {b"early.py": first})[b"early.py"].author == BOB


def test_contents_are_known_that_any_commit_before_had(make_repository):
    repository = make_repository()
    repository.commit("One", {"x.py": "x = 1\n"})
    repository.commit("Two", {"x.py": "x = 2\n"})
    tip = repository.commit("Three", {"x.py": "x = 3\n"})
    blobs = [repository.git("rev-parse", f"{ref}:x.py") for ref in ("main~2", "main~1", "main")]
    opened = open_repository(repository.path)
    assert find_known(opened, f"{tip}~1", set(blobs)) == set(blobs[:2])


def test_a_commit_has_its_message_date_and_author_through_mailmap(make_repository):
    repository = make_repository()
    old = "bobby <bob@old.test>"
    repository.commit("One", {"x.py": "x = 1\n", ".mailmap": f"{BOB} <bob@old.test>\n"})
    tip = repository.commit("Fix the x\n\nIt was\nwrong.\n", {"x.py": "x = 2\n"}, author=old)
    (repository.path / ".mailmap").write_text("Mallory <m@evil.test> <bob@old.test>\n")
    opened = open_repository(repository.path)
    head = list(read_heads(opened, tip))[-1]
    (commit,) = read_commits(opened, tip, [tip])
    assert (head.id, head.author, head.date) == (commit.id, commit.author, commit.date)
    assert (head.subject, head.body) == (commit.subject, commit.body)
    (older,) = find_last_changes(opened, tip, {b"x.py": entry_of(commit, b"x.py").blob}).values()
    assert (older.id, older.author) == (tip, BOB)
    assert (commit.subject, commit.body) == ("Fix the x", "It was\nwrong.")
    assert commit.date == "2024-01-01T00:01:00+00:00"
    assert commit.author == BOB, "the committed .mailmap counts, not the one lying around"


def entry_of(commit, path):
    return next(each for each in commit.entries if each.path == path)


def test_commits_come_in_the_order_they_were_asked_for_and_no_others(make_repository):
    repository = make_repository()
    ids = [repository.commit(f"Number {n}", {"x.py": f"x = {n}\n"}) for n in range(4)]
    wanted = [ids[2], ids[0]]
    found = list(read_commits(open_repository(repository.path), ids[-1], wanted))
    assert [each.id for each in found] == wanted
    assert [each.subject for each in found] == ["Number 2", "Number 0"]
    assert list(read_commits(open_repository(repository.path), ids[-1], [])) == []


@pytest.fixture
def monorepo(make_repository):
    repository = make_repository()
    repository.commit("One", {"a/x.py": "x = 1\n", "ab/y.py": "y = 1\n", "LICENSE": "Ours\n"})
    repository.commit("Two", {"ab/y.py": "y = 2\n", "a/in/z.py": "z = 1\n", "*/w.py": "w = 1\n"})
    repository.commit("Three", {"ab/y.py": "y = 3\n"})
    return repository


def test_a_sub_path_is_one_directory_and_not_those_that_begin_like_it(monorepo):
    opened, tip = open_repository(monorepo.path), monorepo.git("rev-parse", "HEAD")
    one, two, three = monorepo.git("rev-list", "--reverse", "HEAD").split()
    for subpaths, paths, touching in (
        (("a",), [b"a/in/z.py", b"a/x.py"], {one, two}),
        (("a/in",), [b"a/in/z.py"], {two}),
        (("ab",), [b"ab/y.py"], {one, two, three}),
        (("*",), [b"*/w.py"], {two}),
        (("a", "*"), [b"*/w.py", b"a/in/z.py", b"a/x.py"], {one, two}),
    ):
        assert [leaf.path for leaf in read_tree(opened, tip, subpaths)] == paths
        assert find_touching(opened, tip, subpaths) == touching
        found = read_commits(opened, tip, [one, two, three], subpaths)
        entries = {each.id: {entry.path for entry in each.entries} for each in found}
        assert {commit for commit, inside in entries.items() if inside} == touching
        assert set().union(*entries.values()) == set(paths)
        wanted = {leaf.path: leaf.blob for leaf in read_tree(opened, tip, subpaths)}
        changes = find_last_changes(opened, tip, wanted, subpaths)
        assert set(changes) == set(paths)
        assert {each.id for each in changes.values()} <= touching


def test_a_folder_is_read_without_what_is_below(monorepo):
    opened, tip = open_repository(monorepo.path), monorepo.git("rev-parse", "HEAD")
    tops = [(leaf.path, leaf.mode) for leaf in read_folder(opened, tip, ".")]
    assert tops == [
        (b"*", "040000"), (b"LICENSE", "100644"), (b"a", "040000"), (b"ab", "040000"),
    ]  # fmt: skip
    assert [leaf.path for leaf in read_folder(opened, tip, "a")] == [b"a/in", b"a/x.py"]
    assert read_folder(opened, tip, "none") == []


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

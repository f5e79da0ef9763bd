import json

import pytest

from devtune.data.sources import git_plan
from devtune.data.sources.git import open_repository, resolve
from devtune.data.sources.git_plan import count_held_out, plan_git
from devtune.data.sources.git_units import Plan
from devtune.data.sources.taint import Taint
from tests.hostile import Step, init, write_history

BOT = "renovate[bot] <bot@corp.test>"


@pytest.fixture
def plan_of(section):
    def make(repository, subpaths=(), **values):
        found = section(repository.source(subpaths=subpaths), **values)
        opened = open_repository(repository.path)
        return plan_git(opened, resolve(opened, None), found.sources[0], found, Taint())

    return make


def plans(plan):
    return [Plan.of(json.loads(json.dumps(unit))) for unit in plan.units]


@pytest.mark.parametrize(
    ("num_commits", "share", "at_least", "expected"),
    [
        (20, 0.15, 0, 3),
        (21, 0.15, 0, 4),
        (30, 0.1, 0, 3),
        (2, 0.01, 0, 1),
        (2, 0.99, 0, 1),
        (1, 0.5, 0, 0),
        (0, 0.5, 5, 0),
        (9, 0, 0, 0),
        (100, 0.15, 20, 20),
        (1000, 0.15, 20, 150),
        (100, 0, 20, 20),
        (10, 0.15, 20, 9),
    ],
)
def test_how_many_commits_are_held_out(num_commits, share, at_least, expected):
    assert count_held_out(num_commits, share, at_least) == expected


def test_at_least_the_asked_number_of_usable_commits_lies_after_the_cut(make_repository, plan_of):
    repository = make_repository()
    for number in range(12):
        # Two of three are no task by what they say of themselves.
        author = {"author": BOT} if number % 3 == 1 else {}
        subject = "wip" if number % 3 == 2 else f"Set the number to {number}"
        repository.commit(subject, {"x.py": f"x = {number}\n"}, **author)
    rules = [{"type": "bot"}, {"type": "message"}]
    plan = plan_of(repository, held_out=0.01, held_out_commits=3, commit_rules=rules)
    assert plan.cut == repository.git("rev-parse", "main~9")
    after = repository.git("rev-list", f"{plan.cut}..main").split()
    assert plan.held_out == set(after[2::3])
    assert len(plan.held_out) == 3
    assert plan.cut_date == "2024-01-01T00:02:00+00:00"
    one = plan_of(repository, held_out=0, held_out_commits=1, commit_rules=rules)
    assert one.cut == repository.git("rev-parse", "main~3")


def test_commits_that_their_files_leave_out_do_not_count_as_held_out(make_repository, plan_of):
    repository = make_repository()
    ids = [repository.commit(f"Number {n}", {"x.py": f"x = {n}\n"}) for n in range(6)]
    large = [f"m{number}.py" for number in range(5)]
    for number in range(2):
        ids.append(repository.commit("Add many", dict.fromkeys(large, f"x = {number}\n")))
    rules = [{"type": "too_many_files", "max_files": 3}]
    plan = plan_of(repository, held_out=0, held_out_commits=2, commit_rules=rules)
    assert plan.cut == ids[3]
    assert plan.held_out == set(ids[4:])
    lenient = plan_of(repository, held_out=0, held_out_commits=2)
    assert lenient.cut == ids[5]
    all_of_them = plan_of(repository, held_out=0, held_out_commits=7, commit_rules=rules)
    assert all_of_them.cut == ids[0]


def test_where_there_are_fewer_than_asked_one_is_left_to_train_on(make_repository, plan_of):
    repository = make_repository()
    ids = [repository.commit(f"Number {n}", {"x.py": f"x = {n}\n"}) for n in range(4)]
    plan = plan_of(repository, held_out_commits=100)
    assert plan.cut == ids[0]
    assert plan.held_out == set(ids[1:])


def test_units_name_every_file_and_every_commit_once(make_repository, plan_of, monkeypatch):
    monkeypatch.setattr(git_plan, "FILES_PER_UNIT", 2)
    monkeypatch.setattr(git_plan, "COMMITS_PER_UNIT", 3)
    repository = make_repository()
    files = {f"m{number}.py": f"x = {number}\n" for number in range(5)}
    ids = [repository.commit("Add them all", {**files, b"caf\xe9.py": b"x\n"})]
    for number in range(6):
        ids.append(repository.commit(f"Number {number}", {f"n{number}.py": f"n = {number}\n"}))
    plan = plan_of(repository, held_out=0.3)
    found = plans(plan)
    shapes = [(each.split, len(each.leaves), len(each.commits)) for each in found]
    assert shapes == [
        ("train", 2, 0), ("train", 2, 0), ("train", 2, 0), ("train", 2, 0), ("train", 1, 0),
        ("held_out", 2, 0), ("held_out", 1, 0), (None, 0, 3), (None, 0, 3), (None, 0, 1),
    ]  # fmt: skip
    trained = [leaf for each in found if each.split == "train" for leaf in each.leaves]
    listed = repository.git("ls-tree", "-r", "-z", "--name-only", plan.cut).split("\0")
    assert [leaf.path.decode("utf-8", "replace") for leaf in trained] == listed[:-1]
    assert b"caf\xe9.py" in {leaf.path for leaf in trained}
    assert {leaf.commit for leaf in trained} == set(ids[:4])
    assert [commit for each in found for commit in each.commits] == ids
    assert {commit for each in found for commit in each.held_out} == plan.held_out == set(ids[-3:])


def test_every_commit_is_either_read_or_refused_with_its_reason(make_repository, plan_of):
    repository = make_repository()
    first = repository.commit("Add the number", {"a/x.py": "x = 1\n"})
    bot = repository.commit("Bump it", {"a/x.py": "x = 2\n"}, author=BOT)
    outside = repository.commit("Add another", {"b/y.py": "y = 1\n"})
    repository.git("switch", "-qc", "side", first)
    side = repository.commit("Add a third one", {"a/z.py": "z = 1\n"})
    repository.git("switch", "-q", "main")
    repository.git("merge", "-q", "--no-ff", "-m", "Merge side", "side")
    merge = repository.git("rev-parse", "HEAD")
    plan = plan_of(repository, subpaths=("a",), held_out=0, commit_rules=[{"type": "bot"}])
    (found,) = (each for each in plans(plan) if not each.leaves)
    assert found.commits == (first, side)
    reasons = {bot: "bot", outside: "outside_subpaths", merge: "merge"}
    assert dict(found.refused) == reasons


def test_what_the_top_says_of_licences_and_attributes_counts_below(make_repository, plan_of):
    repository = make_repository()
    files = {
        "LICENSE": "top\n",
        ".gitattributes": "*.x linguist-generated\n",
        "a/LICENSE": "between\n",
        "a/b/x.py": "x = 1\n",
        "a/b/c/LICENSE": "inside\n",
        "a/other/LICENSE": "beside\n",
        "package.json": '{"license": "MIT"}\n',
    }
    repository.commit("Add them all", dict(files))
    plan = plan_of(repository, subpaths=("a/b",), held_out=0)
    assert plan.licenses == {
        name: files[name] for name in ("package.json", "LICENSE", "a/LICENSE", "a/b/c/LICENSE")
    }
    assert plan.attributes == {".gitattributes": files[".gitattributes"]}
    everywhere = plan_of(repository, held_out=0).licenses
    assert set(everywhere) == {name for name in files if "LICENSE" in name or "package" in name}


def test_licences_are_those_of_time_t(make_repository, plan_of):
    repository = make_repository()
    repository.commit("Add it", {"LICENSE": "old\n", "x.py": "x = 1\n"})
    repository.commit("Change it", {"LICENSE": "new\n", "x.py": "x = 2\n"})
    assert plan_of(repository, held_out=0.5).licenses == {"LICENSE": "old\n"}


def test_more_commits_are_acted_out_than_asked_for_since_some_cannot_be(make_repository, plan_of):
    repository = make_repository()
    ids = [repository.commit(f"Number {n}", {"x.py": f"x = {n}\n"}) for n in range(12)]
    plan = plan_of(repository, held_out=0.25, replay={"max_commits": 1})
    replayed = {commit for each in plans(plan) for commit in each.replayed}
    assert replayed == {*ids[6:9], *ids[9:12]}
    assert not [each for each in plans(plan_of(repository)) if each.replayed]
    most = plan_of(repository, held_out=0.25, replay={"max_commits": 50})
    assert {commit for each in plans(most) for commit in each.replayed} == set(ids[1:])


def test_a_plan_is_the_same_however_the_repository_is_stored(make_repository, plan_of):
    repository = make_repository()
    for number in range(8):
        repository.commit(f"Number {number}", {f"m{number % 3}.py": f"x = {number}\n"})
    before = plan_of(repository)
    repository.git("repack", "-adfq")
    repository.git("commit-graph", "write", "--reachable")
    after = plan_of(repository)
    assert json.dumps(after.units) == json.dumps(before.units)
    assert (after.cut, after.held_out) == (before.cut, before.held_out)


def test_a_cut_without_a_date_lets_nothing_be_older(tmp_path, section):
    # Else what was discussed after it would be trained on: no date means no cut.
    git_dir = init(tmp_path / "app")
    steps = [Step({(b"x.py",): (b"100644", b"x = %d\n" % n)}, date=b"-1 +0000") for n in range(3)]
    commits = write_history(git_dir, steps)
    found = section({"type": "git", "path": tmp_path / "app"}, held_out_commits=1)
    plan = plan_git(
        open_repository(tmp_path / "app"), commits[-1], found.sources[0], found, Taint()
    )
    assert (plan.cut, plan.held_out) == (commits[1], {commits[2]})
    assert plan.cut_date == "1970-01-01T00:00:00+00:00"

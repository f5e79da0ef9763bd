import json
import os
import random
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devtune.data.sources.forge import open_forge
from devtune.errors import DevtuneError
from devtune.jsonl import to_json
from devtune.pipeline import ForgeSource
from devtune.records import Comment, Discussion, Rejected, ReviewComment

API = "https://api.github.com/repos/octo/app"
PAGE = "https://github.com/octo/app"
SHA = {letter: letter * 40 for letter in "abcdef"}
BLOB = "9" * 40


def user(login, kind="User"):
    return {"login": login, "id": 1, "node_id": "U_1", "type": kind}


def issue(number, day=1, **more):
    return {
        "id": number,
        "node_id": "I_1",
        "url": f"{API}/issues/{number}",
        "html_url": f"{PAGE}/issues/{number}",
        "number": number,
        "title": f"Issue {number}",
        "body": "It breaks.",
        "user": user("ada"),
        "comments": 0,
        "created_at": f"2024-03-{day:02}T12:00:00Z",
        "updated_at": f"2024-03-{day:02}T12:00:00Z",
        **more,
    }


def pull(number, day=1, **more):
    return {
        **issue(number, day),
        "url": f"{API}/pulls/{number}",
        "html_url": f"{PAGE}/pull/{number}",
        "title": f"Pull {number}",
        "merged_at": "2024-03-09T12:00:00Z",
        "merge_commit_sha": SHA["c"],
        "head": {"sha": SHA["b"]},
        "base": {"sha": SHA["a"]},
        **more,
    }


def comment(identity, number, day=1, **more):
    return {
        "id": identity,
        "node_id": "IC_1",
        "issue_url": f"{API}/issues/{number}",
        "html_url": f"{PAGE}/issues/{number}#issuecomment-{identity}",
        "body": f"Comment {identity}",
        "user": user("eve"),
        "created_at": f"2024-03-{day:02}T13:00:00Z",
        "updated_at": f"2024-03-{day:02}T13:00:00Z",
        **more,
    }


def line_comment(identity, number, day=1, **more):
    return {
        **comment(identity, number, day),
        "node_id": "PRRC_1",
        "issue_url": None,
        "pull_request_url": f"{API}/pulls/{number}",
        "path": "src/app.py",
        "diff_hunk": "@@ -1 +4,2 @@\n+a\n+b",
        "original_commit_id": SHA["b"],
        "original_line": 5,
        "side": "RIGHT",
        **more,
    }


def commit(sha, *parents):
    return {
        "sha": sha,
        "node_id": "C_1",
        "commit": {"message": "x"},
        "parents": [{"sha": each} for each in parents],
    }


@pytest.fixture
def read(tmp_path):
    def make(files, cut_date="", find_blob=lambda commit, path: BLOB):
        root = tmp_path / "export"
        for name, value in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            content = value if isinstance(value, bytes) else json.dumps(value).encode()
            (root / name).write_bytes(content)
        return Outcome(list(reader(root).discussions(cut_date, find_blob)))

    return make


class Outcome:
    def __init__(self, rows) -> None:
        self.rows = rows
        self.discussions = [each for each in rows if isinstance(each, Discussion)]
        self.rejected = [each for each in rows if isinstance(each, Rejected)]
        self.reasons = [(each.path, each.reason) for each in self.rejected]

    def __getitem__(self, number) -> Discussion:
        (found,) = (each for each in self.discussions if each.number == number)
        return found


def reader(path, name="issues"):
    return open_forge(ForgeSource(type="forge", path=path, repository="app"), name)


def test_pages_in_files_of_any_name_become_discussions_in_order(read):
    found = read(
        {
            "b/one": [pull(4, body="Fixes #3"), pull(2)],
            "two.txt": [issue(10), issue(3)],
            "a.json": [comment(21, 3, 2), comment(22, 4), comment(20, 3)],
            "c": line_comment(31, 4),
        }
    )
    assert found.rejected == []
    assert [(each.kind, each.number) for each in found.discussions] == [
        ("issue", 3),
        ("issue", 10),
        ("change_request", 2),
        ("change_request", 4),
    ]
    assert found[3] == Discussion(
        source="app",
        kind="issue",
        number=3,
        title="Issue 3",
        body="It breaks.",
        author="ada",
        date="2024-03-01T12:00:00+00:00",
        split="train",
        commits=(),
        closes=(),
        comments=(
            Comment("eve", "2024-03-01T13:00:00+00:00", "Comment 20"),
            Comment("eve", "2024-03-02T13:00:00+00:00", "Comment 21"),
        ),
        reviews=(),
    )
    assert found[4].closes == (3,)
    assert found[4].commits == (SHA["c"], SHA["b"])
    assert found[4].reviews == (
        ReviewComment(
            author="eve",
            date="2024-03-01T13:00:00+00:00",
            body="Comment 31",
            path="src/app.py",
            commit=SHA["b"],
            blob=BLOB,
            first_line=5,
            last_line=5,
            hunk="@@ -1 +4,2 @@\n+a\n+b",
            is_resolved=False,
        ),
    )


def test_a_single_file_is_read(tmp_path):
    file = tmp_path / "issues.jsonl"
    file.write_text("".join(json.dumps(issue(number)) + "\n" for number in (2, 1)))
    rows = list(reader(file).discussions("", lambda commit, path: ""))
    assert [each.number for each in rows] == [1, 2]


def test_what_was_opened_after_the_cut_is_held_out_and_later_comments_are_left_out(read):
    files = {
        "x": [issue(1, 1), issue(2, 5), pull(3, 1)],
        "y": [comment(11, 1, 2), comment(12, 1, 5), comment(13, 2, 6), line_comment(14, 3, 6)],
    }
    found = read(files, cut_date="2024-03-04T00:00:00+00:00")
    assert [each.split for each in found.discussions] == ["train", "held_out", "train"]
    assert [each.body for each in found[1].comments] == ["Comment 11"]
    assert [each.body for each in found[2].comments] == ["Comment 13"]
    assert found[3].reviews == ()
    assert [(each.reason, each.detail) for each in found.rejected] == [
        ("after_cut", "issue 1"),
        ("after_cut", "change_request 3"),
    ]


def test_what_happened_at_the_cut_is_trained(read):
    files = {"x": [issue(1, 4), comment(2, 1, 4, created_at="2024-03-04T12:00:00Z")]}
    found = read(files, cut_date="2024-03-04T12:00:00+00:00")
    assert found[1].split == "train"
    assert len(found[1].comments) == 1


def test_bots_empty_and_undated_comments_are_left_out_with_their_reason(read):
    files = {
        "a": [issue(1), issue(2, user=user("dependabot[bot]")), issue(3, created_at="soon")],
        "b": [
            comment(11, 1, user=user("ci", "Bot")),
            comment(12, 1, body=" \n"),
            comment(13, 1, created_at=None),
        ],
    }
    found = read(files)
    assert [each.number for each in found.discussions] == [1]
    assert found[1].comments == ()
    assert found.reasons == [
        ("b", "bot"),
        ("b", "empty_comment"),
        ("b", "no_date"),
        ("a", "bot"),
        ("a", "no_date"),
    ]


def test_an_approval_without_words_is_no_comment_and_no_loss(read):
    review = {
        "id": 5,
        "node_id": "PRR_1",
        "user": user("eve"),
        "body": "",
        "state": "APPROVED",
        "pull_request_url": f"{API}/pulls/1",
        "submitted_at": "2024-03-02T12:00:00Z",
        "commit_id": SHA["b"],
    }
    found = read({"x": [pull(1), review, {**review, "id": 6, "body": "Good."}]})
    assert [each.body for each in found[1].comments] == ["Good."]
    assert found.rejected == []


def test_what_belongs_to_nothing_or_to_another_repository_is_left_out(read):
    stranger = issue(9, html_url="https://github.com/else/app/issues/9")
    far = comment(12, 1, issue_url="https://api.github.com/repos/else/app/issues/1")
    found = read({"a": [issue(1), issue(2), stranger], "b": [comment(11, 77), far]})
    assert [each.number for each in found.discussions] == [1, 2]
    assert [(x.path, x.reason, x.detail) for x in found.rejected] == [
        ("a", "other_repository", "else/app 9"),
        ("b", "other_repository", "else/app 1"),
        ("b", "no_discussion", "number 77"),
    ]


def test_what_was_exported_twice_is_there_once_and_the_latest_counts(read):
    newer = {"updated_at": "2024-03-08T12:00:00Z"}
    links = {"pull_request": {"url": f"{API}/pulls/1"}}
    files = {
        "a": [pull(1), comment(11, 1, body="new", **newer)],
        "b": [issue(1, title="Newer", **newer, **links), comment(11, 1, body="old")],
    }
    found = read(files)
    assert found[1].title == "Newer"
    assert found[1].kind == "change_request"
    assert found[1].commits == (SHA["c"], SHA["b"])
    assert [each.body for each in found[1].comments] == ["new"]


def test_a_list_of_commits_is_followed_from_the_tip_to_where_the_branch_began(read):
    history = [commit(SHA["b"], SHA["d"]), commit(SHA["d"], SHA["a"]), commit(SHA["a"], SHA["e"])]
    found = read({"a": [pull(1)], "b": [*history, commit(SHA["e"])]})
    assert found[1].commits == (SHA["c"], SHA["b"], SHA["d"])


def test_a_history_that_does_not_meet_the_base_is_not_taken_for_a_branch(read):
    names = [SHA["b"], *(f"{number:040x}" for number in range(300))]
    history = [commit(*pair) for pair in zip(names, names[1:], strict=False)]
    assert read({"a": [pull(1)], "b": history})[1].commits == (SHA["c"], SHA["b"])


def test_threads_stand_together_and_the_oldest_comes_first(read):
    files = {
        "a": [
            pull(1),
            line_comment(12, 1, 2),
            line_comment(13, 1, 5, in_reply_to_id=11),
            line_comment(11, 1, 1),
        ]
    }
    assert [x.body for x in read(files)[1].reviews] == ["Comment 11", "Comment 13", "Comment 12"]


def test_blobs_are_asked_once_and_only_for_sound_paths(read):
    asked = []

    def find_blob(commit, path):
        asked.append((commit, path))
        return BLOB

    paths = ("ok.py", "ok.py", "../up", "/root", "a//b", "a\nb", "nul\0", "", ".")
    remarks = [line_comment(number, 1, path=path) for number, path in enumerate(paths, 10)]
    found = read({"x": [pull(1), *remarks]}, find_blob=find_blob)
    assert [each.blob for each in found[1].reviews] == [BLOB, BLOB, *[""] * 7]
    assert asked == [(SHA["b"], "ok.py")]


def test_blobs_come_from_the_repository(read, tmp_path):
    work = tmp_path / "work"
    work.mkdir()

    def git(*arguments):
        author = ("-c", "user.name=Ada", "-c", "user.email=ada@corp.test")
        command = ["git", *author, "-C", str(work), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    (work / "x.py").write_text("x = 1\n")
    git("add", "x.py")
    git("commit", "-qm", "x")
    head = git("rev-parse", "HEAD")
    remark = line_comment(11, 1, path="x.py", original_commit_id=head)
    found = read(
        {"x": [pull(1), remark]},
        find_blob=lambda commit, path: git("rev-parse", f"{commit}:{path}"),
    )
    assert found[1].reviews[0].blob == git("hash-object", "x.py")


GITLAB = "https://gitlab.corp.test/group/app/-"


def gitlab(kind, iid, **more):
    return {
        "id": 900 + iid,
        "iid": iid,
        "project_id": 4,
        "title": f"{kind} {iid}",
        "description": "Closes #1" if kind == "merge_requests" else "",
        "author": {"username": "ada"},
        "state": "merged",
        "created_at": "2024-03-01T12:00:00.000Z",
        "updated_at": "2024-03-01T12:00:00.000Z",
        "web_url": f"{GITLAB}/{kind}/{iid}",
        **({"target_branch": "main", "sha": SHA["b"]} if kind == "merge_requests" else {}),
        **more,
    }


def note(identity, iid, noteable="MergeRequest", **more):
    return {
        "id": identity,
        "body": f"Note {identity}",
        "author": {"username": "eve"},
        "created_at": "2024-03-02T12:00:00.000Z",
        "updated_at": "2024-03-02T12:00:00.000Z",
        "system": False,
        "noteable_id": 900 + iid,
        "noteable_type": noteable,
        "project_id": 4,
        "noteable_iid": iid,
        **more,
    }


def test_gitlab_counts_issues_and_merge_requests_apart(read):
    place = {"new_path": "a.py", "new_line": 3, "head_sha": SHA["b"], "position_type": "text"}
    thread = [note(21, 1, noteable_iid=None, position=place), note(22, 1, position=place)]
    thread[0]["resolved"] = True
    files = {
        "merge": [gitlab("merge_requests", 1)],
        "issues": [gitlab("issues", 1), gitlab("issues", 2, confidential=True)],
        "notes": [note(22, 1, position=place), note(23, 1, "Issue"), note(24, 1, system=True)],
        "threads": [{"id": "f" * 40, "individual_note": False, "notes": thread}],
        "commits": [
            {"id": SHA["b"], "short_id": "b", "parent_ids": []},
            {"id": SHA["d"], "short_id": "d", "parent_ids": []},
        ],
    }
    found = read(files)
    first, second = found.discussions
    assert (first.kind, first.number, second.kind, second.number) == (
        *("issue", 1),
        *("change_request", 1),
    )
    assert [each.body for each in first.comments] == ["Note 23"]
    assert [(each.body, each.is_resolved) for each in second.reviews] == [
        ("Note 21", True),
        ("Note 22", True),
    ]
    assert second.closes == (1,)
    assert second.commits == (SHA["b"], SHA["d"])
    assert found.reasons == [("issues", "confidential"), ("notes", "system_note")]


def test_gitea_lines_count_in_the_version_of_the_review(read):
    page = "https://git.corp.test/octo/app/pulls/1"
    head = {**pull(1), "html_url": page, "url": page, "merge_base": SHA["a"]}
    review = {
        "id": 51,
        "user": {"login": "eve"},
        "state": "COMMENT",
        "body": "",
        "commit_id": SHA["d"],
        "comments_count": 1,
        "submitted_at": "2024-03-02T12:00:00Z",
        "pull_request_url": page,
    }
    remark = {
        "id": 41,
        "body": "Why?",
        "user": {"login": "eve"},
        "resolver": None,
        "pull_request_review_id": 51,
        "created_at": "2024-03-02T12:00:00Z",
        "path": "a.py",
        "commit_id": SHA["e"],
        "diff_hunk": "@@ -1 +1 @@\n+a",
        "position": 7,
        "pull_request_url": page,
    }
    lost = {**remark, "id": 42, "pull_request_review_id": 99}
    del head["node_id"]
    found = read({"x": [head, review, remark, lost]})
    places = [(each.commit, each.first_line, each.blob) for each in found[1].reviews]
    assert places == [(SHA["d"], 7, BLOB), ("", 0, "")]


def test_what_is_no_export_is_left_out_with_its_reason(read, tmp_path):
    root = tmp_path / "export"
    root.mkdir()
    (root / "link.json").symlink_to("/etc/hostname")
    (root / "loop").symlink_to(".")
    os.mkfifo(root / "pipe")
    found = read(
        {
            ".git/config": b"[core]",
            "README": b"# Export",
            "cut.json": json.dumps([issue(1), issue(2)]).encode()[:-20],
            "latin.json": b'["\xff"]',
            "labels.json": [{"id": 1, "name": "bug", "color": "f00"}],
        }
    )
    assert [each.number for each in found.discussions] == [1]
    assert found.reasons == [
        ("README", "broken_json"),
        ("cut.json", "broken_json"),
        ("labels.json", "unknown_object"),
        ("latin.json", "not_utf8"),
        ("link.json", "symlink"),
        ("loop", "symlink"),
        ("pipe", "special_file"),
    ]
    assert found.rejected[2].detail == "line 1: id, name, color"
    assert found.rejected[2].source == "issues"


def test_a_path_that_is_no_export_is_one_line(tmp_path):
    missing = tmp_path / "missing"
    with pytest.raises(DevtuneError) as caught:
        reader(missing)
    expected = f"{missing}: no such file or directory; correct `path` of the source"
    assert str(caught.value) == expected
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DevtuneError) as caught:
        reader(tmp_path / "pipe")
    assert str(caught.value) == f"{tmp_path}/pipe: no regular file; correct `path` of the source"
    empty = tmp_path / "empty"
    empty.mkdir()
    for use in (lambda x: x.identify(), lambda x: list(x.discussions("", None))):
        with pytest.raises(DevtuneError) as caught:
            use(reader(empty))
        assert str(caught.value) == f"{empty}: no files in it; correct `path` of the source"


def test_the_identity_is_that_of_paths_and_contents(tmp_path):
    root = tmp_path / "export"
    root.mkdir()
    (root / "a").write_text("[]")
    first = reader(root).identify()
    assert reader(root).identify() == first
    (root / "a").write_text("[] ")
    second = reader(root).identify()
    (root / "a").rename(root / "b")
    assert len({first, second, reader(root).identify()}) == 3


def test_the_rows_do_not_depend_on_how_pages_are_cut(read, tmp_path):
    pieces = [issue(1), pull(2), comment(11, 1), comment(12, 1), line_comment(13, 2)]
    whole = read({"a": pieces}).rows
    (tmp_path / "export" / "a").unlink()
    files = {f"{number}": [each] for number, each in enumerate(reversed(pieces))}
    assert [to_json(each) for each in read(files).rows] == [to_json(each) for each in whole]


WHOLE = [
    issue(1, comments=[comment(11, 1)]),
    pull(2, review_comments=[line_comment(12, 2, in_reply_to_id=1)], commits=[commit(SHA["b"])]),
    comment(13, 1),
    gitlab("issues", 1),
    gitlab("merge_requests", 1, discussions=[{"id": "f", "individual_note": 1, "notes": []}]),
    {"id": "f", "individual_note": True, "notes": [note(21, 1, position={"new_line": 3})]},
    {
        "resolver": None,
        "id": 4,
        "body": "x",
        "diff_hunk": "@@",
        "pull_request_url": f"{PAGE}/pull/2",
    },
]
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(), max_size=5)
    | st.sampled_from([SHA["b"], "\ud800", "0001-01-01T00:00:00Z", f"{PAGE}/issues/{'9' * 15}"])
)
anything = st.recursive(
    scalars,
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=3), x, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.lists(anything, min_size=1, max_size=4), st.booleans())
def test_mangled_answers_never_crash_and_every_row_can_be_written(
    tmp_path_factory, seed, fillers, is_cut
):
    chance = random.Random(seed)

    def mangle(value):
        if chance.random() < 0.08:
            return chance.choice(fillers)
        if isinstance(value, dict):
            return {key: mangle(each) for key, each in value.items() if chance.random() > 0.03}
        return [mangle(each) for each in value] if isinstance(value, list) else value

    content = json.dumps(mangle(WHOLE), indent=chance.choice([None, 1])).encode()
    if is_cut:
        content = content[: chance.randrange(len(content))]
    file = tmp_path_factory.mktemp("fuzz") / "export"
    file.write_bytes(content)
    rows = list(reader(file).discussions("2024-03-01T12:00:00Z", lambda commit, path: BLOB))
    again = list(reader(file).discussions("2024-03-01T12:00:00Z", lambda commit, path: BLOB))
    written = [to_json(each).decode("utf-8") for each in rows]
    assert written == [to_json(each).decode("utf-8") for each in again]
    numbers = [(x.kind != "issue", x.number) for x in rows if isinstance(x, Discussion)]
    assert numbers == sorted(numbers)

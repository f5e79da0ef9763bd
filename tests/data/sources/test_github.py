from devtune.data.sources.github import read_github
from devtune.data.sources.pieces import BranchCommit, Head, Remark

API = "https://api.github.com/repos/Octo/App"
PAGE = "https://github.com/Octo/App"
SHA = {letter: letter * 40 for letter in "abcdef"}


def user(login, kind="User"):
    return {
        "login": login,
        "id": 1,
        "node_id": "MDQ6VXNlcjE=",
        "url": f"https://api.github.com/users/{login}",
        "type": kind,
        "site_admin": False,
    }


def issue(number=7, **more):
    return {
        "id": 1000 + number,
        "node_id": "I_1",
        "url": f"{API}/issues/{number}",
        "repository_url": API,
        "comments_url": f"{API}/issues/{number}/comments",
        "html_url": f"{PAGE}/issues/{number}",
        "number": number,
        "state": "open",
        "state_reason": None,
        "title": " It breaks ",
        "body": "First\r\nsecond",
        "user": user("ada"),
        "labels": [],
        "locked": False,
        "comments": 3,
        "closed_at": None,
        "created_at": "2024-03-01T12:00:00Z",
        "updated_at": "2024-03-02T12:00:00Z",
        "author_association": "MEMBER",
        **more,
    }


def pull(number=8, **more):
    branch = {"label": "Octo:fix", "ref": "fix", "user": user("ada"), "repo": None}
    return {
        "id": 2000 + number,
        "node_id": "PR_1",
        "url": f"{API}/pulls/{number}",
        "html_url": f"{PAGE}/pull/{number}",
        "diff_url": f"{PAGE}/pull/{number}.diff",
        "issue_url": f"{API}/issues/{number}",
        "number": number,
        "state": "closed",
        "locked": False,
        "title": "Mend it",
        "user": user("bob"),
        "body": None,
        "created_at": "2024-03-03T12:00:00+02:00",
        "updated_at": "2024-03-04T12:00:00Z",
        "closed_at": "2024-03-04T12:00:00Z",
        "merged_at": "2024-03-04T12:00:00Z",
        "merge_commit_sha": SHA["c"],
        "head": {**branch, "sha": SHA["b"]},
        "base": {**branch, "sha": SHA["a"]},
        **more,
    }


def comment(number=7, **more):
    return {
        "id": 31,
        "node_id": "IC_1",
        "url": f"{API}/issues/comments/31",
        "html_url": f"{PAGE}/issues/{number}#issuecomment-31",
        "issue_url": f"{API}/issues/{number}",
        "body": "Me too.",
        "user": user("eve"),
        "created_at": "2024-03-02T12:00:00Z",
        "updated_at": "2024-03-02T13:00:00Z",
        "author_association": "NONE",
        **more,
    }


def line_comment(number=8, **more):
    return {
        "url": f"{API}/pulls/comments/41",
        "pull_request_review_id": 51,
        "id": 41,
        "node_id": "PRRC_1",
        "diff_hunk": "@@ -1,2 +4,3 @@ def f():\n a\n-b\n+c\n+d",
        "path": "src/app.py",
        "position": 4,
        "original_position": 4,
        "commit_id": SHA["d"],
        "original_commit_id": SHA["b"],
        "user": user("eve"),
        "body": "Why two?",
        "created_at": "2024-03-03T13:00:00Z",
        "updated_at": "2024-03-03T13:00:00Z",
        "html_url": f"{PAGE}/pull/{number}#discussion_r41",
        "pull_request_url": f"{API}/pulls/{number}",
        "author_association": "MEMBER",
        "_links": {"self": {"href": f"{API}/pulls/comments/41"}},
        "start_line": None,
        "original_start_line": 5,
        "start_side": "RIGHT",
        "line": 9,
        "original_line": 6,
        "side": "RIGHT",
        "subject_type": "line",
        **more,
    }


def review(number=8, **more):
    return {
        "id": 51,
        "node_id": "PRR_1",
        "user": user("eve"),
        "body": "Nearly there.",
        "state": "CHANGES_REQUESTED",
        "html_url": f"{PAGE}/pull/{number}#pullrequestreview-51",
        "pull_request_url": f"{API}/pulls/{number}",
        "author_association": "MEMBER",
        "_links": {},
        "submitted_at": "2024-03-03T14:00:00Z",
        "commit_id": SHA["b"],
        **more,
    }


def commit(sha, *parents):
    person = {"name": "Ada", "email": "ada@corp.test", "date": "2024-03-03T10:00:00Z"}
    return {
        "sha": sha,
        "node_id": "C_1",
        "commit": {"author": person, "committer": person, "message": "Mend", "comment_count": 0},
        "url": f"{API}/commits/{sha}",
        "html_url": f"{PAGE}/commit/{sha}",
        "author": user("ada"),
        "committer": user("ada"),
        "parents": [{"sha": each, "url": f"{API}/commits/{each}"} for each in parents],
    }


def only(value):
    (piece,) = read_github(value)
    return piece


def test_an_issue_is_read():
    assert only(issue()) == Head(
        space="shared",
        number=7,
        project="octo/app",
        id=0,
        is_change_request=False,
        title="It breaks",
        body="First\nsecond",
        author="ada",
        is_bot=False,
        date="2024-03-01T12:00:00+00:00",
        updated="2024-03-02T12:00:00+00:00",
        repository="octo/app",
    )


def test_a_pull_request_is_read_with_its_commits_and_in_utc():
    head = only(pull())
    assert head.is_change_request
    assert head.date == "2024-03-03T10:00:00+00:00"
    assert head.body == ""
    assert (head.tip, head.bases, head.merged_as) == (SHA["b"], (SHA["a"],), (SHA["c"],))


def test_the_trial_merge_of_an_open_pull_request_is_not_its_commit():
    assert only(pull(merged_at=None)).merged_as == ()


def test_a_pull_request_in_the_list_of_issues_is_one():
    links = {"url": f"{API}/pulls/7", "html_url": f"{PAGE}/pull/7", "merged_at": None}
    assert only(issue(pull_request=links)).is_change_request


def test_a_comment_finds_its_issue_and_a_review_its_pull_request():
    remark = only(comment())
    assert (remark.kind, remark.number, remark.project) == ("comment", 7, "octo/app")
    assert (remark.author, remark.body, remark.id) == ("eve", "Me too.", 31)
    assert remark.date == "2024-03-02T12:00:00+00:00"
    remark = only(review())
    assert (remark.kind, remark.number, remark.commit) == ("review", 8, SHA["b"])
    assert remark.date == "2024-03-03T14:00:00+00:00"
    assert remark.omitted == ""
    assert only(review(state="PENDING")).omitted == "draft"


def test_a_comment_on_lines_stands_on_the_version_the_reviewer_saw():
    remark = only(line_comment())
    assert (remark.kind, remark.number, remark.path) == ("line", 8, "src/app.py")
    assert (remark.commit, remark.first_line, remark.last_line) == (SHA["b"], 5, 6)
    assert remark.hunk.startswith("@@ -1,2 +4,3 @@")
    assert not remark.is_resolved


def test_an_answer_is_in_the_thread_of_what_it_answers():
    answer = only(line_comment(id=42, in_reply_to_id=41))
    assert answer.thread == only(line_comment()).thread == "41"


def lines(**more):
    remark = only(line_comment(**more))
    return remark.first_line, remark.last_line


def test_lines_of_removed_code_and_of_whole_files_are_none():
    assert lines(side="LEFT") == (0, 0)
    assert lines(subject_type="file", original_line=1) == (0, 0)
    assert lines(start_side="LEFT", original_start_line=2) == (6, 6)
    assert lines(original_start_line=None) == (6, 6)
    assert lines(original_start_line=9) == (6, 6)


def test_a_line_that_is_not_told_is_counted_in_the_hunk():
    old = {"original_line": None, "original_start_line": None}
    assert lines(**old) == (6, 6)
    assert lines(**old, diff_hunk="@@ -9 +20 @@\n+x\n\\ No newline at end of file") == (20, 20)
    assert lines(**old, diff_hunk="@@ -1,2 +4,1 @@\n a\n-b") == (0, 0)
    assert lines(**old, diff_hunk="no hunk") == (0, 0)


def test_commits_carry_their_parents():
    found = only(commit(SHA["b"], SHA["a"], SHA["c"]))
    assert found == BranchCommit(SHA["b"], (SHA["a"], SHA["c"]))


def test_bots_are_known_by_type_or_by_name():
    for account in (
        user("dependabot[bot]"),
        user("ci", "Bot"),
        user("k8s-ci-robot"),
        user("renovate"),
    ):
        assert only(comment(user=account)).omitted == "bot"
        assert only(issue(user=account)).is_bot
    for login in ("talbot", "abbott", "robotics-fan"):
        assert only(comment(user=user(login))).omitted == ""


def test_a_comment_of_a_deleted_account_has_no_author():
    assert only(comment(user=None)).author == ""


def test_what_is_nested_belongs_to_its_pull_request():
    whole = pull(
        comments=[comment(number=99), {"what": "else"}],
        reviews=[review(number=99)],
        review_comments=[line_comment(number=99)],
        commits=[commit(SHA["d"]), commit(SHA["b"], SHA["d"])],
    )
    head, *rest = read_github(whole)
    assert head.commits == (SHA["d"], SHA["b"])
    assert [(each.kind, each.number) for each in rest if isinstance(each, Remark)] == [
        ("comment", 8),
        ("line", 8),
        ("review", 8),
    ]
    assert rest.count(None) == 1


def test_an_issue_inside_an_issue_is_not_known():
    assert read_github(issue(comments=[issue(9)]))[1:] == [None]


def test_other_answers_are_not_known():
    milestone = {**issue(), "creator": user("ada")}
    del milestone["user"]
    event = comment(event="subscribed")
    for value in (
        {},
        milestone,
        event,
        {**issue(), "number": "7"},
        {**issue(), "number": True},
        {"sha": "x"},
    ):
        assert read_github(value) == []


def test_the_comments_of_a_timeline_are_read():
    assert only(comment(event="commented")).body == "Me too."

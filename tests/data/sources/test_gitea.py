from devtune.data.sources.gitea import read_gitea
from devtune.data.sources.pieces import BranchCommit, Remark

API = "https://git.corp.test/gitea/api/v1/repos/Octo/App"
PAGE = "https://git.corp.test/gitea/Octo/App"
SHA = {letter: letter * 40 for letter in "abcdef"}


def user(login):
    return {
        "id": 1,
        "login": login,
        "login_name": "",
        "full_name": "",
        "email": f"{login}@noreply.corp.test",
        "is_admin": False,
        "username": login,
    }


def issue(number=7, **more):
    return {
        "id": 100 + number,
        "url": f"{API}/issues/{number}",
        "html_url": f"{PAGE}/issues/{number}",
        "number": number,
        "user": user("ada"),
        "original_author": "",
        "original_author_id": 0,
        "title": "It breaks",
        "body": "First",
        "ref": "",
        "assets": [],
        "labels": [],
        "state": "open",
        "is_locked": False,
        "comments": 1,
        "created_at": "2024-03-01T12:00:00+01:00",
        "updated_at": "2024-03-02T12:00:00Z",
        "closed_at": None,
        "pull_request": None,
        "repository": {"id": 1, "name": "App", "owner": "Octo", "full_name": "Octo/App"},
        "pin_order": 0,
        **more,
    }


def pull(number=8, **more):
    branch = {"label": "main", "ref": "main", "repo_id": 1, "repo": None}
    return {
        "id": 200 + number,
        "url": f"{PAGE}/pulls/{number}",
        "number": number,
        "user": user("bob"),
        "title": "Mend it",
        "body": "",
        "labels": [],
        "is_locked": False,
        "comments": 0,
        "html_url": f"{PAGE}/pulls/{number}",
        "mergeable": False,
        "merged": True,
        "merged_at": "2024-03-04T12:00:00Z",
        "merge_commit_sha": SHA["c"],
        "merged_by": user("ada"),
        "allow_maintainer_edit": False,
        "base": {**branch, "sha": SHA["e"]},
        "head": {**branch, "sha": SHA["b"]},
        "merge_base": SHA["a"],
        "created_at": "2024-03-03T12:00:00Z",
        "updated_at": "2024-03-04T12:00:00Z",
        **more,
    }


def comment(number=7, pulls=False, **more):
    page = f"{PAGE}/{'pulls' if pulls else 'issues'}/{number}"
    return {
        "id": 31,
        "html_url": f"{page}#issuecomment-31",
        "pull_request_url": page if pulls else "",
        "issue_url": "" if pulls else page,
        "user": user("eve"),
        "original_author": "",
        "original_author_id": 0,
        "body": "Me too.",
        "assets": [],
        "created_at": "2024-03-02T12:00:00Z",
        "updated_at": "2024-03-02T12:00:00Z",
        **more,
    }


def review(number=8, **more):
    return {
        "id": 51,
        "user": user("eve"),
        "team": None,
        "state": "REQUEST_CHANGES",
        "body": "Nearly.",
        "commit_id": SHA["b"],
        "stale": False,
        "official": True,
        "dismissed": False,
        "comments_count": 1,
        "submitted_at": "2024-03-03T14:00:00Z",
        "updated_at": "2024-03-03T14:00:00Z",
        "html_url": f"{PAGE}/pulls/{number}#issuecomment-60",
        "pull_request_url": f"{PAGE}/pulls/{number}",
        **more,
    }


def line_comment(number=8, **more):
    return {
        "id": 41,
        "body": "Why two?",
        "user": user("eve"),
        "resolver": None,
        "pull_request_review_id": 51,
        "created_at": "2024-03-03T13:00:00Z",
        "updated_at": "2024-03-03T13:00:00Z",
        "path": "src/app.py",
        "commit_id": SHA["d"],
        "original_commit_id": "",
        "diff_hunk": "@@ -1,2 +4,3 @@\n a\n-b\n+c\n+d",
        "position": 6,
        "original_position": 0,
        "html_url": f"{PAGE}/pulls/{number}#issuecomment-41",
        "pull_request_url": f"{PAGE}/pulls/{number}",
        **more,
    }


def commit(sha, *parents):
    person = {"name": "Ada", "email": "ada@corp.test", "date": "2024-03-03T10:00:00Z"}
    return {
        "url": f"{API}/git/commits/{sha}",
        "sha": sha,
        "created": "2024-03-03T10:00:00Z",
        "html_url": f"{PAGE}/commit/{sha}",
        "commit": {"url": "", "author": person, "committer": person, "message": "Mend"},
        "author": user("ada"),
        "committer": user("ada"),
        "parents": [
            {"url": "", "sha": each, "created": "0001-01-01T00:00:00Z"} for each in parents
        ],
    }


def only(value):
    (piece,) = read_gitea(value)
    return piece


def test_an_issue_is_read_also_where_the_forge_is_below_a_path():
    head = only(issue())
    assert (head.number, head.project, head.repository) == (7, "octo/app", "octo/app")
    assert (head.title, head.body, head.author) == ("It breaks", "First", "ada")
    assert head.date == "2024-03-01T11:00:00+00:00"
    assert not head.is_change_request
    assert only(issue(pull_request={"merged": False, "merged_at": None})).is_change_request


def test_a_pull_request_is_read_with_its_commits():
    head = only(pull())
    assert head.is_change_request
    assert (head.tip, head.bases) == (SHA["b"], (SHA["e"], SHA["a"]))
    assert head.merged_as == (SHA["c"],)
    assert only(pull(merged=False, merged_at=None)).merged_as == ()


def test_comments_find_issues_and_pull_requests_by_their_pages():
    assert (only(comment()).kind, only(comment()).number) == ("comment", 7)
    assert only(comment(8, pulls=True)).number == 8
    assert only(comment()).project == "octo/app"


def test_a_review_tells_the_version():
    remark = only(review())
    assert (remark.kind, remark.number, remark.commit) == ("review", 8, SHA["b"])
    assert remark.date == "2024-03-03T14:00:00+00:00"


def test_a_position_is_a_line_in_the_version_of_the_review():
    remark = only(line_comment())
    assert (remark.kind, remark.number, remark.review_id) == ("line", 8, 51)
    assert (remark.first_line, remark.last_line, remark.commit) == (6, 6, "")
    assert not remark.is_resolved
    assert only(line_comment(resolver=user("bob"))).is_resolved
    removed = only(line_comment(position=0, original_position=2))
    assert (removed.first_line, removed.last_line) == (0, 0)


def test_remarks_of_a_review_on_one_line_are_a_thread():
    first, second = only(line_comment()), only(line_comment(id=42))
    assert first.thread == second.thread
    for other in ({"position": 7}, {"path": "b.py"}, {"pull_request_review_id": 52}):
        assert only(line_comment(**other)).thread != first.thread


def test_what_a_timeline_says_happened_is_no_comment():
    event = {"type": "label", "old_title": "", "new_title": ""}
    assert only(comment(**event)).omitted == "system_note"
    assert only(comment(**{**event, "type": "comment"})).omitted == ""


def test_commits_carry_their_parents():
    assert only(commit(SHA["b"], SHA["a"])) == BranchCommit(SHA["b"], (SHA["a"],))


def test_what_is_nested_belongs_to_its_pull_request():
    whole = pull(
        comments=[comment(99)],
        reviews=[review(99)],
        review_comments=[line_comment(99), issue(99)],
        commits=[commit(SHA["b"])],
    )
    head, *rest = read_gitea(whole)
    assert head.commits == (SHA["b"],)
    assert [each.number for each in rest if isinstance(each, Remark)] == [8, 8, 8]
    assert rest.count(None) == 1


def test_answers_of_github_and_others_are_not_known():
    for value in (
        {},
        {**issue(), "node_id": "I_1"},
        {"assets": [], "id": 1},
        {**issue(), "number": None},
    ):
        assert read_gitea(value) == []

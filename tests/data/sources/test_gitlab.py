from devtune.data.sources.gitlab import read_gitlab
from devtune.data.sources.pieces import BranchCommit, Head

PAGE = "https://gitlab.corp.test/group/sub/app/-"
SHA = {letter: letter * 40 for letter in "abcdef"}


def author(username):
    return {
        "id": 1,
        "username": username,
        "name": "Ada",
        "state": "active",
        "avatar_url": None,
        "web_url": f"https://gitlab.corp.test/{username}",
    }


def issue(iid=7, **more):
    return {
        "id": 900 + iid,
        "iid": iid,
        "project_id": 4,
        "title": "It breaks",
        "description": "First",
        "state": "opened",
        "created_at": "2024-03-01T12:00:00.123+01:00",
        "updated_at": "2024-03-02T12:00:00.000Z",
        "closed_at": None,
        "labels": [],
        "author": author("ada"),
        "type": "ISSUE",
        "issue_type": "issue",
        "user_notes_count": 1,
        "confidential": False,
        "web_url": f"{PAGE}/issues/{iid}",
        "references": {"short": f"#{iid}", "full": f"group/sub/app#{iid}"},
        **more,
    }


def merge_request(iid=7, **more):
    return {
        "id": 800 + iid,
        "iid": iid,
        "project_id": 4,
        "title": "Mend it",
        "description": None,
        "state": "merged",
        "created_at": "2024-03-03T12:00:00.000Z",
        "updated_at": "2024-03-04T12:00:00.000Z",
        "merged_at": "2024-03-04T12:00:00.000Z",
        "target_branch": "main",
        "source_branch": "fix",
        "author": author("bob"),
        "source_project_id": 4,
        "target_project_id": 4,
        "draft": False,
        "sha": SHA["b"],
        "merge_commit_sha": SHA["c"],
        "squash_commit_sha": SHA["d"],
        "web_url": f"{PAGE}/merge_requests/{iid}",
        "diff_refs": {"base_sha": SHA["a"], "head_sha": SHA["b"], "start_sha": SHA["a"]},
        **more,
    }


def note(iid=7, noteable="MergeRequest", **more):
    return {
        "id": 31,
        "type": None,
        "body": "Me too.",
        "attachment": None,
        "author": author("eve"),
        "created_at": "2024-03-03T13:00:00.000Z",
        "updated_at": "2024-03-03T13:00:00.000Z",
        "system": False,
        "noteable_id": 800 + iid,
        "noteable_type": noteable,
        "project_id": 4,
        "resolvable": False,
        "confidential": False,
        "internal": False,
        "noteable_iid": iid,
        **more,
    }


def position(**more):
    return {
        "base_sha": SHA["a"],
        "start_sha": SHA["a"],
        "head_sha": SHA["b"],
        "old_path": "old.py",
        "new_path": "new.py",
        "position_type": "text",
        "old_line": None,
        "new_line": 6,
        "line_range": {
            "start": {"line_code": "x_1_5", "type": "new", "old_line": None, "new_line": 5},
            "end": {"line_code": "x_1_6", "type": "new", "old_line": None, "new_line": 6},
        },
        **more,
    }


def line_note(**more):
    place = position(**more.pop("position", {}))
    thread = {"type": "DiffNote", "resolvable": True, "resolved": False}
    return note(**{**thread, **more}, position=place)


def discussion(*notes, name="f" * 40):
    return {"id": name, "individual_note": False, "notes": list(notes)}


def commit(sha, *parents):
    return {
        "id": sha,
        "short_id": sha[:8],
        "created_at": "2024-03-03T10:00:00.000Z",
        "parent_ids": list(parents),
        "title": "Mend",
        "message": "Mend\n",
        "author_name": "Ada",
        "author_email": "ada@corp.test",
        "web_url": f"{PAGE}/commit/{sha}",
    }


def only(value):
    (piece,) = read_gitlab(value)
    return piece


def test_an_issue_is_read():
    assert only(issue()) == Head(
        space="issue",
        number=7,
        project="4",
        id=907,
        is_change_request=False,
        title="It breaks",
        body="First",
        author="ada",
        is_bot=False,
        date="2024-03-01T11:00:00+00:00",
        updated="2024-03-02T12:00:00+00:00",
        repository="group/sub/app",
    )


def test_a_merge_request_is_read_with_its_commits():
    head = only(merge_request())
    assert (head.space, head.number, head.is_change_request) == ("change_request", 7, True)
    assert (head.tip, head.bases, head.body) == (SHA["b"], (SHA["a"],), "")
    assert head.merged_as == (SHA["d"], SHA["c"])
    assert only(merge_request(state="opened")).merged_as == ()


def test_notes_belong_to_issues_or_to_merge_requests():
    remark = only(note())
    assert (remark.kind, remark.space, remark.number) == ("comment", "change_request", 7)
    assert (remark.id, remark.author, remark.body, remark.project) == (31, "eve", "Me too.", "4")
    assert only(note(noteable="Issue")).space == "issue"
    remark = only(note(noteable_iid=None))
    assert (remark.number, remark.parent_id) == (0, 807)


def test_a_note_on_lines_stands_on_the_head_of_its_version():
    remark = only(line_note(resolved=True))
    assert (remark.kind, remark.path, remark.commit) == ("line", "new.py", SHA["b"])
    assert (remark.first_line, remark.last_line, remark.is_resolved) == (5, 6, True)
    assert remark.hunk == ""


def lines(**place):
    remark = only(line_note(position=place))
    return remark.first_line, remark.last_line


def test_lines_of_removed_code_and_of_images_are_none():
    assert lines(new_line=None, old_line=3) == (0, 0)
    assert lines(position_type="image", new_line=None) == (0, 0)
    assert lines(position_type="file") == (0, 0)
    assert lines(line_range=None) == (6, 6)
    assert lines(line_range={"start": {"new_line": 9}}) == (6, 6)


def test_the_notes_of_a_discussion_are_one_thread():
    first, second = read_gitlab(discussion(line_note(), line_note(id=32)))
    assert first.thread == second.thread == "f" * 40
    assert (first.id, second.id) == (31, 32)
    assert read_gitlab(discussion({"what": "else"})) == [None]


def test_system_notes_bots_and_what_is_not_for_all_are_named():
    assert only(note(system=True)).omitted == "system_note"
    assert only(note(internal=True)).omitted == "confidential"
    assert only(issue(confidential=True)).is_confidential
    for name in ("project_4_bot_1f2e", "group_9_bot", "release-bot"):
        assert only(note(author=author(name))).omitted == "bot"
        assert only(issue(author=author(name))).is_bot
    assert only(note(author={**author("x"), "bot": True})).omitted == "bot"
    assert only(note(author=author("talbot"))).omitted == ""


def test_commits_come_with_parents_or_without():
    assert only(commit(SHA["b"], SHA["a"])) == BranchCommit(SHA["b"], (SHA["a"],))
    assert only(commit(SHA["b"])) == BranchCommit(SHA["b"], (), has_parents=False)


def test_what_is_nested_belongs_to_its_merge_request():
    whole = merge_request(
        notes=[note(iid=99)],
        discussions=[discussion(line_note(id=32)), issue()],
        commits=[commit(SHA["b"]), commit(SHA["e"])],
    )
    head, *rest = read_gitlab(whole)
    assert head.commits == (SHA["b"], SHA["e"])
    assert [(each.kind, each.number, each.space) for each in rest if each] == [
        ("comment", 7, "change_request"),
        ("line", 7, "change_request"),
    ]
    assert rest.count(None) == 1


def test_other_answers_are_not_known():
    milestone = {key: value for key, value in issue().items() if key != "author"}
    epic = {**issue(), "group_id": 3}
    del epic["project_id"]
    for value in ({}, milestone, epic, {**issue(), "iid": 0}, {**issue(), "iid": "7"}):
        assert read_gitlab(value) == []

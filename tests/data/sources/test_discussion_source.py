import json

import pytest

from devtune.data.collect import identify
from devtune.jsonl import read_jsonl
from devtune.records import Source

PAGE = "https://github.com/octo/app"
API = "https://api.github.com/repos/octo/app"


def issue(number, moment, **more):
    return {
        "id": number, "node_id": "I_1", "url": f"{API}/issues/{number}", "number": number,
        "html_url": f"{PAGE}/issues/{number}", "title": f"Issue {number}", "body": "It breaks.",
        "user": {"login": "ada", "type": "User"}, "created_at": moment, "comments": 0, **more,
    }  # fmt: skip


def remark(identity, number, moment, **more):
    return {
        "id": identity, "node_id": "IC_1", "issue_url": f"{API}/issues/{number}",
        "html_url": f"{PAGE}/issues/{number}#issuecomment-{identity}", "body": f"Remark {identity}",
        "user": {"login": "eve", "type": "User"}, "created_at": moment, **more,
    }  # fmt: skip


@pytest.fixture
def history(make_repository):
    # Commits at minutes 0 to 5 of 2024; the cut for a third is at minute 3.
    repository = make_repository()
    for number in range(6):
        repository.commit(f"Number {number}", {"x.py": f"x = {number}\n", f"n{number}.py": "n\n"})
    return repository


@pytest.fixture
def exported(tmp_path):
    def make(*objects):
        file = tmp_path / "export.json"
        file.write_text(json.dumps(objects))
        return {"type": "forge", "path": file, "repository": "app"}

    return make


def at(minute):
    return f"2024-01-01T00:{minute:02}:30Z"


def test_what_was_opened_after_the_cut_is_held_out(history, exported, corpus):
    tracker = exported(
        issue(1, at(0)), issue(2, at(5)), remark(11, 1, at(2)), remark(12, 1, at(4)),
        remark(13, 2, at(5)),
    )  # fmt: skip
    found = corpus(history.source(), tracker, held_out=0.33)
    (source, forge) = read_jsonl(found.out / "sources.jsonl", Source)
    assert source.cut == history.git("rev-parse", "main~2")
    assert (forge.name, forge.kind, forge.tip, forge.cut) == ("export.json", "forge", "", "")
    assert [(each.number, each.split) for each in found.discussions] == [
        (1, "train"),
        (2, "held_out"),
    ]
    assert [each.body for each in found.discussions[0].comments] == ["Remark 11"]
    assert [row.reason for row in found.rejected] == ["after_cut"]
    assert {each.source for each in found.discussions} == {"app"}
    assert found.outcome.counts["discussions_train"] == 1
    assert found.outcome.counts["discussions_held_out"] == 1


def test_where_history_is_not_cut_all_discussions_are_trained_on(history, exported, corpus):
    tracker = exported(issue(1, at(0)), issue(2, at(5)), remark(12, 1, at(5)))
    found = corpus(tracker, history.source(), held_out=0)
    assert [(each.number, each.split) for each in found.discussions] == [(1, "train"), (2, "train")]
    assert found.rejected == []


def test_a_review_knows_the_blob_it_talks_about(history, exported, corpus):
    commit = history.git("rev-parse", "main~4")
    pull = issue(
        7, at(1), url=f"{API}/pulls/7", html_url=f"{PAGE}/pull/7", merged_at=at(2),
        merge_commit_sha=commit, head={"sha": commit}, base={"sha": commit},
    )  # fmt: skip
    reviews = [
        remark(
            identity, 7, at(1), node_id="PRRC_1", issue_url=None, pull_request_url=f"{API}/pulls/7",
            path=path, diff_hunk="@@ -1 +1 @@\n+x = 1", original_commit_id=commit, original_line=1,
            side="RIGHT",
        )
        for identity, path in ((1, "x.py"), (2, "../x.py"), (3, "none.py"))
    ]  # fmt: skip
    found = corpus(history.source(), exported(pull, *reviews), held_out=0.33)
    (discussion,) = found.discussions
    blobs = {each.path: each.blob for each in discussion.reviews}
    assert blobs["x.py"] == history.git("rev-parse", f"{commit}:x.py")
    assert set(blobs.values()) - {""} == {blobs["x.py"]}


def test_no_secret_of_an_export_is_kept_and_one_given_away_there_is_known_everywhere(
    history, exported, corpus, canaries
):
    history.commit("Post", {"post.py": f"P = '{canaries['password']}'\n"})
    url = f"postgres://svc:{canaries['password']}@db.corp/prod"
    body = f"It says\n\n    {url}\n\nand {canaries['github']}"
    tracker = exported(
        issue(1, at(0), title=f"Leak of {canaries['slack']}", body=body),
        remark(11, 1, at(1), body=f"My key is {canaries['github']}\n{canaries['pem']}\n"),
        {"number": canaries["github"], "strange": canaries["slack"]},
    )
    found = corpus(history.source(), tracker, held_out=0)
    written = b"".join(each.read_bytes() for each in found.out.iterdir()).decode()
    pieces = [*canaries["pem"].splitlines()[1:-1], *(canaries[k] for k in canaries if k != "pem")]
    assert not [piece for piece in pieces if piece in written]
    assert found.texts("train")["post.py"] == "P = 'REDACTED_GENERIC_CREDENTIAL_URI_1'\n"
    assert found.discussions[0].body.count("REDACTED_") == 2


def test_an_export_alone_is_not_enough_to_train_on(history, exported, section, collect_fails):
    history.git("rm", "-rq", ".")
    history.commit("Remove all", {"empty.py": ""})
    sections = section(
        history.source(), exported(issue(1, at(0))), held_out=0, commit_rules=[
            {"type": "message", "min_words": 50},
        ],
    )  # fmt: skip
    assert collect_fails(sections).startswith("app: nothing to train on: all 8 files and commits")


def test_the_identity_of_an_export_follows_its_content(history, exported, section):
    before = identify(section(history.source(), exported(issue(1, at(0)))))
    assert set(before) == {"app", "export.json"}
    assert identify(section(history.source(), exported(issue(1, at(0))))) == before
    assert identify(section(history.source(), exported(issue(2, at(0))))) != before

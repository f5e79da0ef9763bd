import ast
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from devtune.data.privacy.personal import find_personal, load_personal_policy
from devtune.errors import RecipeError
from devtune.fingerprint import identity_of
from tests.data.conftest import ADA

DEFAULT = Path(__file__).resolve().parents[3] / "data_prep" / "policy" / "personal_data.yaml"
OURS = Path("ours.yaml")
TEXT = """\
# Author: Ada Lovelace <ada@corp-x.com>
PHONE = "+49 30 901820"
IBAN = "DE89 3704 0044 0532 0130 00"
CARD = "4539 5787 6362 1486"
URL = "http://93.184.216.34/"
HOST = "db-1.corp"
BADGE = "E123456"
"""
KINDS = ("NAME", "EMAIL", "PHONE", "IBAN", "CARD", "IP_ADDRESS", "HOST", "EMPLOYEE_ID")


def policy(tmp_path: Path, **changes):
    content = YAML(typ="safe").load(DEFAULT.read_text(encoding="utf-8"))
    content["employee_ids"] = [r"\bE\d{6}\b"]
    for key, value in changes.items():
        part = content.setdefault(key, value)
        if isinstance(value, dict):
            part.update(value)
        else:
            content[key] = value
    file = tmp_path / OURS
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def kinds(text: str, file: Path) -> list[str]:
    return [each.kind for each in find_personal(text, load_personal_policy(file))]


def test_every_kind_is_found_and_says_so(tmp_path):
    found = find_personal(TEXT, load_personal_policy(policy(tmp_path)))
    assert tuple(each.kind for each in found) == KINDS
    assert {each.rule for each in found} == {f"personal.{kind.lower()}" for kind in KINDS}
    assert all(each.is_personal and not each.is_generic for each in found)
    values = [TEXT[each.start : each.end] for each in found]
    assert values[:2] == ["Ada Lovelace", "ada@corp-x.com"]
    assert values[-1] == "E123456"


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_the_policy_keeps_is_not_found(tmp_path, kind):
    kept = policy(tmp_path, kinds={kind.lower(): "keep"})
    assert tuple(kinds(TEXT, kept)) == tuple(each for each in KINDS if each != kind)


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.com ada@mail.example.org ada@corp.test ada@x.invalid",
        "noreply@corp-x.com 12+ada@users.noreply.github.com git@forge.com info@corp-x.com",
        "localhost 127.0.0.1 10.1.2.3 172.16.9.8 192.168.1.1 host 8.8.8.8 255.255.255.0",
        "2001:db8::1 fe80::1 fd00::1 2001:4860:4860::8888",
        "card '4111111111111111' or '4242 4242 4242 4242'",
        "call +1 202-555-0143",
        "@author The Monolog Team\n@author Acme Inc.\n@author Contributors",
        "Copyright (c) 2020 Ada Lovelace <ada@corp-x.com>",
    ],
)
def test_what_is_public_stays(text):
    assert kinds(text, DEFAULT) == []


def test_what_is_public_is_for_the_policy_to_say(tmp_path):
    none = {key: [] for key in ("emails", "names", "phones", "cards", "networks")}
    assert kinds("ada@example.com", policy(tmp_path, keep=none)) == ["EMAIL"]
    assert kinds("10.1.2.3:80", policy(tmp_path, keep=none)) == ["IP_ADDRESS"]
    assert kinds("@author The Monolog Team", policy(tmp_path, keep=none)) == []
    assert kinds("@author Monolog Project", policy(tmp_path, keep=none)) == ["NAME"]


def test_owners_of_rights_are_replaced_where_the_policy_says_so(tmp_path):
    text = "Copyright (c) 2020 Ada Lovelace <ada@corp-x.com>"
    assert kinds(text, policy(tmp_path, licenses="replace")) == ["NAME", "EMAIL"]
    assert kinds(text, policy(tmp_path, licenses="keep")) == []


def test_people_of_examples_keep_their_names():
    assert kinds('{"name": "Ada Lovelace", "email": "ada@example.com"}', DEFAULT) == []
    assert kinds('{"name": "Ada Lovelace", "email": "ada@corp-x.com"}', DEFAULT) == [
        "NAME",
        "EMAIL",
    ]


def test_the_host_of_an_address_is_part_of_it():
    text = "ada@db-1.corp, then db-1.corp"
    found = find_personal(text, load_personal_policy(DEFAULT))
    assert [(each.kind, each.start) for each in found] == [("EMAIL", 0), ("HOST", 20)]


def test_placeholders_are_no_personal_data():
    text = (
        "Author: REDACTED_NAME_3\n@author REDACTED_NAME_0123456789abcdef\n"
        "Signed-off-by: REDACTED_NAME_1 <REDACTED_EMAIL_2>\n"
    )
    assert kinds(text, DEFAULT) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"authors": "hide"}, "authors: Input should be 'pseudonym' or 'keep'"),
        ({"kinds": {"shoe_size": "keep"}}, "unknown key 'kinds.shoe_size'"),
        ({"employee_ids": ["("]}, "employee_ids.0: bad regular expression '('"),
        ({"employee_ids": [r"\d*"]}, "matches the empty text; write what an id looks like"),
        ({"internal_hosts": ["*.*"]}, "'*.*' matches almost everything; write three letters"),
        ({"keep": {"networks": ["10.0.0.0/99"]}}, "keep.networks.0: '10.0.0.0/99' is no address"),
        ({"keep": {"emails": [""]}}, "keep.emails.0: "),
    ],
)
def test_a_bad_policy_is_one_line(tmp_path, changes, message):
    file = policy(tmp_path, **changes)
    with pytest.raises(RecipeError) as caught:
        load_personal_policy(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_key_of_the_default_policy_has_a_sentence_above_it():
    lines = DEFAULT.read_text(encoding="utf-8").splitlines()
    keys = [
        number for number, line in enumerate(lines) if line.strip().partition(":")[0].isidentifier()
    ]
    assert len(keys) == 19
    for number in keys:
        assert lines[number - 1].strip().startswith("#"), lines[number]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["@", "a.com", "author: ", "A B", "\n", " ", "1.2.3.4", "::1", "+49 30 ", "DE89", "é"]
            + ["3704 0044", "(c) ", "phone ", "x-1.corp", "<", ">", '"', "-by: ", "todo(", "🚀"]
        )
    ).map("".join)
    | st.text()
)
def test_spans_lie_in_the_text_in_order_and_hold_something(text):
    found = find_personal(text, load_personal_policy(DEFAULT))
    ends = [each.end for each in found]
    assert [each.start for each in found] == sorted(each.start for each in found)
    assert ends == sorted(set(ends))
    assert all(0 <= each.start < each.end <= len(text) for each in found)


PERSONAL_CODE = '''\
"""Read numbers.

@author Ada Lovelace <ada@corp-x.com>
"""
__author__ = "Ada Lovelace"
HOSTS = {"db": "db-1.corp", "ip": "93.184.216.34"}


@property
def call(a, w):  # TODO(ada): phone +49 30 901820
    return a@w.mean
'''
BOB = "Bob Other <bob@corp-x.com>"


def make(make_repository):
    repository = make_repository()
    repository.commit("Read numbers", {"a.py": PERSONAL_CODE, "b.py": "b = 1\n"})
    repository.commit("Name it\n\nSigned-off-by: " + BOB, {"b.py": "b = 2\n"}, author=BOB)
    repository.commit("Count it", {"c.py": "c = 3\n"}, author="B. Other <BOB@corp-x.com>")
    return repository


def test_code_still_parses_and_says_the_same_of_the_same(corpus, make_repository):
    found = corpus(make(make_repository).source(), held_out=0, personal_data=DEFAULT)
    text = found.texts("train")["a.py"]
    ast.parse(text)
    assert text.replace("REDACTED_", "") == (
        PERSONAL_CODE.replace("Ada Lovelace", "NAME_1")
        .replace("ada@corp-x.com", "EMAIL_1")
        .replace("TODO(ada)", "TODO(NAME_2)")
        .replace("+49 30 901820", "PHONE_1")
        .replace("db-1.corp", "HOST_1")
        .replace("93.184.216.34", "IP_ADDRESS_1")
    )


def test_authors_become_pseudonyms_one_for_each_address(corpus, make_repository):
    found = corpus(make(make_repository).source(), held_out=0, personal_data=DEFAULT)
    authors = [change.author for change in found.changes]
    assert sorted(authors) == ["REDACTED_AUTHOR_1", "REDACTED_AUTHOR_2", "REDACTED_AUTHOR_2"]
    places = {row.provenance.path: row.provenance.author for row in found.files}
    assert places["b.py"] == places["c.py"] != places["a.py"]
    assert all(edit.provenance.author == row.author for row in found.changes for edit in row.edits)
    for file in found.out.iterdir():
        content = file.read_bytes().lower()
        assert not [each for each in (b"bob", b"lovelace", b"ada@") if each in content], file


def test_authors_are_kept_where_the_policy_says_so(corpus, make_repository, tmp_path):
    kept = policy(tmp_path, authors="keep")
    found = corpus(make(make_repository).source(), held_out=0, personal_data=kept)
    assert {change.author for change in found.changes} == {
        ADA,
        BOB,
        "B. Other <BOB@corp-x.com>",
    }
    (body,) = {change.body for change in found.changes if change.body}
    assert body == "Signed-off-by: REDACTED_NAME_3 <REDACTED_EMAIL_2>"


def test_a_salt_makes_pseudonyms_the_same_in_all_datasets(corpus, make_repository, tmp_path):
    salt = tmp_path / "salt.key"
    salt.write_bytes(b"s" * 32)
    salt.chmod(0o600)
    repository = make(make_repository)
    values = {"held_out": 0, "personal_data": DEFAULT, "salt": salt}
    one = corpus(repository.source(name="one"), out="one", **values)
    repository.commit("Add more", {"0.py": "x = 0\n"}, author="Eve <eve@corp-x.com>")
    two = corpus(repository.source(name="two"), out="two", **values)
    known = {change.commit: change.author for change in one.changes}
    assert len(set(known.values())) == 2
    assert known.items() <= {change.commit: change.author for change in two.changes}.items()


def test_the_number_of_workers_changes_nothing(corpus, make_repository):
    repository = make(make_repository)
    for number in range(30):
        text = f"# Author: Person {chr(65 + number % 26)}x <p{number}@corp-x.com>\nx = {number}\n"
        repository.commit("Add a part", {f"m{number}.py": text}, author=f"P <p{number}@corp-x.com>")
    sources = [repository.source(name=name) for name in ("one", "two", "three")]
    outs = [
        corpus(*sources, out=f"w{workers}", workers=workers, personal_data=DEFAULT).out
        for workers in (1, 3)
    ]
    names = sorted(each.name for each in outs[0].iterdir())
    assert "files.jsonl" in names
    for name in names:
        assert (outs[0] / name).read_bytes() == (outs[1] / name).read_bytes(), name


def test_speakers_of_a_discussion_are_called_alike_in_fields_and_texts(
    corpus, make_repository, tmp_path
):
    page, api = "https://github.com/octo/app", "https://api.github.com/repos/octo/app"
    moment = "2024-01-01T00:00:30Z"
    issue = {
        "id": 1, "node_id": "I_1", "url": f"{api}/issues/1", "number": 1, "title": "It breaks",
        "html_url": f"{page}/issues/1", "body": "cc @eve-7, write to ada@corp-x.com",
        "user": {"login": "ada", "type": "User"}, "created_at": moment, "comments": 1,
    }  # fmt: skip
    remark = {
        "id": 11, "node_id": "IC_1", "issue_url": f"{api}/issues/1", "body": "So says eve-7, @Ada.",
        "html_url": f"{page}/issues/1#issuecomment-11",
        "user": {"login": "eve-7", "type": "User"}, "created_at": moment,
    }  # fmt: skip
    export = tmp_path / "export.json"
    export.write_text(json.dumps([issue, remark]), encoding="utf-8")
    tracker = {"type": "forge", "path": export, "repository": "app"}
    sources = (make(make_repository).source(), tracker)
    (row,) = corpus(*sources, held_out=0, personal_data=DEFAULT).discussions
    (comment,) = row.comments
    assert row.author.startswith("REDACTED_AUTHOR_")
    assert comment.author.startswith("REDACTED_AUTHOR_")
    assert comment.author != row.author
    assert row.body.startswith(f"cc @{comment.author}, write to REDACTED_EMAIL_")
    assert comment.body == f"So says {comment.author}, @{row.author}."
    kept = policy(tmp_path, authors="keep")
    (row,) = corpus(*sources, held_out=0, personal_data=kept, out="kept").discussions
    assert (row.author, row.comments[0].author) == ("ada", "eve-7")
    assert row.comments[0].body == "So says eve-7, @Ada."


def test_sessions_of_commits_name_their_author_like_the_commit(corpus, make_repository):
    repository = make_repository()
    for letter in "abcd":
        change = {"limits.py": f"limit = {letter}\n"}
        repository.commit(f"Let the limit in limits.py be {letter}", change, author=BOB)
    found = corpus(repository.source(), held_out=0.5, personal_data=DEFAULT, replay={})
    authors = {change.commit: change.author for change in found.changes}
    assert found.replays
    for row in found.replays:
        assert row.author == authors[row.commit]
        assert {place.author for place in row.provenance} == {row.author}


def test_a_changed_policy_is_another_corpus(section, make_repository, tmp_path):
    source = make(make_repository).source()

    def identity(file: Path):
        sources = section(source, personal_data=file)
        return identity_of(sources)["personal_data"]

    assert identity(DEFAULT) != identity(policy(tmp_path))

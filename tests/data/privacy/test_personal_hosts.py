import pytest

from devtune.data.privacy.personal_hosts import Hosts, any_of

HOSTS = Hosts(["*.corp", "*.internal", "*.local", "ci-??.acme.example"])


def found(text: str) -> list[str]:
    spans = []
    for literal in HOSTS.literals:
        start = text.lower().find(literal)
        if start >= 0 and (span := HOSTS.span(text, start, start + len(literal))):
            spans.append(text[slice(*span)])
    return spans


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("ssh build01.corp", "build01.corp"),
        ("ssh -v build.corp", "build.corp"),
        ("https://jenkins.ci.internal/job", "jenkins.ci.internal"),
        ("redis.prod.internal:6379", "redis.prod.internal"),
        ("host: db.prod.corp", "db.prod.corp"),
        ('"server": "mail.corp"', "mail.corp"),
        ("DB_HOST=mail.corp", "mail.corp"),
        ("The job runs on db-7.corp.", "db-7.corp"),
        ("ada@mail.corp", "mail.corp"),
        ("see CI-07.Acme.Example", "CI-07.Acme.Example"),
    ],
)
def test_hosts_are_found_where_they_are_used_as_such(text, host):
    assert found(text) == [host]


@pytest.mark.parametrize(
    "text",
    [
        "package com.google.gson.internal;",
        "host = com.acme.internal",
        "import com.google.gson.internal.Excluder",
        "from a.internal import b",
        "self.local = threading.local()",
        "x = this.local",
        "cp .env.local settings.local",
        "/etc/rc-1.local",
        "http://localhost",
        "a-1.corporation",
        "https://x.corp.example",
        "-.corp",
        "a-1..corp",
    ],
)
def test_packages_attributes_and_files_are_no_hosts(text):
    assert found(text) == []


def test_globs_know_two_signs_and_no_others():
    matches = any_of(["*[Bot]", "a?c"])
    assert matches("renovate[bot]")
    assert matches("abc")
    assert not matches("renovateb")
    assert not matches("abbc")
    assert not any_of([])("anything")

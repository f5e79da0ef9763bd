from pathlib import Path

import pytest

from devtune.data.privacy.marking import Marker
from devtune.data.privacy.personal import load_personal_policy
from devtune.data.privacy.personal_authors import author_key, is_program, rename


@pytest.mark.parametrize(
    "name",
    [
        "dependabot[bot]",
        "k8s-ci-robot",
        "codecov-io",
        "my-bot",
        "bors",
        "renovate[bot] <bot@corp.test>",
    ],
)
def test_programs_are_known_by_their_names(name):
    assert is_program(name)


@pytest.mark.parametrize(
    "name", ["abbott", "robotnik", "ada", "cicero", "talbot-jones", "Ada <bot@corp.test>"]
)
def test_people_are_no_programs(name):
    assert not is_program(name)


def test_one_person_is_one_key_however_the_name_is_spelt():
    one = {author_key(each) for each in ("Ada L <Ada@X.test>", "ada <ada@x.test>", "<ada@x.test>")}
    assert one == {"ada@x.test"}
    assert author_key("Ada-L") == "ada-l"
    assert author_key("Ada <>") == "ada <>"
    assert author_key("Ada <a> <b@x.test>") == "b@x.test"


def test_logins_are_renamed_where_they_are_meant():
    renamed = rename(["ada", "bob-7", "", "my-bot"], lambda login: f"<{login.upper()}>")
    text = "@ada and @Bob-7: bob-7 asked ada, not @ada-l, x@ada, pkg/bob-7 or @my-bot"
    assert renamed(text) == (
        "@<ADA> and @<BOB-7>: <BOB-7> asked ada, not @ada-l, x@ada, pkg/bob-7 or @my-bot"
    )
    assert rename([], str.upper)("@ada") == "@ada"


@pytest.fixture(scope="module")
def policy(policy_file: Path):
    return load_personal_policy(policy_file.with_name("personal_data.yaml"))


def test_a_pseudonym_is_no_mark_of_the_address_and_stays_as_it_is(policy):
    marker = Marker(b"k" * 32, None, policy)
    pseudonym = marker.pseudonym("Ada L <ada@corp-x.com>")
    assert pseudonym.startswith("REDACTED_AUTHOR_")
    assert marker.pseudonym("ada <ADA@corp-x.com>") == pseudonym
    assert marker.pseudonym(pseudonym) == pseudonym
    assert marker.mark(pseudonym) == pseudonym
    address = marker.mark("ada@corp-x.com")
    assert address.startswith("REDACTED_EMAIL_")
    assert [each.kind for each in marker.learned.values()] == ["AUTHOR", "EMAIL"]
    assert all(each.is_personal for each in marker.learned.values())


def test_programs_and_nobody_have_no_pseudonym(policy, canaries):
    marker = Marker(b"k" * 32, None, policy)
    for name in ("", "renovate[bot] <bot@corp-x.com>", "k8s-ci-robot"):
        assert marker.pseudonym(name) == name
    hidden = marker.pseudonym(f"{canaries['github']}[bot] <bot@corp-x.com>")
    assert canaries["github"] not in hidden


def test_without_a_policy_authors_stay_but_for_secrets(canaries):
    marker = Marker(b"k" * 32)
    assert marker.pseudonym("Ada <ada@corp-x.com>") == "Ada <ada@corp-x.com>"
    assert canaries["github"] not in marker.pseudonym(f"{canaries['github']} <a@corp-x.com>")

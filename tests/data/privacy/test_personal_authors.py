import pytest

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

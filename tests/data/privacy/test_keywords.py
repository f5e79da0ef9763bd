import pytest

from devtune.data.privacy.keywords import is_aspect, is_public, keywords


def test_a_keyword_is_what_its_hint_begins_with():
    for hint, keyword in keywords().items():
        assert hint.startswith(keyword.word)
        assert hint == hint.lower()


def test_people_choose_passwords_and_programs_draw_tokens():
    words = {each.word: each.is_password for each in keywords().values()}
    assert words["password"]
    assert words["passphrase"]
    assert not words["token"]
    assert not words["api_key"]


@pytest.mark.parametrize("rest", ["_type", "Length", "_url", "s_file", "-policy", "_hash"])
def test_a_name_may_be_about_a_secret_only(rest):
    assert is_aspect(rest)


@pytest.mark.parametrize("rest", ["", "_prod", "s", "2", "_for_db_name", "Value"])
def test_a_name_that_goes_on_otherwise_is_of_a_secret(rest):
    assert is_aspect(rest) == (rest == "_for_db_name")


def test_public_names_are_told_from_secret_ones():
    assert is_public("publicKeyToken")
    assert is_public("next_page_token")
    assert is_public("password_sha256")
    assert not is_public("private_key")
    assert not is_public("csrf_secret")
    assert not is_public("hash_salt")

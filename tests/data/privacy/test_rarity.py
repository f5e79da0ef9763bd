import pytest

from devtune.data.privacy.rarity import (
    is_harmless,
    is_trivial,
    is_uuid,
    looks_made_up,
    looks_random,
    rarity,
)

DRAWN = [
    "7kdRaacIGYtph" + "AUZVEF8Xhof4Q7X5Goo",
    "c0a56a26f7af8d3bc1d6" + "3d2352495629299aa042",
    "9u7mco4i4alo3" + "y1whjz4ca45",
    "hqNn+/0Unn6MYKsyA9Gg36" + "dCjAwJEMdjBhNJaHM9",
    "yW-KHKdi2tYizGAk_iiJ" + "BoZhmILC1q7N2i7vmJkh5vP",
]
NAMES = [
    "AbstractTokenEndpointPasswordAuthenticationProviderFactory",
    "loadOneToManyOrOneToOneNotOwner",
    "password_reset_confirm_view",
    "application/x-www-form-urlencoded",
    "ManyToManyRelationSubjectBuilder",
    "refresh-token-rotation-policy",
]


@pytest.mark.parametrize("value", DRAWN)
def test_what_was_drawn_at_random_is_rare(value):
    assert rarity(value) > 0.4
    assert looks_random(value)


@pytest.mark.parametrize("value", NAMES)
def test_names_of_programs_are_not_rare(value):
    assert rarity(value) < 0.4
    assert not looks_random(value)


@pytest.mark.parametrize(
    "value",
    [
        "changeme-now-please", "your-api-key-here", "<put-token-here>", "${DB_PASSWORD}",
        "{{ vault.password }}", "$DB_PASSWORD", "%DB_PASSWORD%", "xxxxxxxxxxxxxxxx",
        "****************",
        "AKIAIOSFODNN7" + "EXAMPLE", "sha256:" + "ab12" * 16, "sha512-" + "Ab1/" * 20,
        "2024-01-31T10:00:00Z", "1.2.3-beta.4", "/usr/local/lib/x1",
        "https://idp.test/oauth2/t0ken",
        "self.config.password2", "application/json", "0123456789abcdef0123456789abcdef",
        "000102030405060708090a0b0c0d0e0f", "aaaaaaaaaaaaaaaa1", "two words 22", "REDACTED_TOKEN_1",
        "get_token2()", "user@mail.test1", "Basic|Digest|Any", "num_pools=x2",
    ],
)  # fmt: skip
def test_references_placeholders_digests_and_vectors_are_harmless(value):
    assert is_harmless(value)
    assert not looks_random(value)
    assert not looks_made_up(value, is_quoted=True)


@pytest.mark.parametrize(
    "value",
    ["Walnut" + "2053!", "lantern-" + "kettle-0902", "jX3#pQ" + "w82Lm", "YZOKM0-K" + "UXOi+9x"],
)
def test_words_with_digits_and_signs_may_be_passwords(value):
    assert looks_made_up(value, is_quoted=True)
    assert looks_made_up(value, is_quoted=False)


@pytest.mark.parametrize(
    "value", ["password1", "id_password_2", "oauth2_token", "sha512_key", "secret", "admin123"]
)
def test_a_name_of_the_thing_itself_is_no_password(value):
    assert not looks_made_up(value, is_quoted=True)


def test_an_identifier_without_quotes_must_be_rare():
    assert looks_made_up("Shadow" + "2035", is_quoted=True)
    assert not looks_made_up("Shadow" + "2035", is_quoted=False)


def test_trivial_words_and_uuids_are_told_apart():
    assert is_trivial("user_password_1")
    assert not is_trivial("lantern_1")
    assert is_uuid("b2b589fa-8988-4626-a771-74e0dcef58a6")
    assert not is_uuid("b2b589fa-8988-4626-a771")
    assert not looks_random("b2b589fa-8988-4626-a771-74e0dcef58a6")

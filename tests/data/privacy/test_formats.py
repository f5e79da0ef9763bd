import random
import re
import string

import pytest

from devtune.data.privacy.formats import formats
from devtune.data.privacy.secrets import find_secrets

HEX, LETTERS = "0123456789abcdef", string.ascii_letters + string.digits


def drawn(alphabet: str, num: int) -> str:
    return "".join(random.Random(num).choices(alphabet, k=num))


WRITTEN = {
    "AWS_ACCESS_KEY_ID": "AKIA" + drawn(string.ascii_uppercase + "234567", 16),
    "GITHUB_TOKEN": "ghp_" + drawn(LETTERS, 36),
    "GITLAB_TOKEN": "glpat-" + drawn(LETTERS, 20),
    "SLACK_TOKEN": "xoxb-" + drawn("0123456789", 12) + "-" + drawn(LETTERS, 24),
    "STRIPE_KEY": "sk_live_" + drawn(LETTERS, 24),
    "MAILGUN_KEY": "key-" + drawn(HEX, 32),
    "MAILCHIMP_KEY": drawn(HEX, 32) + "-us12",
    "TELEGRAM_BOT_TOKEN": drawn("123456789", 10) + ":AA" + drawn(LETTERS, 33),
    "AZURE_CLIENT_SECRET": drawn(LETTERS, 3) + "8Q~" + drawn(LETTERS, 34),
    "TERRAFORM_TOKEN": drawn(LETTERS, 14) + ".atlasv1." + drawn(LETTERS, 67),
    "NEW_RELIC_KEY": "NRAK-" + drawn(string.ascii_uppercase, 27),
    "DOPPLER_TOKEN": "dp.pt." + drawn(LETTERS, 43),
    "DIGITALOCEAN_TOKEN": "dop_v1_" + drawn(HEX, 64),
    "SHOPIFY_TOKEN": "shpat_" + drawn(HEX, 32),
    "HUBSPOT_TOKEN": "pat-na1-" + "-".join(drawn(HEX, num) for num in (8, 4, 4, 4, 12)),
    "PASSWORD_HASH": "$2b$" + "12$" + drawn(LETTERS, 53),
    "NEON_PASSWORD": "npg_" + drawn(LETTERS, 16),
    "CARGO_TOKEN": "cio" + drawn(LETTERS, 32),
    "DOCKER_SWARM_TOKEN": "SWMTKN-1-" + drawn(HEX, 50) + "-" + drawn(HEX, 25),
    "BACKBLAZE_KEY": "K005" + drawn(LETTERS, 27),
    "JETBRAINS_TOKEN": f"perm:{drawn(LETTERS, 12)}.{drawn(LETTERS, 10)}.{drawn(LETTERS, 30)}",
    "MATRIX_TOKEN": f"syt_{drawn(LETTERS, 8)}_{drawn(string.ascii_letters, 20)}_{drawn(HEX, 6)}",
    "AZURE_KEY": drawn(LETTERS, 42) + "AzSe" + drawn(string.ascii_uppercase, 6),
    "FIREBASE_SERVER_KEY": "AAAA" + drawn(LETTERS, 7) + ":APA91b" + drawn(LETTERS, 134),
    "ASANA_TOKEN": "1/7" + drawn("0123456789", 15) + ":" + drawn(HEX, 32),
    "PASETO": "v4.local." + drawn(LETTERS, 80),
    "DISCORD_WEBHOOK": f"https://discord.com/api/webhooks/{'9' * 18}/{drawn(LETTERS, 68)}",
}


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize("around", ['x = "{}"', "f({})", '"log\\n{}\\n"', "q?x=%22{}&y=1", "{}"])
def test_a_credential_is_found_by_its_format_alone(kind, around):
    value = WRITTEN[kind]
    text = around.replace("{}", value)
    found = [each for each in find_secrets(text) if each.rule.startswith("format.")]
    assert [text[each.start : each.end] for each in found] == [value]
    assert [each.kind for each in found] == [kind]
    assert not found[0].is_generic


@pytest.mark.parametrize("kind", WRITTEN)
def test_a_longer_word_or_a_shorter_one_is_none(kind):
    value = WRITTEN[kind]
    assert not find_secrets(f"x{value}") or kind in ("MAILCHIMP_KEY", "PASSWORD_HASH", "STRIPE_KEY")
    assert not find_secrets(value[: len(value) // 3])


KEY_ID, SECRET = "AKIA" + drawn("ABCDEFGH234567", 16), drawn(LETTERS, 40)
ACCOUNT, TOKEN = "AC0" + drawn(HEX, 31), drawn(HEX, 32)
MODEL_KEY = "sk-ant-" + f"oat01-{drawn(LETTERS, 40)}-{drawn(LETTERS, 51)}AA"
WORDS = " ".join(["velvet", "raven", "quote", "pizza", "olive", "nerve", "mango", "lumber"] * 2)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f"{KEY_ID},{SECRET}", SECRET),
        (f'connect("{KEY_ID}", "{SECRET}")', SECRET),
        (f"const a = '{ACCOUNT}', b = '{TOKEN}'", TOKEN),
        (f"AIRFLOW__CORE__FERNET_KEY={drawn(LETTERS, 43)}=", drawn(LETTERS, 43) + "="),
        (f"APP_KEY=base64:{drawn(LETTERS, 43)}=", drawn(LETTERS, 43) + "="),
        (f"echo '{TOKEN}' > config/master.key", TOKEN),
        (f"accounts: ['0x{drawn(HEX, 64)}']", "0x" + drawn(HEX, 64)),
        (f'MNEMONIC="{WORDS}"', WORDS),
        (f"Recovery phrase: {WORDS}\n", WORDS),
        ('login("a@b.c", "xsww utad fpad mbif")', "xsww utad fpad mbif"),
        (f"https://chat.test/hooks/{drawn(HEX, 26)}", drawn(HEX, 26)),
        (f"<a>{MODEL_KEY}</a>", MODEL_KEY),
        (f"acme_live_{drawn(LETTERS, 32)}", f"acme_live_{drawn(LETTERS, 32)}"),
    ],
)
def test_a_secret_is_found_by_what_stands_beside_it(text, value):
    found = [text[each.start : each.end] for each in find_secrets(text)]
    assert any(value in each for each in found)


def test_names_that_are_made_like_keys_stay():
    assert not find_secrets("run_test_that_the_longest_name_of_all_is_not_a_key()")
    assert not find_secrets("my_api_endpoint_version2_handler_for_all_of_them = 1")
    assert not find_secrets("a mnemonic that is made of words is not one of twelve words")


def test_examples_of_manuals_stay():
    assert not find_secrets("AKIAIOSFODNN7" + "EXAMPLE")
    assert not find_secrets("ghp_" + "x" * 36)
    assert not find_secrets("sk_live_" + "your" + "key" * 8)


def test_digests_of_lock_files_stay():
    digest = drawn(LETTERS, 86)
    assert not find_secrets(f'"integrity": "sha512-{digest}=="')
    assert not find_secrets(f"image@sha256:{drawn(HEX, 64)} commit {drawn(HEX, 40)}")


def test_each_row_has_hints_in_lower_case_and_at_most_one_group():
    rows = formats()
    assert len(rows) > 400
    for row in rows:
        assert row.hints
        assert all(hint == hint.lower() and len(hint) > 1 for hint in row.hints), row.kind
        assert row.pattern.groups <= 1, row.kind
        assert re.fullmatch(r"[A-Z][A-Z0-9_]+", row.kind)


def test_hints_with_choices_are_spelled_out():
    hints = {row.kind: row.hints for row in formats()}
    assert hints["GITHUB_TOKEN"] == ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")

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
    assert len(rows) > 200
    for row in rows:
        assert row.hints
        assert all(hint == hint.lower() and len(hint) > 1 for hint in row.hints), row.kind
        assert row.pattern.groups <= 1, row.kind
        assert re.fullmatch(r"[A-Z][A-Z0-9_]+", row.kind)


def test_hints_with_choices_are_spelled_out():
    hints = {row.kind: row.hints for row in formats()}
    assert hints["GITHUB_TOKEN"] == ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")

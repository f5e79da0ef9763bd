import pytest

from devtune.data.privacy.leftovers import rules_broken


def test_a_secret_is_told_by_its_rule_alone(canaries):
    text = f"Here it is: {canaries['github']}\n"
    (rule,) = rules_broken(text, None)
    assert "github" in rule
    assert canaries["github"] not in rule


def test_several_secrets_are_told_in_order_and_once(canaries):
    text = f"{canaries['slack']}\n{canaries['github']}\n{canaries['pem']}\n"
    found = rules_broken(text + text, None)
    assert found == sorted(set(found))
    assert len(found) >= 3


@pytest.mark.parametrize("name", ["1", "4711", "0123456789abcdef"])
@pytest.mark.parametrize("kind", ["PASSWORD", "GITHUB_PAT", "BASIC_AUTH_URL", "AWS_SECRET_KEY"])
def test_a_placeholder_is_no_secret_wherever_it_stands(kind, name):
    placeholder = f"REDACTED_{kind}_{name}"
    texts = (
        f'password = "{placeholder}"\n',
        f"https://admin:{placeholder}@db.corp.test/x\n",
        f"export AWS_SECRET_ACCESS_KEY={placeholder}\napi_key: {placeholder}\n",
        f'{{"auth": "Bearer {placeholder}", "token": "{placeholder}"}}',
        f"-----BEGIN RSA PRIVATE KEY-----\n{placeholder}\n-----END RSA PRIVATE KEY-----\n",
    )
    assert [rules_broken(text, None) for text in texts] == [[]] * len(texts)


def test_a_secret_beside_a_placeholder_is_found(canaries):
    assert rules_broken(f"token = REDACTED_PASSWORD_1 {canaries['github']}", None)
    assert rules_broken(f"REDACTED_GITHUB_PAT_1\n{canaries['pem']}", None)


def test_beginnings_of_placeholders_take_no_longer_than_other_texts():
    assert rules_broken("password = " + "REDACTED_" * 50_000, None) == []

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from devtune.data.secrets import Redactor


def test_each_kind_of_secret_is_replaced(canaries):
    aws = (
        f"aws_access_key_id = '{canaries['aws_id']}'\n"
        f"aws_secret_access_key = '{canaries['aws_key']}'"
    )
    texts = [
        aws,
        f"token = '{canaries['github']}'",
        f"slack: {canaries['slack']}",
        f"url = 'postgres://svc:{canaries['password']}@db.corp/prod'",
        f'KEY = """{canaries["pem"]}"""\n',
    ]
    redactor = Redactor()
    out = "\n".join(redactor.redact(text) for text in texts)
    assert not [name for name, value in canaries.items() if value in out]
    assert redactor.counts == {
        "aws_access_token": 1,
        "aws_secret_access_key": 1,
        "generic_credential_uri": 1,
        "github_pat": 1,
        "private_key": 1,
        "slack_bot_token": 1,
    }


def test_only_the_secret_is_replaced_and_the_code_still_parses(canaries):
    out = Redactor().redact(f"token = '{canaries['github']}'  # prod\n")
    assert out == "token = 'REDACTED_GITHUB_PAT_1'  # prod\n"


def test_spans_are_right_after_characters_of_two_three_and_four_bytes(canaries):
    out = Redactor().redact(f"# é 日本 🚀\ntoken = '{canaries['github']}' # é\n")
    assert out == "# é 日本 🚀\ntoken = 'REDACTED_GITHUB_PAT_1' # é\n"


def test_one_value_has_one_placeholder_in_all_texts(canaries):
    redactor = Redactor()
    other = canaries["github"][:-1] + "Z"
    first = redactor.redact(f"a = '{canaries['github']}'\nb = '{other}'\n")
    second = redactor.redact(f"b = '{other}'\na = '{canaries['github']}'\n")
    assert first == "a = 'REDACTED_GITHUB_PAT_1'\nb = 'REDACTED_GITHUB_PAT_2'\n"
    assert second == "b = 'REDACTED_GITHUB_PAT_2'\na = 'REDACTED_GITHUB_PAT_1'\n"


def test_a_value_given_away_by_a_later_text_is_replaced_in_an_earlier_one(canaries):
    bare = f"expected = '{canaries['password']}'"
    assert Redactor().redact(bare) == bare, "the rules alone do not see it"
    redactor = Redactor()
    for text in (bare, f"https://bot:{canaries['password']}@git.corp.internal/app"):
        redactor.learn(text)
    assert redactor.redact(bare) == "expected = 'REDACTED_GENERIC_CREDENTIAL_URI_1'"


@pytest.mark.parametrize("marker", ["kingfisher:ignore", "gitleaks:allow", "betterleaks:allow"])
def test_allow_comments_in_the_text_do_not_switch_detection_off(canaries, marker):
    out = Redactor().redact(f"# {marker}\ntoken = '{canaries['github']}'  # {marker}\n")
    assert canaries["github"] not in out


def test_markup_does_not_switch_detection_off(canaries):
    page = f"<html><body><p title='x'>{canaries['github']}</p></body></html>"
    assert canaries["github"] not in Redactor().redact(page)


def test_a_secret_inside_base64_takes_its_wrapping_along(canaries):
    inside = base64.b64encode(f"token={canaries['github']}".encode()).decode()
    redactor = Redactor()
    out = redactor.redact(f"value = '{inside}'\nplain = '{canaries['github']}'\n")
    assert inside[:40] not in out
    assert canaries["github"] not in out


def test_overlapping_findings_leave_no_end_of_a_secret(canaries):
    text = f"https://bot:{canaries['github']}@git.corp.internal/app\n"
    out = Redactor().redact(text)
    assert out.startswith("https://bot:REDACTED_")
    assert canaries["github"][4:12] not in out
    assert canaries["github"][-8:] not in out


def test_a_known_value_inside_another_secret_leaves_nothing_behind(canaries):
    redactor = Redactor()
    redactor.learn(f"a = '{canaries['github']}'")
    longer = canaries["password"] + canaries["github"] + canaries["password"]
    out = redactor.redact(f"https://bot:{longer}@git.corp.internal/app\n")
    assert canaries["password"] not in out
    assert canaries["github"][8:] not in out


def test_a_word_used_as_a_password_is_replaced_only_where_it_is_one():
    redactor = Redactor()
    out = redactor.redact("amqp://guest:guest@rabbit:5672/\nwelcome, guest\n")
    assert out == "amqp://guest:REDACTED_GENERIC_CREDENTIAL_URI_1@rabbit:5672/\nwelcome, guest\n"


def test_texts_without_secrets_stay_as_they_are():
    text = "def f(x):\r\n\treturn 'sha256:" + "ab" * 32 + "'  # naïve\r\n"
    assert Redactor().redact(text) == text
    assert Redactor().redact("") == ""


def test_the_redactor_never_shows_a_value(canaries):
    redactor = Redactor()
    redactor.redact(f"token = '{canaries['github']}'")
    assert canaries["github"] not in repr(redactor)


def test_scanning_leaves_nothing_in_the_home_directory(tmp_path: Path, canaries):
    program = (
        "import sys; from devtune.data.secrets import Redactor;"
        "print(Redactor().redact(sys.stdin.read()))"
    )
    answer = subprocess.run(
        [sys.executable, "-B", "-c", program],
        input=f"token = '{canaries['github']}'",
        env={"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "token = 'REDACTED_GITHUB_PAT_1'"
    assert list(tmp_path.iterdir()) == []

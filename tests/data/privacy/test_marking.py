import base64
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from devtune.data.privacy.marking import Marker
from devtune.data.privacy.redaction import Redactor

KEY = b"k" * 32


def redacted(*texts: str) -> list[str]:
    return redact_all(texts)[0]


def redact_all(texts) -> tuple[list[str], Redactor]:
    marker = Marker(KEY)
    marked = [marker.mark(text) for text in texts]
    redactor = Redactor(marker.learned.values())
    return [redactor.redact(text) for text in marked], redactor


def kinds(redactor) -> Counter[str]:
    return Counter(each.kind.lower() for each in redactor.learned.values())


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
    clean, redactor = redact_all(texts)
    out = "\n".join(clean)
    assert not [name for name, value in canaries.items() if value in out]
    assert kinds(redactor) == {
        "aws_access_token": 1,
        "aws_secret_access_key": 1,
        "generic_credential_uri": 1,
        "github_pat": 1,
        "private_key": 1,
        "slack_bot_token": 1,
    }


def test_only_the_secret_is_replaced_and_the_code_still_parses(canaries):
    (out,) = redacted(f"token = '{canaries['github']}'  # prod\n")
    assert out == "token = 'REDACTED_GITHUB_PAT_1'  # prod\n"


def test_spans_are_right_after_characters_of_two_three_and_four_bytes(canaries):
    (out,) = redacted(f"# é 日本 🚀\ntoken = '{canaries['github']}' # é\n")
    assert out == "# é 日本 🚀\ntoken = 'REDACTED_GITHUB_PAT_1' # é\n"


def test_one_value_has_one_placeholder_in_all_texts(canaries):
    other = canaries["github"][:-1] + "Z"
    first, second = redacted(
        f"a = '{canaries['github']}'\nb = '{other}'\n",
        f"b = '{other}'\na = '{canaries['github']}'\n",
    )
    assert first == "a = 'REDACTED_GITHUB_PAT_1'\nb = 'REDACTED_GITHUB_PAT_2'\n"
    assert second == "b = 'REDACTED_GITHUB_PAT_2'\na = 'REDACTED_GITHUB_PAT_1'\n"


def test_a_value_given_away_by_a_later_text_is_replaced_in_an_earlier_one(canaries):
    bare = f"expected = '{canaries['password']}'"
    assert redacted(bare) == [bare], "the rules alone do not see it"
    first, _ = redacted(bare, f"https://bot:{canaries['password']}@git.corp.internal/app")
    assert first == "expected = 'REDACTED_GENERIC_CREDENTIAL_URI_1'"


@pytest.mark.parametrize("marker", ["kingfisher:ignore", "gitleaks:allow", "betterleaks:allow"])
def test_allow_comments_in_the_text_do_not_switch_detection_off(canaries, marker):
    (out,) = redacted(f"# {marker}\ntoken = '{canaries['github']}'  # {marker}\n")
    assert canaries["github"] not in out


def test_markup_does_not_switch_detection_off(canaries):
    page = f"<html><body><p title='x'>{canaries['github']}</p></body></html>"
    assert canaries["github"] not in redacted(page)[0]


def test_a_secret_inside_base64_takes_its_wrapping_along(canaries):
    inside = base64.b64encode(f"token={canaries['github']}".encode()).decode()
    (out,) = redacted(f"value = '{inside}'\nplain = '{canaries['github']}'\n")
    assert inside[:40] not in out
    assert canaries["github"] not in out


def test_overlapping_findings_leave_no_end_of_a_secret(canaries):
    text = f"https://bot:{canaries['github']}@git.corp.internal/app\n"
    (out,) = redacted(text)
    assert out.startswith("https://bot:REDACTED_")
    assert canaries["github"][4:12] not in out
    assert canaries["github"][-8:] not in out


def test_a_known_value_inside_another_secret_leaves_nothing_behind(canaries):
    longer = canaries["password"] + canaries["github"] + canaries["password"]
    _, out = redacted(
        f"a = '{canaries['github']}'", f"https://bot:{longer}@git.corp.internal/app\n"
    )
    assert canaries["password"] not in out
    assert canaries["github"][8:] not in out


def test_a_word_used_as_a_password_is_replaced_only_where_it_is_one():
    (out,) = redacted("amqp://guest:guest@rabbit:5672/\nwelcome, guest\n")
    assert out == "amqp://guest:REDACTED_GENERIC_CREDENTIAL_URI_1@rabbit:5672/\nwelcome, guest\n"


def test_texts_without_secrets_stay_as_they_are():
    text = "def f(x):\r\n\treturn 'sha256:" + "ab" * 32 + "'  # naïve\r\n"
    assert redacted(text, "") == [text, ""]


def test_the_redactor_never_shows_a_value(canaries):
    marker = Marker(KEY)
    marked = marker.mark(f"token = '{canaries['github']}'")
    assert canaries["github"] not in f"{marker!r} {marker.learned!r} {marked}"
    assert repr(KEY) not in repr(marker)
    assert canaries["github"] not in repr(Redactor(marker.learned.values()))


def test_a_marked_text_is_not_marked_again(canaries):
    marker = Marker(KEY)
    once = marker.mark(f"https://bot:{canaries['github']}@git.corp.internal/app\n")
    assert marker.mark(once) == once


def test_marks_of_another_key_are_other_marks(canaries):
    text = f"token = '{canaries['github']}'"
    assert Marker(b"a" * 32).mark(text) != Marker(b"b" * 32).mark(text)


def test_numbers_follow_the_order_in_which_secrets_were_found_not_the_processes(canaries):
    texts = [f"a = '{canaries['github']}'", f"b = '{canaries['github'][:-1]}Z'"]
    markers = [Marker(KEY), Marker(KEY)]
    marked = [marker.mark(text) for marker, text in zip(markers, texts, strict=True)]
    learned = [each for marker in markers for each in marker.learned.values()]
    assert [Redactor(learned).redact(text) for text in marked] == redacted(*texts)


@pytest.mark.parametrize(
    "text",
    [f"REDACTED_KEY_{'0' * 32}", f"REDACTED_{'K' * 81}_{'0' * 32}", "REDACTED_" * 100_000],
    ids=["unknown", "too long", "endless"],
)
def test_what_looks_like_a_mark_but_is_none_stays(text):
    assert redacted(text) == [text]


def test_scanning_leaves_nothing_in_the_home_directory(tmp_path: Path, canaries):
    program = (
        "import sys; from devtune.data.privacy.marking import Marker;"
        "from devtune.data.privacy.redaction import Redactor;"
        "m = Marker(b'k'); t = m.mark(sys.stdin.read());"
        "print(Redactor(m.learned.values()).redact(t))"
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


def test_texts_without_a_literal_need_only_their_marks_named(canaries):
    texts = [
        f"token = '{canaries['github']}'", "no secret", f"bare {canaries['github']}",
        f"https://bot:{canaries['password']}@git.corp.internal/app", "amqp://guest:guest@rabbit:1/",
    ]  # fmt: skip
    marker = Marker(KEY)
    marked = [marker.mark(text) for text in texts]
    redactor = Redactor(marker.learned.values())
    for text in marked:
        if not any(literal in text for literal in redactor.literals):
            assert redactor.name_marks(text.encode()).decode() == redactor.redact(text)
    assert "guest" not in redactor.literals, "a word is replaced where it was marked"
    assert Redactor(()).redact("REDACTED_X_1") == "REDACTED_X_1"


def test_each_kind_is_numbered_by_itself_and_a_value_has_the_kind_it_was_first_found_as(canaries):
    other = canaries["github"][:-1] + "Z"
    texts = [
        f"a = '{canaries['github']}'", f"slack: {canaries['slack']}", f"b = '{other}'",
        f"https://bot:{canaries['github']}@git.corp.internal/app",
    ]  # fmt: skip
    clean, redactor = redact_all(texts)
    assert clean[:3] == [
        "a = 'REDACTED_GITHUB_PAT_1'", "slack: REDACTED_SLACK_BOT_TOKEN_1",
        "b = 'REDACTED_GITHUB_PAT_2'",
    ]  # fmt: skip
    assert "REDACTED_" in clean[3]
    assert kinds(redactor)["slack_bot_token"] == 1


def test_learning_twice_what_is_known_changes_nothing(canaries):
    marker = Marker(KEY)
    marked = [marker.mark(f"a = '{canaries['github']}'") for _ in range(2)]
    learned = [*marker.learned.values(), *marker.learned.values()]
    assert marked[0] == marked[1]
    assert Redactor(learned).redact(marked[0]) == "a = 'REDACTED_GITHUB_PAT_1'"
    assert kinds(Redactor(learned)) == {"github_pat": 1}


def test_a_salt_names_a_value_alike_whatever_else_was_learned(canaries):
    alone, both = Marker(KEY), Marker(b"x" * 32)
    text = f"a = '{canaries['github']}'"
    first = alone.mark(text)
    both.mark(f"slack: {canaries['slack']}")
    second = both.mark(text)
    salted = [
        Redactor(marker.learned.values(), salt).redact(marked)
        for marker, marked, salt in (
            (alone, first, b"s" * 32), (both, second, b"s" * 32), (alone, first, b"t" * 32),
        )
    ]  # fmt: skip
    assert re.fullmatch("a = 'REDACTED_GITHUB_PAT_[0-9a-f]{16}'", salted[0])
    assert salted[0] == salted[1] != salted[2]

import json

from devtune.data.privacy.marking import Learned
from devtune.data.privacy.summary import SUMMARY, summarise, write_summary
from devtune.records import Redaction

LEARNED = (
    Learned("d1", "GITHUB_PAT", "value-1", "betterleaks.github-pat"),
    Learned("d2", "PASSWORD", "value-2", "assignment"),
    Learned("d3", "PASSWORD", "value-3", "assignment"),
    Learned("d4", "EMAIL", "value-4", "personal.email", True),
)
PLACES = (
    Redaction("REDACTED_PASSWORD_1", "secret", "password", "assignment", "app", "x", "c", 1, 3),
    Redaction("REDACTED_EMAIL_1", "personal", "email", "personal.email", "app", "x", "c", 1, 1),
)


def test_values_places_and_the_rate_are_told_and_no_value(tmp_path):
    searched = {"texts_searched": 7, "lines_searched": 400}
    rejects = {"many_secrets": 2, "binary": 9}
    write_summary(tmp_path, summarise(searched, rejects, LEARNED, PLACES))
    text = (tmp_path / SUMMARY).read_text(encoding="utf-8")
    assert "value-" not in text
    assert json.loads(text) == {
        "num_texts": 7,
        "num_lines": 400,
        "values": {"secret": {"github_pat": 1, "password": 2}, "personal": {"email": 1}},
        "places": {"secret": {"password": 1}, "personal": {"email": 1}},
        "rules": {"betterleaks.github-pat": 1, "assignment": 2, "personal.email": 1},
        "per_1000_lines": {"secret": 7.5, "personal": 2.5},
        "dropped": {"many_secrets": 2},
    }

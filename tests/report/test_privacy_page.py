import json
import re
import shutil

import pytest

from devtune.cli import main
from devtune.data.collect import collect
from devtune.errors import RecipeError
from devtune.fingerprint import hash_file
from devtune.pipeline import CollectSection, LocalExecutor
from devtune.progress import Progress
from devtune.report.privacy_page import POLICIES, write_privacy_page
from devtune.stage import run_stage
from tests.data.conftest import Maker
from tests.report.browser import PAPER, browse, in_chromium, probe
from tests.report.searched import SUMMARY, fill_searched

SECRETS = {
    "github": "ghp_" + "a1B2c3D4e5F6g7H8" + "i9J0k1L2m3N4o5P6q7R8",
    "slack": "xoxb-" + "123456789012-1234567890123-" + "AbCdEfGhIjKlMnOpQrStUvWx",
}


@pytest.fixture(scope="module")
def html(searched, tmp_path_factory):
    out = tmp_path_factory.mktemp("page") / "page.html"
    return write_privacy_page(searched, out).read_text(encoding="utf-8")


def words_of(html):
    body = html[html.index("<body>") :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


@pytest.fixture(scope="module")
def text(html):
    return words_of(html)


def test_the_page_says_what_was_searched_found_and_done(text):
    for words in (
        "3 secrets and 1 personal value found",
        "56,789 lines in 1,234 texts of 2 sources",
        "A secret that still works is an incident.",
        "secrets 3 places of secrets 4 secrets per 1,000 lines 0.18 personal values 1",
        "texts left out 2 samples left out later 2",
        "2 samples were left out, by assignment 2, email 1",
        "By the policy sha256 5e5e5e5e5e5e5e5e…",
        "Numbered in the order they were found",
        "github pat 2 3 betterleaks.github-pat",
        "app/x.py :7 REDACTED_GITHUB_PAT_1 betterleaks.github-pat abababababab 3 replaced",
        "not in a file: a message or a discussion REDACTED_GITHUB_PAT_1",
        "dump.env many secrets 5 of them abababababab left out",
        "A draw of 100, and 50 more; all of them stand in corpus/redactions.jsonl .",
        "github pat by betterleaks.github-pat · billing @ abababababab · app/x.py :7",
    ):
        assert words in text, words


def test_a_policy_of_this_tree_is_named_with_what_it_keeps(searched, tmp_path):
    digest = hash_file(POLICIES / "personal_data.yaml")

    def fill(out):
        outcome = fill_searched(out)
        summary = {**SUMMARY, "policy": {"salted": True, "personal_data": digest}}
        (out / "privacy.json").write_text(json.dumps(summary), encoding="utf-8")
        return outcome

    run_stage("collect", {}, {}, tmp_path / "corpus", fill)
    text = words_of(write_privacy_page(tmp_path).read_text(encoding="utf-8"))
    for words in (
        "By the policy data_prep/policy/personal_data.yaml",
        f"sha256 {digest[:16]}… It replaces email, name, phone,",
        "Authors of files and commits stand under pseudonyms.",
        "emails: *@example *@example.*",
        "Named under the salt of this site",
    ):
        assert words in text, words


def test_secrets_stand_ahead_of_personal_data(html):
    for section in ("kinds", "places", "context"):
        part = html[html.index(f'<section id="{section}">') :].split("</section>")[0]
        assert part.index("Secrets") < part.index("Personal data")


def test_nothing_of_the_data_is_markup_or_hidden(html):
    assert "<script" not in html
    assert html.count("&lt;script&gt;document.title") >= 3
    assert "<i>U+202E</i>" in html
    assert "<i>NUL</i>" in html
    assert "p" * 400 not in html
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\U000e0041]", html)
    assert {tag.lower() for tag in re.findall(r"<(\w+)", html)}.isdisjoint(
        {"script", "link", "img", "iframe", "object", "base", "form"}
    )


def test_the_same_corpus_gives_the_same_bytes_for_nobody_else(searched, html, tmp_path):
    copy = shutil.copytree(searched, tmp_path / "searched")
    (copy / "corpus").chmod(0o700)
    out = write_privacy_page(copy / "corpus")
    assert out == copy / "privacy.html"
    assert out.read_text(encoding="utf-8") == html
    assert out.stat().st_mode & 0o777 == 0o600


def test_the_command_prints_where_the_page_lies(searched, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["privacy", str(searched), "--out", str(tmp_path / "page.html")])
    assert (stop.value.code, capsys.readouterr().out) == (0, f"{tmp_path / 'page.html'}\n")


def test_a_place_that_cannot_be_written_is_one_line(searched, tmp_path):
    with pytest.raises(RecipeError, match="no such file or directory; correct the path"):
        write_privacy_page(searched, tmp_path / "no" / "page.html")


def test_no_planted_secret_is_on_the_page_nor_in_what_is_printed(tmp_path, capsys):
    made = Maker(tmp_path / "app")
    code = f'A = "{SECRETS["github"]}"\n\n\ndef use():\n    return A\n'
    made.commit("Use a token for the forge, so that builds can be fetched", {"a.py": code})
    code = code.replace(SECRETS["github"], SECRETS["slack"])
    made.commit(f"Use another token: {SECRETS['slack']} instead of the old one", {"b.py": code})
    section = CollectSection.model_validate({"sources": [made.source()], "held_out": 0})
    one = LocalExecutor(type="local", workers=1)
    corpus = tmp_path / "run" / "corpus"
    run_stage("collect", {}, {}, corpus, lambda out: collect(section, one, out, Progress("quiet")))
    html = write_privacy_page(corpus).read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["privacy", str(corpus), "--json"])
    printed = capsys.readouterr().out
    for place in ("a.py", "b.py", "REDACTED_GITHUB_PAT_1", "REDACTED_SLACK_BOT_TOKEN_1"):
        assert place in html
        assert place in printed
    assert "2 secrets found" in html
    assert "Nothing looked for personal data." in html
    for value in SECRETS.values():
        assert value not in html + printed
        assert value[8:20] not in html + printed


@in_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window(tmp_path, html, width, scheme):
    found = probe(tmp_path, html, width, scheme)
    assert found == {
        "width": width, "scrollWidth": width, "paper": PAPER[scheme], "spilled": [],
    }  # fmt: skip


@in_chromium
def test_a_browser_runs_nothing_of_it(tmp_path, html):
    file = tmp_path / "page.html"
    file.write_text(html, encoding="utf-8")
    shown = browse(tmp_path, file)
    assert "<title>searched · privacy</title>" in shown.stdout
    assert "Content Security Policy" not in shown.stderr

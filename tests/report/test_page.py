import base64
import hashlib
import re
import shutil
from html.parser import HTMLParser

import pyarrow.parquet as pq
import pytest

from devtune.data.renderers.mistral import MistralRenderer
from devtune.data.renderers.opening import open_renderer
from devtune.errors import RecipeError
from devtune.report.excerpt import visible
from devtune.report.html import ROOM, STYLE
from devtune.report.page import write_page
from devtune.report.rows import read_pairs
from tests.report.browser import PAPER, browse, in_chromium, probe
from tests.report.conftest import HELD_OUT, HOSTILE

CSS = (ROOM / STYLE).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def html(run_dir, tmp_path_factory):
    out = tmp_path_factory.mktemp("page") / "page.html"
    return write_page(run_dir / "dataset", out).read_text(encoding="utf-8")


class Reader(HTMLParser):
    def __init__(self, html) -> None:
        super().__init__()
        self.tags, self.attributes, self.samples, self.stack = set(), set(), {}, []
        self.current, self.is_first = None, False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(attrs)
        self.stack.append((tag, dict(attrs).get("class", "")))
        self.is_first = tag == "pre"

    def handle_endtag(self, tag):
        while self.stack and self.stack.pop()[0] != tag:
            pass

    def handle_data(self, data):
        inside = [tag for tag, _ in self.stack]
        if inside[-2:] == ["summary", "code"] and ("details", "sample") in self.stack:
            self.current = self.samples.setdefault(data, {"trained": "", "all": "", "dim": ""})
        if self.is_first:  # as browsers do it
            data = data.removeprefix("\n")
            self.is_first = False
        if "pre" in inside:
            self.current["all"] += data
            self.current["trained"] += data if "mark" in inside else ""
            self.current["dim"] += data if self.stack[-1][1] == "control" else ""


def test_the_page_needs_nothing_and_runs_nothing(html):
    reader = Reader(html)
    assert not reader.tags & {"script", "link", "img", "iframe", "object", "base", "form"}
    names = {name for name, _ in reader.attributes}
    assert not {each for each in names if each.startswith("on")} | (names & {"src", "style"})
    assert {value[0] for name, value in reader.attributes if name == "href"} == {"#"}
    assert not re.search(r"url\(|@import|https?:", CSS)


def test_the_policy_allows_the_one_style_and_nothing_else(html):
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert f'http-equiv="Content-Security-Policy" content="{policy}"' in html


def test_exactly_the_tokens_the_loss_counts_are_marked(run_dir, html):
    samples, dataset = Reader(html).samples, run_dir / "dataset"
    renderer = open_renderer(dataset)
    families = set()
    for row in pq.read_table(dataset / "train.parquet").to_pylist():
        if row["sample_id"] not in samples or row["family"] == "hostile_family":
            continue
        spans = list(renderer.spans(row["input_ids"], row["labels"]))
        shown = samples[row["sample_id"]]
        assert shown["all"] == "".join(span.text for span in spans)
        assert shown["trained"] == "".join(span.text for span in spans if span.is_trained)
        assert shown["dim"] == "".join(span.text for span in spans if span.is_control)
        families.add(row["family"])
    assert families == {"commit_edit", "commit_replay"}


def test_marked_text_is_the_trained_answers_and_their_ends(html):
    samples = Reader(html).samples
    assert samples["b1" * 8]["trained"] == f"{HELD_OUT[1].messages[1].content}</s>"
    replay = samples["e0" * 8]
    assert replay["trained"].startswith("[TOOL_CALLS]read_file")
    assert replay["trained"].endswith("</s>All is well.</s>")
    assert "[/INST]\n\nA moment.</s>" in replay["all"]
    assert "moment" not in replay["trained"]


def test_a_hostile_sample_is_text_with_nothing_hidden(html):
    trained = Reader(html).samples["f0" * 8]["trained"]
    assert trained == (
        HOSTILE.replace("\x00", "NUL").replace("\x1b", "ESC").replace("\r", "CR")
        .replace("\u202e", "U+202E").replace("\u202c", "U+202C").replace("\u200b\u200b", "U+200B×2")
        .replace("\U000e0041", "U+E0041").replace("\u00a0", "U+00A0") + "</s>"
    )  # fmt: skip
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\U000e0041]", html)


def test_the_page_says_where_everything_is_from_and_what_was_left_out(html):
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))
    for words in (
        "32 samples to train on, 2 held out",
        "billing @ c0ffee app/x.py · Ada &lt;ada@corp.test&gt; · 2024-01-01 · MIT",
        "billing @ c0ffee app/x.py:7-12 · Ada &lt;ada@corp.test&gt; · 2024-01-01 · MIT",
        "and 2 more places",
        "vendored 5 71.4%",
        "3 secrets and 1 personal value were found, and replaced or left out;",
        "1 repository that collect.exclude_repositories names: astropy (astropy/astropy).",
        "3 clusters of files that are nearly the same",
        "+19 app @ c0ffee copy/0.py",
        "and 7 more",
        "1 sample was left out for words shared",
        "a &lt;b&gt; c",
        "cccccccccccc 2025-06-30",
    ):
        assert words in text, words


def test_the_same_dataset_gives_the_same_bytes(run_dir, html, tmp_path):
    again = write_page(run_dir / "dataset", tmp_path / "again.html")
    assert again.read_text("utf-8") == html
    assert again.stat().st_mode & 0o066 == (run_dir / "dataset").stat().st_mode & 0o044


def test_a_dataset_alone_gives_a_page_that_says_what_is_missing(run_dir, tmp_path):
    shutil.copytree(run_dir / "dataset", tmp_path / "run" / "dataset")
    out = write_page(tmp_path / "run" / "dataset")
    assert out == tmp_path / "run" / "dataset.html"
    html = out.read_text(encoding="utf-8")
    assert "Repositories, languages and licences cannot be told: samples/ is not beside it." in html
    assert "32 samples to train on" in html


def test_a_place_that_cannot_be_written_is_one_line(run_dir, tmp_path):
    with pytest.raises(RecipeError, match="no such file or directory; correct the path"):
        write_page(run_dir / "dataset", tmp_path / "no" / "page.html")
    (tmp_path / "taken").mkdir()
    with pytest.raises(RecipeError, match="taken.*; see the path"):
        write_page(run_dir / "dataset", tmp_path / "taken")
    assert [each.name for each in tmp_path.iterdir()] == ["taken"]


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, two):
    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("place", [0, 1], ids=["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(place):
    block = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[place]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
    on_paper = ["ink", "quiet", "train", "held-out"]
    pairs = [(name, "paper") for name in on_paper] + [("ink", "sheet"), ("quiet", "sheet")]
    pairs += [("mark-ink", "mark"), ("mark-quiet", "mark"), ("odd-ink", "odd")]
    found = {pair: round(contrast(*(colours[name] for name in pair)), 2) for pair in pairs}
    assert min(found.values()) >= 4.5, found
    assert contrast(colours["trained"], colours["rest"]) >= 3


@in_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window(tmp_path, html, width, scheme):
    found = probe(tmp_path, html, width, scheme)
    assert found == {
        "width": width, "scrollWidth": width, "paper": PAPER[scheme], "spilled": [],
    }  # fmt: skip


@in_chromium
def test_the_probe_sees_what_is_too_wide(tmp_path, html):
    found = probe(tmp_path, html, 360, "light", "<p style='width: 400px; max-width: none'>x</p>")
    assert found["scrollWidth"] == 400
    assert len(found["spilled"]) == 1


@in_chromium
def test_a_browser_finds_the_page_in_order_and_runs_nothing_of_it(tmp_path, html):
    file = tmp_path / "page.html"
    file.write_text(html, encoding="utf-8")
    shown = browse(tmp_path, file)
    assert "<title>demo · dataset</title>" in shown.stdout
    assert "Content Security Policy" not in shown.stderr
    file.write_text(html.replace("</body>", "<script>1</script></body>"), encoding="utf-8")
    assert "Content Security Policy" in browse(tmp_path, file).stderr


def test_pairs_are_counted_and_a_few_shown_with_what_counts_of_both_sides(paired, tmp_path):
    html = write_page(paired / "dataset", tmp_path / "x.html").read_text(encoding="utf-8")
    section = html[html.index('<section id="pairs">') : html.index('<section id="rejects">')]
    words = re.sub(r"\s+", " ", re.sub("<[^>]+>", "", section))
    assert "9 pairs of sessions of one task" in words
    assert "divergence 1, trajectory 8;" in words
    assert "A draw of 6." in words
    assert section.count('<details class="sample"') == 6
    shown = section.split('<details class="sample"')[1:]
    dataset = paired / "dataset"
    renderer = MistralRenderer(dataset / "tekken.json")
    rows = dict(read_pairs(dataset / "preferences.parquet", range(9)))
    by_id = {row.sample_id: row for row in rows.values()}
    for each in shown:
        row = by_id[re.search("<code>([0-9a-f]{16})", each)[1]]
        _, chosen, rejected = each.split('<p class="origin">')[1:]
        for side, ids, labels in (
            (chosen, row.chosen_ids, row.chosen_labels),
            (rejected, row.rejected_ids, row.rejected_labels),
        ):
            marked = re.findall("<mark[^>]*>(.*?)</mark>", side, re.DOTALL)
            trained = "".join(x.text for x in renderer.spans(ids, labels) if x.is_trained)
            assert "".join(marked) == str(visible(trained, has_lines=True))


def test_a_dataset_without_pairs_says_nothing_of_them(run_dir, tmp_path):
    html = write_page(run_dir / "dataset", tmp_path / "x.html").read_text(encoding="utf-8")
    assert 'id="pairs"' not in html
    assert "#pairs" not in html

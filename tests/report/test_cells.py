import re
from html.parser import HTMLParser

import pytest

from devtune.report import cells
from devtune.report.cells import (
    dataset_cell,
    report_cell,
    samples_cell,
    serving_cell,
    training_cell,
)
from devtune.report.html import ROOM
from devtune.report.looks import draw_looks
from devtune.report.sizes import read_sizes
from tests.report.browser import browse, in_chromium, probe
from tests.report.conftest import HOSTILE
from tests.report.test_page import contrast

CSS = (ROOM / cells.STYLE).read_text(encoding="utf-8")
SCORES = {"bits_per_byte": 0.5, "loss": 1.25, "edit_similarity": 0.1}
CURVE = [
    {"step": 0, "eval_loss": 2.5},
    *({"step": step, "loss": 2.0 / step} for step in range(1, 9)),
    {"step": 8, "eval_loss": 2.0},
]


@pytest.fixture(scope="module")
def outputs(run_dir):
    looks = draw_looks(run_dir / "dataset", "train", None, 2)
    answer = {"sample_id": "00", "family": HOSTILE, "base": HOSTILE, "tuned": HOSTILE,
              "reference": HOSTILE}  # fmt: skip
    families = {HOSTILE: {"num_samples": 8, "base": SCORES, "tuned": SCORES}}
    check = {"effect": 0.5, "rounding": 1e-6, "largest_logit_difference": 0.1}
    return [
        dataset_cell(read_sizes(run_dir / "dataset"), looks, HOSTILE),
        samples_cell(looks),
        training_cell(HOSTILE, CURVE, HOSTILE),
        serving_cell(HOSTILE, check, {HOSTILE: 1234}, HOSTILE, HOSTILE),
        report_cell(HOSTILE, families, [answer], HOSTILE),
    ]


@pytest.fixture(scope="module")
def notebook(outputs):
    style = ":root { color-scheme: light dark; } body { margin: 1rem; }"
    return (
        "<!doctype html><meta charset='utf-8'><title>cells</title>"
        f"<style>{style}</style><body>{''.join(outputs)}</body>"
    )


class Reader(HTMLParser):
    def __init__(self, html) -> None:
        super().__init__()
        self.tags, self.attributes, self.open, self.marked = set(), set(), [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(attrs)
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        self.marked += data if "mark" in self.open and "pre" in self.open else ""


def test_an_output_needs_nothing_and_runs_nothing(outputs):
    for html in outputs:
        reader = Reader(html)
        assert not reader.tags & {"script", "link", "img", "iframe", "object", "base", "form", "a"}
        names = {name for name, _ in reader.attributes}
        assert not {each for each in names if each.startswith("on")} | (
            names & {"src", "href", "style", "id"}
        )
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]", html)
    assert not re.search(r"url\(|@import|https?:", CSS)


def test_a_rule_of_an_output_changes_nothing_outside_of_it():
    selectors = re.findall(r"^([^{}\n]+)\{", CSS, re.MULTILINE)
    assert len(selectors) > 30
    for each in ",".join(selectors).split(","):
        assert each.strip().startswith(".devtune"), each


def test_what_is_marked_is_what_is_trained(run_dir, outputs):
    looks = draw_looks(run_dir / "dataset", "train", "commit_edit", 2)
    marked = Reader(samples_cell(looks)).marked
    trained = "".join(
        each.text for look in looks for turn in look.turns for each in turn.stretches
        if each.is_trained
    )  # fmt: skip
    assert marked == trained
    assert trained.count("</s>") == 2


def test_both_losses_are_drawn_and_can_be_pointed_at(outputs):
    html = outputs[2]
    assert html.count("<polyline") == 2
    assert html.count("<circle") == 10
    assert "<title>step 8: held out 2.0000</title>" in html


def test_a_run_without_a_curve_has_no_picture():
    assert "<svg" not in training_cell("nothing logged", [], "")


def test_nothing_measured_is_no_table():
    assert "<table" not in report_cell("nothing was held out", {}, [], "")


@pytest.mark.parametrize("name", ["train", "held-out"])
@pytest.mark.parametrize("paper", ["#ffffff", "#111111"])
def test_colours_stand_out_from_light_and_dark_paper(name, paper):
    (colour,) = re.findall(rf"--{name}: (#[0-9a-f]{{6}});", CSS)
    assert contrast(colour, paper) >= 3.5


@in_chromium
@pytest.mark.parametrize("width", [420, 1280])
def test_nothing_is_wider_than_the_output(tmp_path, notebook, width):
    found = probe(tmp_path, notebook, width, "light")
    assert (found["scrollWidth"], found["spilled"]) == (width, [])


@in_chromium
def test_a_browser_runs_nothing_of_an_output(tmp_path, notebook):
    file = tmp_path / "page.html"
    file.write_text(notebook, encoding="utf-8")
    assert "<title>cells</title>" in browse(tmp_path, file).stdout

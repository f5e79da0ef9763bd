import re
import shutil
import stat
from html.parser import HTMLParser

import pytest

from devtune.data.renderers.mistral import MistralRenderer
from devtune.errors import DevtuneError, RecipeError
from devtune.report import trajectories as pages
from devtune.report.conversation import turns_of
from devtune.report.excerpt import spelt
from devtune.report.page import write_page
from devtune.report.rows import read_tokens
from devtune.report.trajectories import evenly, read_overview, write_trajectories
from tests.report.browser import PAPER, browse, in_chromium, probe
from tests.report.conftest import make_run, make_trajectory


@pytest.fixture(scope="module")
def folder(trajectories, tmp_path_factory):
    out = tmp_path_factory.mktemp("pages") / "pages"
    write_trajectories(trajectories / "dataset", out)
    return out


@pytest.fixture(scope="module")
def first(folder):
    return (folder / f"01-{0:016x}.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def index(folder):
    return (folder / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def many(tmp_path_factory, tekken_file):
    out = tmp_path_factory.mktemp("runs") / "many"
    return make_run(out, tekken_file, [make_trajectory(number) for number in range(7)])


class Reader(HTMLParser):
    def __init__(self, html) -> None:
        super().__init__()
        self.tags, self.attributes, self.turns, self.stack = set(), set(), [], []
        self.is_first = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(attrs)
        self.stack.append((tag, dict(attrs).get("class", "")))
        if tag == "details":
            kept = {"class": dict(attrs)["class"], "open": "open" in dict(attrs)}
            self.turns.append({**kept, "text": "", "trained": "", "mask": "", "cut": ""})
        self.is_first = tag == "pre"

    def handle_endtag(self, tag):
        while self.stack and self.stack.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if self.is_first:  # as browsers do it
            data, self.is_first = data.removeprefix("\n"), False
        inside = [tag for tag, _ in self.stack]
        classes = [name for _, name in self.stack]
        if "details" not in inside:
            return
        turn = self.turns[-1]
        turn["mask"] += data if "mask" in classes else ""
        turn["cut"] += data if "cut" in classes else ""
        if "pre" in inside and "cut" not in classes:
            turn["text"] += data
            turn["trained"] += data if "mark" in inside else ""


def plain(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_pages_need_nothing_and_run_nothing(folder):
    names = {each.name for each in folder.iterdir()}
    assert names == {"index.html", f"01-{0:016x}.html", f"02-{1:016x}.html"}
    for file in folder.iterdir():
        html = file.read_text(encoding="utf-8")
        reader = Reader(html)
        assert not reader.tags & {"script", "link", "img", "iframe", "object", "base", "form"}
        attributes = {name for name, _ in reader.attributes}
        assert not {x for x in attributes if x.startswith("on")} | (attributes & {"src", "style"})
        links = {value for name, value in reader.attributes if name == "href"}
        assert {each for each in links if each[0] != "#"} <= names
        assert "default-src 'none'; style-src 'sha256-" in html


def test_exactly_the_tokens_the_loss_counts_are_marked(trajectories, first):
    dataset = trajectories / "dataset"
    [(_, ids, labels)] = read_tokens(dataset / "train.parquet", [0])
    turns = list(turns_of(MistralRenderer(dataset / "tekken.json"), ids, labels))
    shown = Reader(first).turns
    assert [each["class"].split()[1] for each in shown] == [each.speaker for each in turns]
    for turn, found in zip(turns, shown, strict=True):
        assert bool(found["trained"]) == (turn.num_trained > 0)
        if turn.num_trained:
            trained = [spelt(x.text, has_lines=True) for x in turn.stretches if x.is_trained]
            assert found["trained"] == "".join(trained)


def test_masked_answers_say_why(first):
    answers = [each for each in Reader(first).turns if each["class"] == "turn assistant"]
    assert [each["mask"] for each in answers] == [
        "", "not trained: failed edit", "not trained: loop", "",
    ]  # fmt: skip
    assert [bool(each["trained"]) for each in answers] == [True, False, False, True]
    assert "2 of 4 answers: failed edit 1, loop 1" in plain(first)


def test_long_texts_are_folded_and_answers_lie_open(first):
    turns = Reader(first).turns
    assert all(each["open"] for each in turns if each["class"] == "turn assistant")
    long = turns[4]
    assert (long["class"], long["open"]) == ("turn tool", False)
    assert long["cut"] == "200 lines not shown"
    assert "line 59\n" in long["text"]
    assert "\nline 260" in long["text"]
    assert "line 60\n" not in long["text"]


def test_hostile_output_is_text_with_nothing_hidden(first):
    hostile = Reader(first).turns[6]["text"]
    assert (
        "</script></style></pre><script>document.title = 'owned'</script><!-- NULESC[31mCR\n"
        in (hostile)
    )
    laid_out = Reader(first).turns[8]["text"]
    assert laid_out == (
        "[TOOL_RESULTS]\n    output:\n        no\n        </script>no\n[/TOOL_RESULTS]"
    )
    assert "Done 0: </pre></details></s>" in Reader(first).turns[9]["trained"]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\U000e0041]", first)


def test_the_index_counts_masks_and_outcomes_and_says_what_is_shown(index):
    text = plain(index)
    for words in (
        "1 trajectory to train on, 1 held out",
        "failed edit 2 25.0%", "loop 2 25.0%", "resolved 2",
        "All trajectories of the dataset, in its order.", f"{1:016x} held out",
    ):  # fmt: skip
        assert words in text, words


def test_of_many_some_are_chosen_evenly_and_the_index_says_so(many, tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "NUM_SHOWN", 3)
    write_trajectories(many / "dataset", tmp_path / "pages")
    names = sorted(each.name for each in (tmp_path / "pages").iterdir())
    chosen = [0, 2, 4]
    assert names == [*(f"0{n}-{each:016x}.html" for n, each in enumerate(chosen, 1)), "index.html"]
    text = plain((tmp_path / "pages" / "index.html").read_text("utf-8"))
    assert "3 of 7 trajectories, chosen evenly in the order of the dataset" in text
    assert "failed edit 7" in text
    middle = (tmp_path / "pages" / names[1]).read_text("utf-8")
    assert f'href="{names[0]}" rel="prev"' in middle
    assert f'href="{names[2]}" rel="next"' in middle


@pytest.mark.parametrize(
    ("total", "most", "places"),
    [(0, 3, []), (2, 3, [0, 1]), (3, 3, [0, 1, 2]), (10, 3, [0, 3, 6]), (100, 4, [0, 25, 50, 75])],
)
def test_positions_are_as_far_from_each_other_as_can_be(total, most, places):
    assert sorted(evenly(total, most)) == places


def test_a_full_page_keeps_its_turns_without_their_texts(trajectories, tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "MAX_LAST", 300)
    write_trajectories(trajectories / "dataset", tmp_path / "pages")
    html = (tmp_path / "pages" / f"01-{0:016x}.html").read_text("utf-8")
    turns = Reader(html).turns
    assert len(turns) == 10
    assert re.fullmatch(r"[\d,]+ characters that are trained not shown", turns[-1]["cut"])
    assert turns[-1]["text"] == ""


def test_of_very_many_turns_the_first_and_the_last_are_shown(trajectories, tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "NUM_FIRST", 3)
    monkeypatch.setattr(pages, "NUM_LAST", 2)
    write_trajectories(trajectories / "dataset", tmp_path / "pages")
    html = (tmp_path / "pages" / f"01-{0:016x}.html").read_text("utf-8")
    assert re.findall(r'id="turn-(\d+)"', html) == ["1", "2", "3", "9", "10"]
    assert "5 turns between these are not shown." in html
    assert "Done 0: </pre></details></s>" in Reader(html).turns[-1]["trained"]


def test_without_the_samples_pages_say_what_cannot_be_told(trajectories, tmp_path):
    shutil.copytree(trajectories / "dataset", tmp_path / "run" / "dataset")
    write_trajectories(tmp_path / "run" / "dataset", tmp_path / "pages")
    html = (tmp_path / "pages" / "index.html").read_text("utf-8")
    assert "Why answers are masked cannot be told: samples/ is not beside it." in html
    one = (tmp_path / "pages" / f"01-{0:016x}.html").read_text("utf-8")
    assert [each["mask"] for each in Reader(one).turns if each["mask"]] == ["not trained"] * 2


def test_the_same_dataset_gives_the_same_bytes_and_replaces_older_pages(
    trajectories, folder, tmp_path
):
    again = tmp_path / "pages"
    again.mkdir()
    (again / "index.html").write_text("older")
    (again / "07-gone.html").write_text("older")
    write_trajectories(trajectories / "dataset", again)
    assert {x.name: x.read_bytes() for x in again.iterdir()} == {
        x.name: x.read_bytes() for x in folder.iterdir()
    }
    assert [each.name for each in tmp_path.iterdir()] == ["pages"]


def test_pages_are_as_open_as_the_dataset_they_quote(trajectories, tmp_path):
    dataset = shutil.copytree(trajectories, tmp_path / "run") / "dataset"
    dataset.chmod(0o700)
    write_trajectories(dataset, tmp_path / "pages")
    assert stat.S_IMODE((tmp_path / "pages").stat().st_mode) == 0o700
    assert {stat.S_IMODE(x.stat().st_mode) for x in (tmp_path / "pages").iterdir()} == {0o600}


def test_the_report_links_to_them_and_a_dataset_without_any_takes_old_ones_away(
    trajectories, run_dir, tmp_path
):
    html = write_page(trajectories / "dataset", tmp_path / "my page.html").read_text("utf-8")
    assert 'href="my%20page-trajectories/index.html"' in html
    assert (tmp_path / "my page-trajectories" / "index.html").is_file()
    html = write_page(run_dir / "dataset", tmp_path / "my page.html").read_text("utf-8")
    assert "-trajectories/" not in html
    assert [each.name for each in tmp_path.iterdir()] == ["my page.html"]


def test_what_is_not_of_ours_is_not_replaced(trajectories, tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "thesis.tex").touch()
    with pytest.raises(RecipeError, match=r"exists but has no index.html; not devtune's: move it"):
        write_trajectories(trajectories / "dataset", tmp_path / "pages")
    assert (tmp_path / "pages" / "thesis.tex").exists()


def test_a_place_that_cannot_be_written_is_one_line(trajectories, tmp_path):
    with pytest.raises(RecipeError, match="no such file or directory; correct the path"):
        write_trajectories(trajectories / "dataset", tmp_path / "no" / "pages")
    assert list(tmp_path.iterdir()) == []


def test_samples_that_disagree_are_one_line_and_leave_nothing(many, tmp_path):
    run = shutil.copytree(many, tmp_path / "run")
    file = run / "samples" / "train.jsonl"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[::-1]))
    with pytest.raises(DevtuneError, match="has no sample 0{15}0?[0-9] where the dataset has it"):
        write_trajectories(run / "dataset", tmp_path / "pages")
    assert [each.name for each in tmp_path.iterdir()] == ["run"]


def test_counts_are_of_all_trajectories_not_of_those_shown(many, monkeypatch):
    monkeypatch.setattr(pages, "NUM_SHOWN", 2)
    overview = read_overview(many / "dataset")
    assert (len(overview.chosen), overview.total, overview.masks["loop"]) == (2, 7, 7)


@in_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window(tmp_path, first, index, width, scheme):
    for html in (first, index):
        found = probe(tmp_path, html, width, scheme)
        assert found == {
            "width": width, "scrollWidth": width, "paper": PAPER[scheme], "spilled": [],
        }  # fmt: skip


@in_chromium
def test_a_browser_runs_nothing_of_a_page(tmp_path, first):
    file = tmp_path / "page.html"
    file.write_text(first, encoding="utf-8")
    shown = browse(tmp_path, file)
    assert f"<title>{0:016x} · trajectory</title>" in shown.stdout
    assert "Content Security Policy" not in shown.stderr

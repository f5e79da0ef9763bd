import json

import pytest

from devtune.data.families.messages import Words
from devtune.data.sources.checkout import Checkout
from devtune.data.sources.git import open_repository
from devtune.data.sources.searches import MAX_SEARCHES, narrow, search
from devtune.data.sources.sightings import Sightings

FILES = {
    "readme.md": "Read me, it is about the pager\n",
    "src/app/core.py": "def make_it():\n    pass\n",
    "src/app/pager.py": "import core\ncore.make_it()\n",
    "lib/deep/er/x.py": "pass\n",
    **{f"many/{number}.py": "common = 1\n" * 9 for number in range(9)},
}


@pytest.fixture
def look(make_repository):
    maker = make_repository()
    maker.commit("One", FILES)
    checkout = Checkout(open_repository(maker.path), "HEAD", lambda _: True)

    def run(subject, windows, directories=(), body=""):
        seen = Sightings()
        found = search(checkout, Words(subject, body), windows, directories, seen)
        return [next(iter(json.loads(each.arguments).values())) for each in found], seen

    return run


def test_what_the_message_names_is_searched_for(look):
    found, seen = look("Fix make_it for all", {"src/app/core.py": [(0, 2)]})
    assert found == ["make_it"]
    assert seen.leads_to("src/app/core.py", (0, 1))
    assert seen.has_path("src/app/pager.py")


def test_a_search_that_leads_nowhere_new_is_not_made(look):
    windows = {"src/app/core.py": [(0, 2)]}
    found, _ = look("Fix `make_it` and `core.make_it()`", windows)
    assert found == ["make_it"]
    assert len(look("Fix `make_it`, `import core`, `pass`, `core`", windows)[0]) <= MAX_SEARCHES


def test_plain_words_are_searched_for_where_no_name_leads_there(look):
    found, seen = look("Let the pager wait", {"readme.md": [(0, 1)]})
    assert found == ["pager"]
    assert seen.has_path("readme.md")


def test_directories_are_listed_on_the_way_to_what_nothing_names(look):
    found, seen = look("Improve things here", {"lib/deep/er/x.py": [(0, 1)]})
    listing = "git ls-tree --name-only HEAD"
    assert found == [listing, f"{listing} lib/", f"{listing} lib/deep/", f"{listing} lib/deep/er/"]
    assert seen.has_path("lib/deep/er/x.py")


def test_a_directory_is_listed_once(look):
    found, _ = look("Improve things", {"many/1.py": [(0, 1)], "many/2.py": [(0, 1)]}, ["many", "."])
    assert [each.split("HEAD")[-1] for each in found] == ["", " many/"]


def test_the_directory_of_a_new_file_is_looked_for(look):
    found, seen = look("Improve things", {}, ["src/app"])
    assert [each.split("HEAD")[-1] for each in found] == ["", " src/"]
    assert seen.has_directory("src/app")


def test_a_directory_that_is_not_there_is_given_up(look):
    found, seen = look("Improve things", {}, ["nowhere/at/all"])
    assert len(found) == 1
    assert not seen.has_directory("nowhere/at/all")


def test_a_file_that_is_named_is_known_or_found(look):
    found, seen = look("Fix src/app/core.py now", {"src/app/core.py": [(0, 1)]})
    assert found == []
    assert seen.has_path("src/app/core.py")
    found, seen = look("Fix core.py now", {"src/app/core.py": [(0, 1)]})
    assert found == ["git ls-files '*core.py'"]
    assert seen.has_path("src/app/core.py")


def test_a_name_that_is_everywhere_is_cut_and_only_the_last_resort(look):
    found, _ = look("Fix `common` now", {"lib/deep/er/x.py": [(0, 1)]})
    assert found[0] == "common"
    found, _ = look("Fix `common` for make_it", {"src/app/core.py": [(0, 1)]})
    assert found == ["make_it"]


def test_a_long_file_is_searched_for_lines_near_what_is_read():
    lines = [f"line {number}\n" for number in range(300)]
    lines[150], lines[250] = "def make_it():\n", "    make_it() # twice\n"
    seen = Sightings()
    words = Words("Let make_it run twice", "")
    made = list(narrow("x.py", lines, words, [(0, 9), (140, 160), (240, 260)], seen))
    assert [(json.loads(each.arguments), each.output) for each in made] == [
        (
            {"pattern": "make_it", "path": "x.py"},
            "x.py:151:def make_it():\nx.py:251:    make_it() # twice\n",
        )
    ]
    assert seen.leads_to("x.py", (240, 260))
    assert list(narrow("x.py", lines, words, [(140, 160)], seen)) == []
    assert list(narrow("x.py", lines, Words("Do line thing", ""), [(20, 30)], Sightings())) == []

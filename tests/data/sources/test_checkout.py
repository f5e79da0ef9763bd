import json
import subprocess

import pytest

from devtune.data.sources.checkout import MAX_HIT_BYTES, Checkout, is_plain, print_hits
from devtune.data.sources.git import open_repository
from devtune.data.tools import Tools
from devtune.errors import DevtuneError

FILES = {
    "readme.md": "The café has *.a[b] in it\n",
    "src/app/core.py": "def start():\n    return 'start'\n",
    "src/app/more.py": "from app.core import start\r\n",
    "tests/test_core.py": "start()",
    "vendor/lib.py": "start = 1\n",
    "data.bin": b"start\0\xff\n",
    "naïve.py": "start\n",
}


@pytest.fixture
def made(make_repository):
    maker = make_repository()
    maker.commit("One", FILES)
    return maker


@pytest.fixture
def checkout(made):
    def is_shown(path):
        return not path.startswith("vendor/") and not path.endswith(".bin")

    return Checkout(open_repository(made.path), "HEAD", is_shown)


def printed_there(maker, action):
    command = json.loads(Tools.call("", action).arguments)["command"]
    answer = subprocess.run(["sh", "-c", command], cwd=maker.path, capture_output=True, check=True)
    return answer.stdout.decode()


def shown(text):
    lines = text.splitlines(keepends=True)
    return "".join(each for each in lines if "vendor" not in each and "\\" not in each)


@pytest.mark.parametrize("pattern", ["start", "*.a[b]", "café", "'start'", "-n", "return 's"])
def test_a_search_prints_what_it_prints_in_the_checkout(made, checkout, pattern):
    made.commit("Two", {"x.py": "-n is it\n"})
    printed = checkout.grep(pattern, 40)
    real = printed_there(made, printed.action)
    # Of files that are not shown git says more: those lines are not there.
    expected = [each for each in shown(real).splitlines() if not each.startswith("Binary")]
    assert printed.action.output.splitlines() == expected != []


def test_a_search_knows_the_lines_it_printed(checkout):
    printed = checkout.grep("start", 40)
    assert printed.places == {
        "src/app/core.py": (1, 2),
        "src/app/more.py": (1,),
        "tests/test_core.py": (1,),
    }
    assert not printed.is_cut


def test_a_long_search_is_cut_by_head(made, checkout):
    made.commit("Two", {"a.py": "start\n" * 9})
    printed = checkout.grep("start", 5)
    assert printed.is_cut
    assert printed.places == {"a.py": (1, 2, 3, 4, 5)}
    assert printed.action.output == printed_there(made, printed.action)
    assert json.loads(printed.action.arguments) == {"pattern": "start", "limit": 5}


@pytest.mark.parametrize("pattern", ["nowhere", "1", "longer"])
def test_a_search_nobody_would_look_at_is_none(made, checkout, pattern):
    made.commit("Two", {"wide.js": "longer" + "x" * MAX_HIT_BYTES})
    assert checkout.grep(pattern, 40) is None


def test_a_search_heeds_no_configuration_of_the_repository(made, checkout):
    before = checkout.grep("start", 40)
    for name, value in (("color.grep", "always"), ("grep.column", "true"), ("color.ui", "always")):
        made.git("config", name, value)
    assert checkout.grep("start", 40) == before


def test_a_search_in_a_damaged_repository_says_so(made, checkout, is_damaged):
    made.spoil(made.git("rev-parse", "HEAD^{tree}"), "missing")
    with pytest.raises(DevtuneError) as caught:
        checkout.grep("start", 40)
    assert is_damaged(caught.value, made.path)


@pytest.mark.parametrize("directory", ["", "src", "src/app", "tests"])
def test_a_listing_prints_what_it_prints_in_the_checkout(made, checkout, directory):
    printed = checkout.list_directory(directory, 40)
    assert printed.action.output == "".join(
        line
        for line in shown(printed_there(made, printed.action)).splitlines(keepends=True)
        if ".bin" not in line
    )
    assert "".join(f"{each}\n" for each in printed.places) == printed.action.output


def test_a_listing_that_is_long_or_empty_is_none(checkout):
    assert checkout.list_directory("", 2) is None
    assert checkout.list_directory("vendor", 9) is None
    assert checkout.list_directory("nowhere", 9) is None


def test_a_file_is_found_by_the_end_of_its_path(made, checkout):
    printed = checkout.find_named("core.py", 40)
    assert list(printed.places) == ["src/app/core.py", "tests/test_core.py"]
    assert printed.action.output == printed_there(made, printed.action)
    assert checkout.find_named("core.py", 1) is None
    assert checkout.find_named("lib.py", 9) is None


def test_only_files_that_are_shown_are_there(checkout):
    assert checkout.has_file("src/app/core.py")
    assert not checkout.has_file("vendor/lib.py")
    assert not checkout.has_file("src/app")
    assert not checkout.has_file("nowhere")


def test_hits_of_one_file_are_printed_as_git_prints_them(made):
    lines = FILES["src/app/core.py"].splitlines(keepends=True)
    action = print_hits("src/app/core.py", "start", {1: lines[0], 2: lines[1]})
    assert action.output == printed_there(made, action)


@pytest.mark.parametrize(
    "path", ["", "a//b", "/a", "../a", "a/.git/b", "é", "a\nb", 'a"', "a\\b", " a", "a" * 201, "`"]
)
def test_a_path_that_git_quotes_or_that_leads_away_is_not_plain(path):
    assert not is_plain(path)
    assert is_plain("a b/c-d_e.py")

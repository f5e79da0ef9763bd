import pytest

from devtune.data.families.repository_qa import is_documentation, repository_qa
from devtune.records import Rejected
from devtune.steps.families import RepositoryQa
from tests.changes import change_of
from tests.files import context_of, file_of, texts

WORDS = "The cache keeps what was asked for in the last hour and forgets the rest of it soon."
README = f"""\
# App

{WORDS}

## Cache

{WORDS}

```bash
# drop it
app cache --drop
```
"""


@pytest.fixture
def run(tmp_path):
    def make(*row, split="train", **values):
        context = context_of(tmp_path, "repository_qa")
        values = {"min_words": 10, **values}
        step = RepositoryQa(type="repository_qa", prompt=context.prompt.file, **values)
        return list(repository_qa(step, file_of(*row, split=split), context))

    return make


def test_a_heading_asks_and_its_section_answers(run):
    first, second = run("README.md", README, split="held_out")
    request, answer = texts(second)
    assert "Cache" in request
    assert "App" in request
    assert "app" in request
    assert answer == f"{WORDS}\n\n```bash\n# drop it\napp cache --drop\n```"
    assert second.evidence == (README[README.index("## Cache") :],)
    assert (first.split, first.sample.family) == ("held_out", "repository_qa")


def test_a_question_is_asked_as_it_stands(run):
    (made,) = run("docs/a.rst", f"Is it fast?\n===========\n\n{WORDS}\n")
    assert "Is it fast?" in texts(made)[0]
    assert '"Is it fast?"' not in texts(made)[0]


def test_questions_are_phrased_in_several_ways(run):
    def asked(name):
        return texts(run(f"docs/{name}.md", f"# Cache\n\n{WORDS}")[0])[0].replace(str(name), "")

    assert len({asked(number) for number in range(40)}) >= 3


@pytest.mark.parametrize(
    ("text", "reason", "detail"),
    [
        (WORDS, "no_heading", ""),
        ("# A\n\nToo short.\n", "section_too_short", "A"),
        (f"# A\n\n{WORDS * 4}\n", "section_too_long", "A"),
        (f"# A\n\n## License\n\n{WORDS}\n", "section_of_no_use", "A › License"),
        (f"# Changelog\n\n## Fixed\n\n{WORDS}\n", "section_of_no_use", "Changelog › Fixed"),
        (f"# v1.2.3 (2024-01-01)\n\n{WORDS}\n", "section_of_no_use", "v1.2.3 (2024-01-01)"),
        (f"# A\n\n{WORDS} TODO: write more\n", "section_unfinished", "A"),
        ("# A\n\n" + "- [one two three](https://a.test)\n" * 9, "section_of_links", "A"),
    ],
)
def test_sections_that_are_left_out_have_a_reason(run, text, reason, detail):
    assert run("README.md", text, max_words=60) == [
        Rejected(reason, "app", "README.md", "c0ffee", detail)
    ]


@pytest.mark.parametrize("heading", ["Badges of honour", "Contributor guide", "Version control"])
def test_headings_that_only_sound_useless_are_kept(run, heading):
    (made,) = run("README.md", f"# {heading}\n\n{WORDS}\n")
    assert heading in texts(made)[0]


def test_a_section_without_text_is_no_question(run):
    assert run("README.md", "# A\n\n![x](y.png)\n\n# B\n") == []


@pytest.mark.parametrize(
    "path",
    ["CHANGELOG.md", "docs/LICENSE.txt", ".github/ISSUE_TEMPLATE/bug.md", "docs/changes/1.rst",
     "AUTHORS.rst", "tests/fixtures/README.md", "tests/cases/a.md"],
)  # fmt: skip
def test_files_of_no_use_are_left_out(run, path):
    assert run(path, README) == [Rejected("documents_no_use", "app", path, "c0ffee")]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("README", True), ("lib/readme.md", True), ("docs/a.txt", True), ("site/a.adoc", True),
        ("a.txt", False), ("Makefile", False), ("docs/conf.py", False), ("tests/README.md", True),
        ("bin/run", False), ("docs/x.svg", False),
    ],
)  # fmt: skip
def test_documentation_is_known_by_its_name(path, expected):
    assert is_documentation(path) is expected


def test_code_and_commits_are_no_documentation(run, tmp_path):
    assert run("a.py", README) == []
    context = context_of(tmp_path, "repository_qa")
    step = RepositoryQa(type="repository_qa", prompt=context.prompt.file)
    change = change_of("Add a readme", ("README.md", None, README))
    assert list(repository_qa(step, change, context)) == []

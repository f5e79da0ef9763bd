import json

import pytest

from devtune.data.collect import identify
from devtune.data.sources.discussion_source import DiscussionReader
from devtune.data.sources.opening import open_sources
from devtune.errors import RecipeError
from devtune.records import Rejected


def git(path, **values):
    return {"type": "git", "path": path, **values}


def directory(path, **values):
    return {"type": "directory", "path": path, **values}


def forge(path, repository, **values):
    return {"type": "forge", "path": path, "repository": repository, **values}


def fails(section):
    with pytest.raises(RecipeError) as caught:
        open_sources(section)
    assert "\n" not in str(caught.value)
    with pytest.raises(RecipeError) as again:
        identify(section)
    assert str(again.value) == str(caught.value)
    return str(caught.value)


def names(section):
    return [reader.name for reader in open_sources(section).readers]


@pytest.fixture
def export(tmp_path):
    file = tmp_path / "issues.json"
    file.write_text(json.dumps([]))
    return file


@pytest.fixture
def policy(tmp_path):
    file = tmp_path / "repositories.yaml"
    file.write_text("benchmarks: {bench: [django/django]}\nplain_names: [sympy]\n")
    return file


@pytest.fixture
def make_code(make_repository):
    def make(name):
        repository = make_repository(name)
        repository.commit("One", {"x.py": "x = 1\n"})
        return repository

    return make


def test_a_pattern_is_several_sources_named_by_what_it_matched(make_code, section, tmp_path):
    for name in ("all/b/app", "all/a/app", "all/a/core", "all/.hidden/app"):
        make_code(name)
    (tmp_path / "all/a/notes.txt").write_text("no repository\n")
    assert names(section(git(tmp_path / "all/*/*"))) == ["a/app", "a/core", "b/app"]
    assert names(section(git(tmp_path / "all/a/c*"))) == ["core"]
    assert names(section(git(tmp_path / "all/?/app/.git"))) == ["a/app", "b/app"]
    assert names(section(directory(tmp_path / "all/[ab]/app"))) == ["a/app", "b/app"]


def test_bare_mirrors_are_named_without_their_ending(make_code, section, tmp_path):
    for name in ("one", "two"):
        repository = make_code(name)
        repository.git(
            "clone", "-q", "--bare", str(repository.path), str(tmp_path / f"m/{name}.git")
        )
    found = open_sources(section(git(tmp_path / "m/*.git", weight=2, owner="Blue", license="MIT")))
    assert [reader.name for reader in found.readers] == ["one", "two"]
    assert {
        (each.source.weight, each.source.owner, each.source.license) for each in found.readers
    } == {(2.0, "Blue", "MIT")}
    assert found.readers[0].source.path == tmp_path / "m/one.git"


def test_a_directory_whose_name_looks_like_a_pattern_is_itself(section, tmp_path):
    for name in ("[ab]", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.py").write_text("x = 1\n")
    assert names(section(directory(tmp_path / "[ab]"))) == ["[ab]"]
    assert names(section(directory(tmp_path / "[ab]", name="both"))) == ["both"]


def test_a_pattern_that_matches_nothing_or_has_a_name_is_one_line(make_code, section, tmp_path):
    nothing = tmp_path / "none*"
    assert fails(section(git(nothing))) == (
        f"collect.sources: {nothing} matches nothing; correct `path`"
    )
    make_code("app")
    several = tmp_path / "a*"
    assert fails(section(git(several, name="all"))) == (
        f"collect.sources: {several} may match several, which cannot all be called 'all';"
        " leave `name` out"
    )


def test_names_are_unique_over_all_kinds_of_sources(make_code, section, tmp_path):
    make_code("one/app")
    (tmp_path / "two/app").mkdir(parents=True)
    (tmp_path / "two/app/x.py").write_text("x = 1\n")
    both = (git(tmp_path / "one/app"), directory(tmp_path / "two/app"))
    assert fails(section(*both)) == (
        f"collect.sources: two are called 'app' ({tmp_path}/one/app and {tmp_path}/two/app);"
        " give one another `name`"
    )
    assert names(section(both[0], directory(tmp_path / "two/app", name="docs"))) == ["app", "docs"]


def test_a_sub_path_that_is_not_there_is_one_line(make_code, section):
    repository = make_code("app")
    commit = repository.commit("Two", {"a/x.py": "x = 1\n"})
    with pytest.raises(Exception, match="no files in it under b at") as caught:
        open_sources(section(repository.source(subpaths=("a", "b"))))
    assert str(caught.value) == (
        f"{repository.path}: no files in it under b at {commit[:12]}; correct `subpaths`"
    )


@pytest.mark.parametrize("path", ["", "/a", "../a", "a/../b", "a//b", ".", "./a", ":(glob)a"])
def test_a_sub_path_is_spelt_from_the_top_in_one_way(make_code, section, path):
    repository = make_code("app")
    with pytest.raises(ValueError, match="is no directory of a repository; write it from its top"):
        section(repository.source(subpaths=(path,)))
    assert section(repository.source(subpaths=("a/b/",))).sources[0].subpaths == ("a/b",)


def test_what_benchmarks_test_on_is_left_out_and_named(make_code, section, policy, tmp_path):
    make_code("ours")
    clone = make_code("renamed")
    clone.git("remote", "add", "upstream", "git@github.test:Django/Django.git")
    (tmp_path / "sympy").mkdir()
    (tmp_path / "sympy/x.py").write_text("x = 1\n")
    sources = (git(clone.path), git(tmp_path / "ours"), directory(tmp_path / "sympy"))
    opened = open_sources(section(*sources, exclude_repositories=policy))
    assert [reader.name for reader in opened.readers] == ["ours"]
    assert opened.rejected == (
        Rejected("excluded_repository", "renamed", "", "", "django/django (bench)"),
        Rejected("excluded_repository", "sympy", "", "", "sympy (plain name)"),
    )
    assert names(section(*sources)) == ["renamed", "ours", "sympy"]


def test_an_export_goes_with_the_repository_it_talks_about(make_code, section, policy, export):
    make_code("ours")
    clone = make_code("fork")
    clone.git("remote", "add", "origin", "https://github.test/django/django")
    ours = clone.path.parent / "ours"
    sources = (forge(export, "fork"), git(clone.path), git(ours))
    opened = open_sources(section(*sources, exclude_repositories=policy))
    assert [reader.name for reader in opened.readers] == ["ours"]
    assert [(each.source, each.detail) for each in opened.rejected] == [
        ("issues.json", "django/django (bench)"),
        ("fork", "django/django (bench)"),
    ]


def test_when_all_is_left_out_it_says_so(make_code, section, policy):
    make_code("sympy")
    repository = make_code("clone")
    repository.git("remote", "add", "origin", "https://github.test/django/django")
    sources = (git(repository.path), git(repository.path.parent / "sympy"))
    assert fails(section(*sources, exclude_repositories=policy)) == (
        "collect.sources: all are left out as benchmarks (django/django (bench), sympy (plain"
        " name)); add another, or change the policy in collect.exclude_repositories"
    )


def test_repositories_come_before_the_exports_that_talk_about_them(make_code, section, export):
    repository = make_code("app")
    found = open_sources(section(forge(export, "app", name="tracker"), git(repository.path)))
    assert [reader.name for reader in found.readers] == ["app", "tracker"]
    assert isinstance(found.readers[1], DiscussionReader)
    assert found.readers[1].repository is found.readers[0]


def test_an_export_without_its_repository_is_one_line(make_code, section, export, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/x.md").write_text("x\n")
    repository = make_code("app")
    tracker = forge(export, "ap", name="tracker")
    assert fails(section(tracker, git(repository.path))) == (
        "collect.sources: tracker: no git source is called 'ap' (there is app);"
        " correct `repository`"
    )
    assert fails(section(forge(export, "docs"), directory(tmp_path / "docs"))) == (
        "collect.sources: issues.json: no git source is called 'docs' (there is none);"
        " correct `repository`"
    )


def test_a_policy_that_cannot_be_read_is_told_before_there_is_work(make_code, section, tmp_path):
    repository = make_code("app")
    bad = tmp_path / "bad.yaml"
    bad.write_text("vendors: []\n")
    for values in (
        {"exclude_repositories": bad},
        {"personal_data": bad},
        {"file_rules": [{"type": "excluded_paths", "policy": bad}]},
        {"file_rules": [{"type": "license", "policy": bad}]},
    ):
        assert fails(section(repository.source(), **values)).startswith(f"{bad}")

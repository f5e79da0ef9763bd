import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtune.data.filters.repositories import ExcludedRepositories
from devtune.errors import RecipeError


@pytest.fixture(scope="module")
def excluded(policy_file) -> ExcludedRepositories:
    return ExcludedRepositories.load(policy_file.with_name("repositories.yaml"))


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/django/django",
        "https://github.com/django/django.git",
        "https://github.com/Django/django/",
        "https://user:word@mirror.corp.test/scm/django/django.git",
        "git@github.com:django/django.git",
        "ssh://git@github.com:22/django/django",
        "/srv/mirrors/django/django.git",
        "C:\\mirrors\\django\\django",
        " https://github.com/django/django\n",
    ],
)
def test_a_clone_is_known_by_where_it_came_from(excluded, remote):
    answer = "django/django (swe_bench)"
    assert excluded.match("shop", ["https://corp.test/a/b", remote]) == answer


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("pallets/flask", "pallets/flask (swe_bench)"),
        ("pallets__flask", "pallets/flask (swe_bench)"),
        ("pallets+flask", "pallets/flask (swe_bench)"),
        ("pallets-flask", "pallets/flask (swe_bench)"),
        ("Pallets_Flask.git", "pallets/flask (swe_bench)"),
        ("clones/scikit-learn__scikit-learn", "scikit-learn/scikit-learn (swe_bench)"),
        ("tokio-rs/tokio", "tokio-rs/tokio (swe_bench_multilingual, multi_swe_bench)"),
        ("sympy", "sympy (plain name)"),
        ("mirrors/SymPy.git", "sympy (plain name)"),
        ("flask", None),
        ("core", None),
        ("shop", None),
        ("sympy-tools", None),
        ("", None),
    ],
)
def test_a_source_is_known_by_its_name(excluded, name, answer):
    assert excluded.match(name, []) == answer


@pytest.mark.parametrize(
    "remote", ["https://github.com/corp/django", "https://github.com/django/django-tools", "", "/"]
)
def test_another_repository_is_read(excluded, remote):
    assert excluded.match("shop", [remote]) is None


def test_without_a_policy_nothing_is_excluded():
    nothing = ExcludedRepositories.load(None)
    assert nothing.match("django", ["https://github.com/django/django"]) is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("benchmarks: {}\n", "'plain_names' is missing"),
        ("benchmarks: {a: [django]}\nplain_names: []\n", "benchmarks.a.0: String should match"),
        ("benchmarks: []\nplain_names: []\n", "a benchmark a list of owner/name"),
    ],
)
def test_a_wrong_policy_is_one_line(tmp_path, text, complaint):
    file = tmp_path / "repositories.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        ExcludedRepositories.load(file)
    assert str(caught.value).startswith(str(file))
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(), st.lists(st.text()))
def test_no_name_is_too_odd(name, remotes):
    known = ExcludedRepositories({"a/b": "x"}, frozenset({"c"}))
    assert known.match(name, remotes) in {None, "a/b (x)", "c (plain name)"}

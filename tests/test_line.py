import importlib
import inspect
import os
from pathlib import Path

import pytest

from devtune.config import load
from devtune.errors import DevtuneError
from devtune.line import LINE, NAMES
from devtune.progress import Progress
from devtune.recipe import Recipe
from devtune.run import directory, named, run_line, section_of

QUICKSTART = Path(__file__).resolve().parents[1] / "recipes" / "quickstart" / "recipe.yaml"


def test_every_section_of_a_recipe_belongs_to_a_stage_or_says_where_it_runs():
    sections = {info.alias or name for name, info in Recipe.model_fields.items()}
    assert sections == {*NAMES, "executor", "cluster", "run_dir", "readable_by"}


def test_every_stage_reads_what_an_earlier_one_wrote():
    written = set()
    for stage in LINE:
        assert set(stage.inputs) <= written, stage.name
        written.add(stage.output)


@pytest.mark.parametrize("stage", LINE, ids=NAMES)
def test_the_function_of_a_stage_takes_sections_inputs_out_and_progress(stage):
    parameters = [
        name.removesuffix("_dir") for name in inspect.signature(named(stage.function)).parameters
    ]
    middle = [*stage.also, *stage.inputs]
    assert parameters == [parameters[0], *middle, "out", "progress"]


def test_directories_stand_under_run_dir_but_for_shared_weights(tmp_path):
    recipe = load(QUICKSTART, [f"run_dir={tmp_path}", f"import.out={tmp_path}/shared"]).recipe
    assert directory(recipe, "corpus") == tmp_path / "corpus"
    assert directory(recipe, "base") == tmp_path / "shared"
    assert section_of(recipe, "import") is recipe.import_


def test_a_missing_extra_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "wants_more.py").write_text("import no_such_library\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    with pytest.raises(DevtuneError) as caught:
        named("wants_more:work")
    assert str(caught.value) == (
        "wants_more: needs the package no_such_library; install devtune with its `train` extra"
    )


def test_a_module_of_our_own_that_is_missing_is_a_defect_and_rises():
    with pytest.raises(ModuleNotFoundError):
        named("devtune.no_such_module:work")


def test_a_line_runs_from_code_to_samples_and_a_second_time_does_nothing(tmp_path, capsys):
    code = tmp_path / "code"
    code.mkdir()
    for number in range(6):
        (code / f"m{number}.py").write_text(
            f'def f{number}(a, b):\n    """Add the two numbers and the number {number}."""\n'
            f"    c = a + b\n    d = c + {number}\n    return d\n",
            encoding="utf-8",
        )
    resolved = load(
        QUICKSTART,
        [f"run_dir={tmp_path}/run", f"collect.sources=[{{type: directory, path: {code}}}]"],
    )
    first = run_line(resolved, Progress("auto"), ("collect", "build"))
    assert list(first) == ["collect", "build"]
    assert (tmp_path / "run" / "samples" / "manifest.json").is_file()
    assert "already done" not in capsys.readouterr().out
    assert run_line(resolved, Progress("auto"), ("collect", "build")) == first
    assert capsys.readouterr().out.count("already done: ") == 2


def test_changed_code_is_another_corpus(tmp_path):
    code = tmp_path / "code"
    code.mkdir()
    (code / "a.py").write_text("x = 1\ny = 2\nz = 3\n", encoding="utf-8")
    resolved = load(
        QUICKSTART,
        [f"run_dir={tmp_path}/run", f"collect.sources=[{{type: directory, path: {code}}}]"],
    )
    run_line(resolved, Progress("quiet"), ("collect",))
    (code / "a.py").write_text("x = 1\ny = 2\nz = 4\n", encoding="utf-8")
    with pytest.raises(DevtuneError, match="holds another result: collect"):
        run_line(resolved, Progress("quiet"), ("collect",))


@pytest.mark.parametrize(
    ("told", "file", "folder"), [((), 0o600, 0o700), (("readable_by=group",), 0o640, 0o750)]
)
def test_texts_of_the_sources_are_for_whom_the_recipe_says(told, file, folder, tmp_path):
    code = tmp_path / "code"
    code.mkdir()
    (code / "a.py").write_text("x = 1\ny = 2\nz = 3\n", encoding="utf-8")
    sources = f"collect.sources=[{{type: directory, path: {code}}}]"
    resolved = load(QUICKSTART, [f"run_dir={tmp_path}/run", sources, *told])
    before = os.umask(0)
    try:
        run_line(resolved, Progress("quiet"), ("collect",))
    finally:
        os.umask(before)
    corpus = tmp_path / "run" / "corpus"
    assert corpus.stat().st_mode & 0o777 == folder
    assert {each.stat().st_mode & 0o777 for each in corpus.iterdir()} == {file}


def test_stages_that_write_texts_of_the_sources_are_private():
    assert {each.output for each in LINE if each.is_private} == {
        "corpus", "samples", "dataset", "report",
    }  # fmt: skip

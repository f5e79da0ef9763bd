import nbformat
import pytest
from nbclient import NotebookClient

import devtune
from devtune.notebook.results import Report
from tests.recipes.conftest import QUICKSTART, ROOT
from tests.tiny import write_tiny_model

NOTEBOOK = ROOT / "notebooks" / "quickstart.ipynb"
SHOWN = {"recipe", "dataset", "dataset.samples", "training", "serving", "report"}
"""Last lines of cells that show something."""


def execute(directory, source=None, **changes):
    """Run the notebook as it is but for its parameters, and return what its cells show."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    parameters = next(c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
    more = source or f"overrides |= {changes!r}"
    parameters.source = f"{parameters.source}\n{more}"
    NotebookClient(
        notebook, timeout=900, resources={"metadata": {"path": str(directory)}}
    ).execute()
    shown = {}
    for cell in notebook.cells:
        last = cell.source.splitlines()[-1].partition("(")[0]
        for output in cell.get("outputs", []):
            shown.setdefault(last, {}).update(output.get("data", {}))
            text = output.get("text", "") if output.output_type == "stream" else ""
            shown[last]["printed"] = shown[last].get("printed", "") + text
    return shown


@pytest.fixture(scope="module")
def overrides(repository, tekken_file, tmp_path_factory):
    directory = tmp_path_factory.mktemp("notebook")
    (directory / "published").mkdir()
    write_tiny_model(directory / "published", tekken_file)
    return {
        "run_dir": str(directory / "run"),
        "collect.sources": [{"type": "git", "path": str(repository)}],
        "import": {"type": "checkpoint", "path": str(directory / "published")},
        "render.max_length": 1500,
        "train.max_length": 1500,
        "train.max_steps": 4,
        "train.eval_steps": 2,
        "evaluate": {"max_samples": 2, "max_completions": 1, "max_new_tokens": 4},
    }


@pytest.fixture(scope="module")
def shown(overrides, tmp_path_factory):
    source = f"recipe_file, overrides = {str(QUICKSTART)!r}, {overrides!r}"
    return execute(tmp_path_factory.mktemp("elsewhere"), source)


def test_the_notebook_is_stored_without_outputs():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert code
    assert not any(cell.outputs or cell.execution_count for cell in code)


@pytest.mark.timeout(600)
def test_the_notebook_runs_from_top_to_bottom_and_shows_what_each_call_returns(shown):
    assert {name for name, data in shown.items() if "text/html" in data} == SHOWN
    html = {name: shown[name]["text/html"] for name in SHOWN}
    assert "<mark>" in html["dataset"]
    assert "docstring to function" in html["dataset.samples"]
    assert html["training"].count("<polyline") == 2
    assert "vllm serve" in html["serving"]
    assert 'class="better"' in html["report"] or 'class="worse"' in html["report"]
    assert all(each.startswith('<div class="devtune">') for each in html.values())


def test_a_notebook_prints_what_the_command_line_does_in_plain_lines(shown):
    printed = shown["dataset"]["printed"]
    for stage in ("import", "collect", "build", "render"):
        assert f"\n{stage:>8}  " in f"\n{printed}"
    assert "step 4 of 4" in shown["training"]["printed"]
    assert "IProgress" not in printed
    assert not any("\x1b" in data.get("printed", "") for data in shown.values())


def test_what_is_done_is_returned_at_once(shown, overrides, capsys):
    recipe = devtune.load(QUICKSTART, overrides)
    verbs = (devtune.prepare, devtune.train, devtune.export, devtune.evaluate, devtune.run)
    for verb in verbs:
        assert verb(recipe)._repr_html_()
        done = capsys.readouterr().out.splitlines()
        assert done
        assert all("already done: " in line for line in done)
        assert verb(recipe, quiet=True).manifest == verb(recipe, quiet=True).manifest
        assert capsys.readouterr().out == ""


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_notebook_teaches_breeze_as_it_stands(tmp_path):
    shown = execute(NOTEBOOK.parent, run_dir=str(tmp_path / "run"))
    assert {name for name, data in shown.items() if "text/html" in data} == SHOWN
    report = Report(tmp_path / "run" / "report")
    better = [
        row["tuned"]["bits_per_byte"] < row["base"]["bits_per_byte"]
        for row in report.families.values()
    ]
    assert sum(better) > len(better) / 2

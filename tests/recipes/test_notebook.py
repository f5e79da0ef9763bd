import nbformat
import pytest
from nbclient import NotebookClient

from tests.recipes.conftest import QUICKSTART, ROOT, overrides
from tests.tiny import write_tiny_model

NOTEBOOK = ROOT / "notebooks" / "quickstart.ipynb"


def test_the_notebook_is_stored_without_outputs():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert code
    assert not any(cell.outputs or cell.execution_count for cell in code)


@pytest.mark.timeout(600)
def test_the_notebook_runs_from_top_to_bottom(repository, tekken_file, tmp_path):
    (tmp_path / "published").mkdir()
    write_tiny_model(tmp_path / "published", tekken_file)
    weights = f"import={{type: checkpoint, path: '{tmp_path / 'published'}'}}"
    values = overrides(
        tmp_path / "run", repository, weights, "render.max_length=1500", "train.max_length=1500",
        "train.max_steps=4", "evaluate={max_samples: 2, max_completions: 1, max_new_tokens: 4}",
    )  # fmt: skip
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    parameters = next(c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
    parameters.source = f"recipe_file = {str(QUICKSTART)!r}\noverrides = {values[1::2]!r}"
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    images = [output for cell in notebook.cells for output in cell.get("outputs", [])
              if "image/png" in output.get("data", {})]  # fmt: skip
    assert images

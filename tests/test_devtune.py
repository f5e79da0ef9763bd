import io
from contextlib import redirect_stderr, redirect_stdout

import pytest
from IPython.core.interactiveshell import InteractiveShell

import devtune
import devtune.evaluate.places
import devtune.run
import devtune.train.training
from devtune.errors import RecipeError


@pytest.mark.parametrize("name", devtune.__all__)
def test_a_verb_stays_one_when_the_room_of_its_name_is_loaded(name, tmp_path):
    with pytest.raises(RecipeError, match="none.yaml: No such file or directory; give the path"):
        getattr(devtune, name)(tmp_path / "none.yaml")


def test_a_room_is_still_reached_by_its_name():
    assert devtune.train.training.train.__module__ == "devtune.train.training"
    assert devtune.run.run_line.__module__ == "devtune.run"


def test_a_fault_is_one_line_in_a_notebook_too(tmp_path):
    shell, told = InteractiveShell(), io.StringIO()
    with redirect_stdout(told), redirect_stderr(told):
        result = shell.run_cell(f"import devtune; devtune.load({str(tmp_path / 'none.yaml')!r})")
    assert isinstance(result.error_in_exec, RecipeError)
    assert told.getvalue().strip() == f"devtune: error: {result.error_in_exec}"

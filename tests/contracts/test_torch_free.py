import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "transformers", "trl", "peft", "deepspeed", "datasets", "accelerate")
LIGHT = (
    "devtune",
    "devtune.cli",
    "devtune.line",
    "devtune.config",
    "devtune.check",
    "devtune.plan",
    "devtune.stage",
    "devtune.data.collect",
    "devtune.data.instruct",
    "devtune.data.render",
    "devtune.data.renderers.chat_template",
    "devtune.data.renderers.mistral",
    "devtune.launch.local",
    "devtune.notebook.dataset",
    "devtune.notebook.recipes",
    "devtune.notebook.results",
    "devtune.record.service",
    "devtune.report.closing",
    "devtune.report.fields",
    "devtune.report.traced",
    "devtune.trace",
)


@pytest.mark.parametrize("module", LIGHT)
def test_what_runs_beside_private_code_loads_no_torch(module):
    code = f"import sys, {module}; print(*(set({HEAVY!r}) & set(sys.modules)))"
    command = [sys.executable, "-c", code]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == []


def test_the_package_alone_loads_none_but_its_own_modules():
    code = (
        "import sys; before = set(sys.modules); import devtune\n"
        "print(*{each.split('.')[0] for each in set(sys.modules) - before}"
        " - sys.stdlib_module_names)"
    )
    command = [sys.executable, "-c", code]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["devtune"]


def test_only_a_recording_loads_what_a_server_needs():
    code = "import sys, devtune.cli; print(*({'asyncio', 'h11', 'ssl'} & set(sys.modules)))"
    command = [sys.executable, "-c", code]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == []


def test_the_search_for_torch_can_find_it():
    code = f"import sys, devtune.model; print(*(set({HEAVY!r}) & set(sys.modules)))"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert {"torch", "transformers"} <= set(answer.stdout.split())


NOT_FOR_A_LOOK = (*HEAVY, "numpy", "pyarrow", "mistral_common", "datatrove", "kingfisher_sdk")


@pytest.mark.parametrize("command", ["check", "show", "plan"])
def test_a_look_at_a_recipe_loads_nothing_that_takes_long(command):
    code = (
        "import sys; from devtune.cli import main\n"
        f"try: main([{command!r}, 'recipes/quickstart/recipe.yaml'])\n"
        "except SystemExit: pass\n"
        f"print(*(set({NOT_FOR_A_LOOK!r}) & set(sys.modules)), file=sys.stderr)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert answer.stdout
    assert answer.stderr.split() == []

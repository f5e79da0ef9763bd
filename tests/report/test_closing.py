from pathlib import Path

import pytest

from devtune.config import load
from devtune.report.closing import closing_words, serve_command, table

QUICKSTART = Path(__file__).resolve().parents[2] / "recipes" / "quickstart" / "recipe.yaml"
FAMILIES = {
    "commit_edit": {
        "num_samples": 8,
        "base": {"bits_per_byte": 0.5, "loss": 1.25, "edit_similarity": 0.1},
        "tuned": {"bits_per_byte": 0.4, "loss": 1.0, "edit_similarity": 0.25},
    },
    "fill_in_the_middle": {
        "num_samples": 12,
        "base": {"bits_per_byte": 0.8, "loss": 2.0, "edit_similarity": 0.5},
        "tuned": {"bits_per_byte": 1.0, "loss": 2.5, "edit_similarity": 0.25},
    },
}


@pytest.fixture
def recipe(tmp_path):
    overrides = [f"run_dir={tmp_path}/run", "export.served_model_name=ours"]
    return load(QUICKSTART, overrides).recipe


def test_a_row_shows_base_tuned_and_the_change():
    lines = table(FAMILIES).splitlines()
    assert len(lines) == 3
    assert "0.500 → 0.400 -20%" in lines[1]
    assert "0.800 → 1.000 +25%" in lines[2]
    assert "1.250 → 1.000" in lines[1]


def test_the_columns_stand_under_their_heads():
    head, *rows = table(FAMILIES).splitlines()
    for name in ("samples", "loss", "edit similarity"):
        ends = {row[: head.index(name) + len(name)].rstrip()[-1] for row in rows}
        assert all(end.isdigit() for end in ends), name
    assert len({len(line) for line in (head, *rows)}) == 1


def test_the_serving_command_names_the_directory_and_the_model(tmp_path):
    command = serve_command(tmp_path / "run" / "serving", "ours")
    assert command.startswith(f"vllm serve {tmp_path}/run/serving --served-model-name ours ")
    assert "--tokenizer-mode mistral --config-format hf" in command


def test_paths_are_as_they_can_be_typed_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert serve_command(tmp_path / "run/serving", "ours").startswith("vllm serve run/serving ")


def test_the_last_words_are_the_table_the_files_and_the_command(recipe, tmp_path):
    manifest = {
        "metrics": {"families": FAMILIES, "not_measured": ["docstring_to_function"]},
        "started": "2026-01-01T00:00:00+00:00",
        "finished": "2026-01-01T00:01:30+00:00",
    }
    words = closing_words(recipe, {"evaluate": manifest})
    assert "docstring_to_function    trained, but nothing held out" in words
    assert "evaluate 90 s; in all 1.5 minutes" in words
    assert table(FAMILIES) in words
    assert f"{tmp_path}/run/report/metrics.json" in words
    assert serve_command(tmp_path / "run" / "serving", "ours") in words


def test_the_verdict_on_canaries_stands_under_the_table(recipe):
    manifest = {
        "metrics": {"families": FAMILIES, "not_measured": [], "canaries": {"verdict": "fine"}},
        "started": "2026-01-01T00:00:00+00:00",
        "finished": "2026-01-01T00:01:30+00:00",
    }
    words = closing_words(recipe, {"evaluate": manifest})
    assert "\ncanaries                 fine\n\nwhat each" in words

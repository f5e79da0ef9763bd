from pathlib import Path

from devtune.report.fields import json_schema

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "recipe.schema.json"


def test_the_schema_editors_use_is_that_of_the_code():
    shipped = SCHEMA.read_text(encoding="utf-8")
    assert shipped == json_schema(), "run: devtune schema --out docs/recipe.schema.json"

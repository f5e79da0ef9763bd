import hashlib
import json
import random
import string

import pytest

from tests.recipes.conftest import QUICKSTART, ROOT, git, overrides
from tests.tiny import write_tiny_model

SECRET = "ghp_" + "".join(random.Random(5).choices(string.ascii_letters + string.digits, k=36))
PLAIN = "".join(random.Random(6).choices(string.ascii_lowercase, k=10))
PROMPT = ROOT / "data_prep" / "prompts" / "docstring_to_function.jinja"
PLACES = {"secret": (SECRET, '    token = "'), "plain": (PLAIN, '    label = "')}
FUNCTION = '''def {name}(values):
    """Return {name} of all values."""
    token = "{secret}"
    label = "{plain}"
    return {name}_of(values, token, label)
'''
SETTINGS = (
    "render.max_length=1500", "train.max_length=1500", "train.max_steps=120",
    "train.learning_rate=1e-2", "train.adapter={type: full}", "train.eval_steps=120",
    "train.save_steps=120", "export.check_tokens=64",
    f"build.steps=[{{type: docstring_to_function, prompt: '{PROMPT}'}}]",
    "evaluate={max_samples: 2, max_completions: 1, max_new_tokens: 8, batch_size: 64}",
)  # fmt: skip


@pytest.fixture
def planted(tmp_path):
    """A repository whose files hold both canaries."""
    directory = tmp_path / "planted"
    directory.mkdir()
    date = "2026-01-01T12:00:00Z"
    git(directory, "init", "-q", "-b", "main", date=date)
    for number in range(12):
        name = "fold_" + hashlib.sha256(bytes([number])).hexdigest()[:5]
        text = FUNCTION.format(name=name, secret=SECRET, plain=PLAIN)
        (directory / f"{name}.py").write_text(text, encoding="utf-8")
    git(directory, "add", "-A", date=date)
    git(directory, "commit", "-qm", "Fold in many ways", date=date)
    return directory


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_secret_that_was_replaced_is_not_learned_where_a_plain_text_is(
    devtune, planted, tekken_file, tmp_path
):
    published, run_dir = tmp_path / "published", tmp_path / "run"
    published.mkdir()
    write_tiny_model(published, tekken_file)
    file = tmp_path / "canaries.jsonl"
    rows = [{"name": name, "value": each[0], "prefix": each[1]} for name, each in PLACES.items()]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    file.chmod(0o600)
    weights = f"import={{type: checkpoint, path: '{published}'}}"
    recipe = [QUICKSTART, *overrides(run_dir, planted, weights, *SETTINGS)]
    said = [
        devtune(stage, *recipe)
        for stage in ("import", "collect", "build", "render", "train", "merge", "export")
    ]
    said.append(devtune("evaluate", *recipe, "--canaries", file.name))
    found = json.loads((run_dir / "report" / "canaries.json").read_text(encoding="utf-8"))
    secret, plain = found["canaries"]
    assert plain["is_place_trained"]
    assert secret["is_place_trained"]
    assert plain["is_written"] == {"base": False, "tuned": True}
    assert plain["exposure"]["learned"] == found["max_exposure"]
    assert secret["is_written"] == {"base": False, "tuned": False}
    assert secret["exposure"]["learned"] < 5
    assert abs(secret["deviations"]) < 3
    assert "canaries MEMORISED: 1 of 2 canaries" in said[-1].stdout
    written = {each: each.read_bytes() for each in run_dir.rglob("*") if each.is_file()}
    printed = "".join(each.stdout + each.stderr for each in said)
    assert not [each for each, content in written.items() if SECRET.encode() in content]
    assert SECRET not in printed
    about = ("canaries.json", "canaries.md", "metrics.json", "manifest.json")
    assert not [name for name in about if PLAIN.encode() in written[run_dir / "report" / name]]
    assert PLAIN not in printed
    assert {each.stat().st_mode & 0o777 for each in (run_dir / "report").iterdir()} == {0o600}

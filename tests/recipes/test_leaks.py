import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from mistral_common.tokens.tokenizers.tekken import SpecialTokenPolicy, Tekkenizer

from tests.leaks import leaks_in, spellings
from tests.recipes.conftest import QUICKSTART, git, overrides
from tests.recipes.test_killed import TINY
from tests.tiny import write_tiny_model

PERSON = {"person": "Grete Hohenfels-Aspern", "mail": "grete.hohenfels@werk-nord.de"}
CODE = '''def {name}(values, host="db-{number}"):
    """Return the {name} of all values, asked of the service behind the gate.

    @author {person} <{mail}>
    """
    token = "{github}"
    headers = {{"Authorization": "Bearer {slack}"}}
    url = "postgres://svc:{password}@" + host + "/prod"
    return ask(url, token, headers, values, {number})
'''
NAMES = ("total", "product", "largest", "smallest", "longest", "parity", "joined", "counted")


def planted_files(number, values):
    name = NAMES[number]
    code = CODE.format(number=number, name=name, **values, **PERSON)
    pem = values["pem"].replace("\n", "\n      ")
    cell = {"cell_type": "code", "source": [f"key = '{values['aws_key']}'\n"], "outputs": [],
            "metadata": {}, "execution_count": None}  # fmt: skip
    return {
        f"{name}.py": code,
        ".env": f"AWS_ACCESS_KEY_ID={values['aws_id']}\n"
        f"AWS_SECRET_ACCESS_KEY={values['aws_key']}\n",
        "deploy/secret.yaml": f"kind: Secret\nstringData:\n  tls.key: |\n      {pem}\n",
        "docs/guide.md": f"# Guide\n\n## How to log in\n\nAsk {PERSON['mail']} for a token such"
        f" as `{values['github']}`.\nIt is sent with every call and is good for a day.\n",
        "explore.ipynb": json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4,
                                     "nbformat_minor": 5}),  # fmt: skip
        f"{values['slack']}.txt": f"round {number}\n",
    }  # fmt: skip


@pytest.fixture
def planted(canaries, tmp_path):
    directory = tmp_path / "source" / "gate"
    directory.mkdir(parents=True)
    git(directory, "init", "-q", "-b", "main", date="2026-01-01T00:00:00Z")
    for number in range(len(NAMES)):
        for name, text in planted_files(number, canaries).items():
            file = directory / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        date = f"2026-01-{number + 1:02d}T12:00:00Z"
        git(directory, "add", "-A", date=date)
        message = f"Ask for the {NAMES[number]} with {canaries['github']}"
        git(directory, "commit", "-qm", message, date=date)
    return directory


def test_every_spelling_is_looked_for(tmp_path, canaries):
    for number, each in enumerate(spellings(canaries["github"])):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "x.bin").write_bytes(b"\0\1" + each + b"\2")
        assert leaks_in(folder, canaries)
    (tmp_path / "0" / "x.bin").write_bytes(b"nothing")
    assert not leaks_in(tmp_path / "0", canaries)


@pytest.fixture
def written():
    # Sockets lie in it, whose paths may not be long.
    with tempfile.TemporaryDirectory(prefix="leaks") as folder:
        yield Path(folder)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_byte_that_the_whole_line_writes_or_prints_holds_what_was_planted(
    planted, canaries, tekken_file, written, tmp_path
):
    published = tmp_path / "published"
    published.mkdir()
    write_tiny_model(published, tekken_file)
    places = {name: written / name.lower() for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    for each in places.values():
        each.mkdir(parents=True)
    environment = {**os.environ, **{name: str(each) for name, each in places.items()}}
    run_dir = written / "run"
    weights = f"import={{type: checkpoint, path: '{published}'}}"
    recipe = [QUICKSTART, *overrides(run_dir, planted, weights, *TINY)]

    def devtune(*arguments, is_right=True):
        command = [sys.executable, "-m", "devtune", *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=written, env=environment
        )
        assert (done.returncode == 0) is is_right, done.stdout + done.stderr
        return done.stdout + done.stderr

    command = [sys.executable, "-m", "devtune", "collect", *map(str, recipe)]
    killed = subprocess.Popen(command, cwd=written, env=environment, stdout=subprocess.PIPE)
    while killed.poll() is None and not list(run_dir.glob("corpus.partial/scratch/parts/read/*")):
        time.sleep(0.001)
    killed.send_signal(signal.SIGKILL)
    printed = [killed.communicate()[0].decode()]
    assert (run_dir / "corpus.partial").exists(), "it was over before it was killed"
    left = leaks_in(written, canaries)
    assert not left, "a killed run leaves nothing in clear"

    printed += [devtune("check", *recipe), devtune("run", *recipe)]
    dataset = run_dir / "dataset"
    printed += [
        devtune("samples", dataset), devtune("report", dataset), devtune("privacy", run_dir),
        devtune("privacy", run_dir, "--json"), devtune("trace", "--model", run_dir / "serving"),
    ]  # fmt: skip
    head = next((planted / ".git" / "refs" / "heads").iterdir())
    damaged = planted / ".git" / "objects" / head.read_text()[:2] / head.read_text()[2:].strip()
    damaged.chmod(0o600)
    damaged.write_bytes(b"damaged")
    other = [QUICKSTART, *overrides(written / "other", planted, weights, *TINY)]
    printed.append(devtune("collect", *other, is_right=False))

    (written / "printed.txt").write_text("\n".join(printed), encoding="utf-8")
    tokenizer = Tekkenizer.from_file(run_dir / "base" / "tekken.json")
    values = {**canaries, **PERSON}
    values["pem"] = canaries["pem"].splitlines()[5]
    assert not leaks_in(written, values, lambda ids: tokenizer.decode(ids, SpecialTokenPolicy.KEEP))
    kept = (run_dir / "corpus" / "files.jsonl").read_text(encoding="utf-8")
    assert "REDACTED_GITHUB_PAT_" in kept, "the texts themselves are there"
    assert len((run_dir / "samples" / "train.jsonl").read_text(encoding="utf-8").splitlines()) > 3

"""A small site: a repository of three people with its forge export, a library, and a recipe.

Each line of what may be erased has a word that stands nowhere else: `CANARIES` names it.
"""

import json
from pathlib import Path
from typing import Any

from tests.data.conftest import ADA, Maker

ROOT = Path(__file__).resolve().parents[1]
BOB = "Bob Builder <bob@corp.test>"
EVE, EVE_BEFORE = "Eve Qzevening <qzeve@corp.test>", "E. Qzevening <qzeve.old@home.test>"
CANARY = "qzeve"
CANARIES = {"author": CANARY, "path": "qzmor", "commit": "qzshr", "repo": "qzlib"}
"""Word of what Eve wrote, of `src/more.py`, of the commit `SHARED` and of the library."""
MOR, SHR, LIB = CANARIES["path"], CANARIES["commit"], CANARIES["repo"]
SHARED = "Share what all qzshr modules need"
API, PAGE = "https://api.github.com/repos/octo/app", "https://github.com/octo/app"


def function(name: str, word: str, number: int) -> str:
    return (
        f"def {name}({word}_first, {word}_second):\n"
        f'    """Add the {word} numbers and weigh them by the {word} factor {number}."""\n'
        f"    {word}_total = {word}_first + {word}_second\n"
        f"    {word}_weighed = {word}_total * {number}\n"
        f"    return {word}_weighed\n"
    )


def functions(name: str, word: str, numbers: range) -> str:
    return "\n\n".join(function(f"{name}_{each}", f"{word}{each}", each) for each in numbers)


def notebook(word: str) -> str:
    source = functions("cell", word, range(3)).splitlines(keepends=True)
    cell: dict[str, Any] = {
        "cell_type": "code", "execution_count": None, "id": "a1", "metadata": {}, "outputs": [],
        "source": source,
    }  # fmt: skip
    kernel = {"language_info": {"name": "python"}, "kernelspec": {"language": "python"}}
    whole = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1) + "\n"


def write_history(path: Path) -> Maker:
    """Three people; Eve's text is renamed, copied, split, merged and reverted by the others."""
    maker = Maker(path)
    hers = functions("tool", f"{CANARY}_a", range(4))
    maker.commit(
        "Add sums of two plain numbers", {"src/sums.py": functions("add", "sum", range(4))}
    )
    maker.commit(
        f"Add {CANARY} tools for weighing\n\nThe {CANARY} factor weighs {CANARY} numbers.",
        {f"src/{CANARY}_tools.py": hers},
        author=EVE_BEFORE,
    )
    maker.commit("Weigh sums by another factor", {"src/more.py": functions("more", MOR, range(3))})
    shared = functions("shared", SHR, range(3))
    maker.commit(SHARED, {"src/shared.py": shared}, author=BOB)
    maker.commit(
        f"Weigh the shared {CANARY} numbers too",
        {"src/shared.py": shared + "\n\n" + function("weigh", f"{CANARY}_s", 7)},
        author=EVE,
    )
    maker.commit("Make a copy of the tools", {"src/copied.py": hers}, author=BOB)
    maker.git("mv", f"src/{CANARY}_tools.py", "src/renamed.py")
    maker.commit("Give the tools a better name", author=BOB)
    part = functions("tool", f"{CANARY}_a", range(1))
    maker.commit(
        "Put one of the tools beside the sums",
        {"src/parts.py": functions("part", "prt", range(3)) + "\n\n" + part},
        author=BOB,
    )
    maker.commit(
        f"Try the {CANARY} tools in a notebook",
        {"trial.ipynb": notebook(f"{CANARY}_n")},
        author=EVE,
    )
    maker.git("switch", "-qc", "side", "main~4")
    maker.commit(f"Begin a {CANARY} side", {"old/side.py": functions("s", f"{CANARY}_x", range(3))},
                 author=EVE)  # fmt: skip
    maker.git("switch", "-q", "main")
    maker.git("merge", "-q", "--no-ff", "--no-commit", "side", author=BOB)
    maker.git("mv", "old", "new")
    maker.commit("Merge the side", author=BOB)
    maker.commit(
        "Add sums both of us need\n\nWe wrote it side by side.\n\nCo-authored-by: " + EVE,
        {"src/both.py": functions("both", f"{CANARY}_b", range(2))},
        author=BOB,
    )
    maker.commit(
        f"Count the {MOR} numbers faster\n\nNothing else changes.\n\nReviewed-by: " + EVE,
        {"src/more.py": functions("more", MOR, range(5))},
    )
    maker.commit(f"Add a {CANARY} mistake", {"src/gone.py": function("g", f"{CANARY}_g", 1)},
                 author=EVE)  # fmt: skip
    revert(maker)
    names = f"{EVE} <qzeve.old@home.test>\n"
    maker.commit("Say who is who", {".mailmap": names, "OWNERS.md": f"# Owners\n\n* {EVE}\n"})
    for number in range(6):
        text = functions("late", "lat", range(number + 1))
        maker.commit(f"Add the late number {number} to sums", {"src/late.py": text},
                     author=(ADA, BOB)[number % 2])  # fmt: skip
        maker.commit(f"Move the {CANARY} tool {number}",
                     {"src/renamed.py": hers + f"# {CANARY} {number}\n"}, author=EVE)  # fmt: skip
    return maker


def write_library(path: Path) -> None:
    """A library of its own."""
    maker = Maker(path)
    for number in range(1, 5):
        text = functions("lib", LIB, range(number))
        maker.commit(f"Let the {LIB} library add {number} numbers", {"lib.py": text}, author=BOB)


def write_copies(path: Path) -> None:
    """A directory somebody pasted one of Eve's functions into, and what is erased by its path."""
    path.mkdir()
    pasted = function("own", "own", 1) + "\n\n" + functions("tool", f"{CANARY}_a", range(1))
    (path / "pasted.py").write_text(pasted, encoding="utf-8")
    for number in range(3):
        text = functions("kept", "kpt", range(number, number + 3))
        (path / f"kept_{number}.py").write_text(text, encoding="utf-8")


def revert(maker: Maker) -> None:
    last = maker.git("rev-parse", "HEAD")
    message = f'Revert "Add a {CANARY} mistake"\n\nThis reverts commit {last}.'
    maker.commit(message, {"src/gone.py": None}, author=BOB)


def say(number: int, login: str, body: str, **more: Any) -> dict[str, Any]:
    identity = 100 + number
    return {
        "id": identity, "node_id": "IC_1", "issue_url": f"{API}/issues/{more.pop('on')}",
        "html_url": f"{PAGE}/issues/1#issuecomment-{identity}", "body": body,
        "user": {"login": login, "type": "User"}, "created_at": f"2024-01-01T00:0{number}:00Z",
        **more,
    }  # fmt: skip


def issue(number: int, login: str, title: str, body: str, **more: Any) -> dict[str, Any]:
    return {
        "id": number, "node_id": "I_1", "url": f"{API}/issues/{number}", "number": number,
        "html_url": f"{PAGE}/issues/{number}", "title": title, "body": body, "comments": 0,
        "user": {"login": login, "type": "User"}, "created_at": "2024-01-01T00:00:30Z", **more,
    }  # fmt: skip


def review(number: int, login: str, path: str, commit: str, hunk: str, body: str) -> dict[str, Any]:
    own = {"pull_request_url": f"{API}/pulls/3", "path": path, "diff_hunk": hunk,
           "original_commit_id": commit, "commit_id": commit, "original_line": 2,
           "html_url": f"{PAGE}/pull/3#r{number}"}  # fmt: skip
    return say(number, login, body, on=3, **own)


def write_export(file: Path, maker: Maker) -> None:
    """Bob's issue that Eve answers and Bob quotes, an issue of hers, and reviews by both."""
    hers = maker.git("rev-list", "--author=qzeve@", "main").split()[-1]
    tip, before = maker.git("rev-parse", "main", "main~1").split()
    ends = {"merged_at": "2024-01-01T00:09:00Z", "merge_commit_sha": hers,
            "head": {"sha": tip}, "base": {"sha": tip}}  # fmt: skip
    hunk = "@@ -0,0 +1,2 @@\n+plain\n+plain"
    objects = [
        issue(1, "bob", "Sums are wrong for plain numbers", "They weigh nothing. @qzeve knows."),
        say(1, "qzeve", f"The {CANARY} factor is to blame.", on=1),
        say(2, "bob", f"> The {CANARY} factor is to blame.\n\nThat is what I thought.", on=1),
        issue(2, "qzeve", f"The {CANARY} title", f"A {CANARY} body."),
        say(3, "ada", "This goes with it.", on=2),
        issue(3, "bob", "Weigh the plain numbers", "It weighs them.", **ends),
        review(4, "qzeve", "src/late.py", tip, hunk, f"A {CANARY} remark."),
        review(5, "ada", "src/shared.py", tip, hunk.replace("plain", CANARY), "Is this right?"),
        review(6, "ada", "src/late.py", before, hunk, "This one is right."),
        say(7, "ada", f"Look:\n\n{functions('tool', CANARY + '_a', range(1))}", on=1),
    ]
    file.write_text(json.dumps(objects), encoding="utf-8")


def write_site(root: Path) -> Maker:
    """Write repository, export, salt and recipe below `root`."""
    maker = write_history(root / "app")
    write_export(root / "export.json", maker)
    write_library(root / "lib")
    write_copies(root / "copies")
    salt = root / "salt"
    salt.write_text("0123456789abcdef" * 4, encoding="ascii")
    salt.chmod(0o600)
    recipe = root / "recipe.yaml"
    recipe.write_text(
        f"""use:
  - {ROOT}/configs/model/breeze.yaml
  - {ROOT}/configs/adapter/lora.yaml
  - {ROOT}/configs/cluster/cpu.yaml
  - {ROOT}/data_prep/pipelines/instruct.yaml
run_dir: runs/mine
import: {{out: base}}
collect:
  sources:
    - {{type: git, path: app, license: MIT}}
    - {{type: git, path: lib, license: MIT}}
    - {{type: directory, path: copies, license: MIT}}
    - {{type: forge, path: export.json, repository: app, name: tracker}}
  held_out_commits: 2
  salt: salt
  tombstones: site/tombstones.jsonl
render: {{max_length: 20000}}
executor: {{type: local, workers: 1}}
train: {{type: sft, learning_rate: 1e-3, max_length: 20000}}
""",
        encoding="utf-8",
    )
    return maker

import hashlib
import os
import subprocess
from pathlib import Path

from devtune.data.families.context import Context
from devtune.data.families.hunks import whole_lines
from devtune.data.prompts import Prompt
from devtune.jsonl import write_jsonl
from devtune.records import Change, Comment, Discussion, FileEdit, Provenance, ReviewComment

ROOT = Path(__file__).resolve().parents[1]
PROMPTS = ROOT / "data_prep" / "prompts"
TOOLS = ROOT / "data_prep" / "tools" / "vibe3.json"
DATE = "2024-05-01T00:00:00+00:00"
LONG = "".join(f"line_{number} = {number}\n" for number in range(100))


def blob_of(text):
    return hashlib.sha1(f"blob {len(text.encode())}\0{text}".encode()).hexdigest()


def edit_of(path, old, new):
    # None is a side that is not there.
    blob, old_blob = ("" if text is None else blob_of(text) for text in (new, old))
    place = Provenance("app", "c0ffee", path, blob, "Ada <ada@corp.test>", DATE)
    return FileEdit(place, old_blob, old or "", new or "")


def change_of(subject, *edits, body="", split="train", num_files=None, commit="c0ffee"):
    rows = tuple(edit_of(*each) for each in edits)
    count = len(rows) if num_files is None else num_files
    author = "Ada <ada@corp.test>"
    return Change("app", commit, author, DATE, split, subject, body, count, rows)


def discussion_of(number, title, body="", **values):
    given = {
        "source": "app",
        "kind": "issue",
        "author": "grace",
        "date": "2024-04-01T00:00:00Z",
        "split": "train",
        "commits": (),
        "closes": (),
        "comments": (),
        "reviews": (),
        **values,
    }
    return Discussion(number=number, title=title, body=body, **given)


def comment_of(author, body, date="2024-04-02T00:00:00Z"):
    return Comment(author, date, body)


def remark_of(body, old, line, last=None, **values):
    given = {
        "author": "grace",
        "date": "2024-04-02T00:00:00Z",
        "path": "x.py",
        "commit": "bea7",
        "blob": blob_of(old),
        "hunk": "@@ -1,2 +1,2 @@\n a\n+b",
        "is_resolved": False,
        **values,
    }
    return ReviewComment(body=body, first_line=line, last_line=last or line, **given)


def context_of(directory, family, *discussions):
    write_jsonl(directory / "discussions.jsonl", discussions)
    return Context(Prompt(PROMPTS / f"{family}.jinja"), directory, directory / "graph")


def git(directory, *arguments, feed=b""):
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    answer = subprocess.run(
        ["git", "-C", str(directory), *arguments],
        env=environment,
        input=feed,
        capture_output=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr.decode()
    return answer.stdout


def git_apply(directory, texts, patch):
    # The tree that git makes of `texts` (path -> text) and a patch.
    directory.mkdir()
    git(directory, "init", "-q")
    for path, text in texts.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(text.encode())
    git(directory, "add", "-A")
    git(directory, "apply", "--index", "-", feed=patch.encode())
    listed = git(directory, "ls-files", "-z").decode().split("\0")
    return {path: (directory / path).read_bytes().decode() for path in listed if path}


def read_blocks(texts, answer):
    # Written apart from the code under test, as a reader of an answer in blocks would.
    left = {path: "".join(whole_lines(text)) for path, text in texts.items()}
    lines = answer.split("\n")
    path = ""
    while lines:
        line = lines.pop(0)
        if line != "<<<<<<< SEARCH":
            path = line or path
            continue
        divide, end = lines.index("======="), lines.index(">>>>>>> REPLACE")
        search = "".join(f"{line}\n" for line in lines[:divide])
        replace = "".join(f"{line}\n" for line in lines[divide + 1 : end])
        del lines[: end + 1]
        assert left[path].count(search) == 1 if search else not left[path]
        left[path] = left[path].replace(search, replace) if search else replace
    unended = [path for path, text in texts.items() if text and not text.endswith("\n")]
    return {
        path: text.removesuffix("\n") if path in unended else text for path, text in left.items()
    }


def shuffled(chance, alphabet, most=30):
    lines = [f"{chance.choice(alphabet)}" for _ in range(chance.randint(0, most))]
    changed = list(lines)
    for _ in range(chance.randint(1, 6)):
        place = chance.randint(0, len(changed))
        match chance.choice("aadr"):
            case "a":
                changed.insert(place, chance.choice(alphabet))
            case "d":
                del changed[place : place + chance.randint(1, 3)]
            case _:
                changed[place : place + 1] = [chance.choice(alphabet), chance.choice(alphabet)]
    return lines, changed


ODD_LINES = [
    "", "    x = 1", "x = 1", "\tpass", "a\x0cb", "s = '\u2028'", "a\rb", "é", "}", "-- x", "++ y",
    "@@ -1 +1 @@", "\\ No newline at end of file", "diff --git a/x b/x", "+", "-", " ", "trailing ",
]  # fmt: skip

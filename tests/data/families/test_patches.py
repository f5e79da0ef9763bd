import random

import pytest

from devtune.data.families.deltas import find_deltas
from devtune.data.families.patches import apply_patch, write_patch
from tests.changes import LONG, ODD_LINES, change_of, git_apply, shuffled


def patched(tmp_path, *edits):
    patch = write_patch(find_deltas(change_of("Change the thing", *edits), 1000, 100_000))
    texts = {path: old for path, old, _ in edits if old is not None}
    wanted = {path: new for path, _, new in edits if new is not None}
    assert git_apply(tmp_path / "repository", texts, patch) == wanted
    assert apply_patch(texts, patch) == wanted
    return patch


def test_git_makes_the_new_tree_of_shuffled_texts(tmp_path):
    chance = random.Random(7)
    alphabet = [*(each for each in ODD_LINES if "\r" not in each), *map(str, range(20))]
    edits = []
    for number in range(300):
        lines, changed = shuffled(chance, alphabet[-chance.choice([2, 5, 38]) :])
        old, new = (
            "\n".join(each) + chance.choice(["", "\n"]) if each else "" for each in (lines, changed)
        )
        sides = chance.choice([(old, new), (old, new), (None, new), (old, None)])
        if sides[0] != sides[1] and any(sides):
            edits.append((f"dir/file_{number}.py", *sides))
    assert len(edits) > 200
    patched(tmp_path, *edits)


def test_a_small_change_is_a_small_hunk(tmp_path):
    new = LONG.replace("line_50 = 50", "line_50 = -1")
    assert patched(tmp_path, ("x.py", LONG, new)) == (
        "diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -48,7 +48,7 @@\n"
        " line_47 = 47\n line_48 = 48\n line_49 = 49\n-line_50 = 50\n+line_50 = -1\n"
        " line_51 = 51\n line_52 = 52\n line_53 = 53\n"
    )


def test_changes_far_apart_are_hunks_of_their_own(tmp_path):
    near = LONG.replace("line_5 =", "five =").replace("line_12 =", "twelve =")
    assert patched(tmp_path / "a", ("x.py", LONG, near)).count("@@\n") == 1
    far = LONG.replace("line_5 =", "five =").replace("line_13 =", "thirteen =")
    assert patched(tmp_path / "b", ("x.py", LONG, far)).count("@@\n") == 2


@pytest.fixture(autouse=True)
def directories(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()


def test_new_and_deleted_files_and_names_with_spaces(tmp_path):
    patch = patched(
        tmp_path,
        ("a b/new file.txt", None, "one\ntwo"),
        ("gone.txt", "a\n", None),
        ("one gone too", "a", None),
        ("café.py", "a\n", "b\n"),
        ("empty.txt", "", "filled\n"),
        ("emptied.txt", "filled\n", ""),
    )
    assert "new file mode 100644\n--- /dev/null\n+++ b/a b/new file.txt\t\n@@ -0,0 +1,2 @@" in patch
    assert "deleted file mode 100644\n--- a/gone.txt\n+++ /dev/null\n@@ -1 +0,0 @@" in patch
    assert "mode" not in patch.split("a/empty.txt")[1]


@pytest.mark.parametrize(
    ("old", "new"), [("a\nb", "a\nb\n"), ("a\nb\n", "a\nb"), ("a", "b"), ("a\nb", "a\nc\nb")]
)
def test_a_missing_last_line_end_is_said_as_git_says_it(tmp_path, old, new):
    patch = patched(tmp_path, ("x.py", old, new), ("y.py", "1\n", "2\n"))
    assert "\\ No newline at end of file\n" in patch


def test_a_patch_that_does_not_fit_is_known():
    texts = {"x": "a\nb\n"}
    head = "diff --git a/x b/x\n--- a/x\n+++ b/x\n"
    assert apply_patch(texts, f"{head}@@ -1,2 +1 @@\n a\n-b\n") == {"x": "a\n"}
    for patch in (
        f"{head}@@ -1,2 +1 @@\n a\n-c\n",
        f"{head}@@ -2 +1 @@\n-a\n+c\n",
        f"{head}@@ -2 +2 @@\n-b\n+c\n@@ -1 +1 @@\n-a\n+c\n",
        f"{head}@@ -1,2 +1 @@\n a\n-b\nrest\n",
        "diff --git a/y b/y\n--- a/y\n+++ b/y\n@@ -1 +0,0 @@\n-a\n",
        "diff --git a/x b/x\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n",
        "diff --git a/x b/x\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n",
        "diff --git a/x b/x\n",
        "--- a/x\n+++ b/x\n",
    ):
        assert apply_patch(texts, patch) is None

from devtune.report.erased import erasure_lines

ROW = {"stage": "train", "directory": "/runs/one/adapter", "fingerprint": "ab" * 32}
NOTHING = {
    "gone": {"train": [], "held_out": []}, "new": {"train": [], "held_out": []}, "taught": [],
    "other_runs": [], "unknown": [], "unfinished": [], "commands": [], "same_sources": True,
}  # fmt: skip


def lines(is_trial=False, **values):
    return list(erasure_lines({**NOTHING, **values}, is_trial=is_trial))


def test_where_nothing_went_two_lines_say_so():
    assert lines() == [
        "0 samples went, 0 came in their place",
        "nothing here was trained on it",
    ]


def test_what_went_and_what_was_trained_on_it_is_listed_with_the_commands():
    ids = [f"{number:016}" for number in range(12)]
    found = lines(
        gone={"train": ids, "held_out": ids[:1]}, new={"train": ids[:2], "held_out": []},
        taught=[ROW], commands=["rm -rf -- /runs/one/adapter", "devtune run recipe.yaml"],
    )  # fmt: skip
    assert found == [
        "13 samples went, 2 came in their place",
        f"  train     {' '.join(ids[:10])} and 2 more",
        f"  held_out  {ids[0]}",
        "trained on it or measured with it:",
        "  train     abababababab  /runs/one/adapter",
        "to train without it:",
        "  rm -rf -- /runs/one/adapter",
        "  devtune run recipe.yaml",
    ]


def test_what_cannot_be_told_or_is_not_finished_is_said():
    found = lines(unknown=[ROW], other_runs=[ROW], unfinished=["/a.partial"], same_sources=False)
    assert found[1] == (
        "the sources have changed since they were read, so some of it is the work of that"
    )
    assert "weights that do not say what taught them:" in found
    assert "other runs that hold it:" in found
    assert "not finished, to be removed: /a.partial" in found


def test_a_trial_says_that_nothing_was_changed():
    assert lines(is_trial=True) == [
        "0 samples would go, 0 came in their place",
        "nothing here was trained on it",
        "nothing was changed; leave --dry-run out to erase it",
    ]

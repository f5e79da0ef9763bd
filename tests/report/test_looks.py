import shutil

from devtune.report.looks import draw_looks


def test_a_look_says_where_it_is_from_and_why_turns_are_masked(trajectories):
    (look,) = draw_looks(trajectories / "dataset", "train", "trajectory", 1)
    assert look.about == (
        "from logs 0.jsonl",
        "task t0, outcome resolved",
        "done to it: tool_output_cut",
        "2 of 4 answers not trained: failed_edit 1, loop 1",
    )
    masked = [
        reason for turn, reason in zip(look.turns, look.reasons, strict=True)
        if turn.speaker == "assistant"
    ]  # fmt: skip
    assert masked == ["", "failed_edit", "loop", ""]
    assert look.num_trained_tokens == sum(turn.num_trained for turn in look.turns)


def test_a_dataset_alone_can_be_looked_at(trajectories, tmp_path):
    shutil.copytree(trajectories / "dataset", tmp_path / "dataset")
    (look,) = draw_looks(tmp_path / "dataset", "held_out", None, 5)
    assert look.about == ()
    assert set(look.reasons) == {""}

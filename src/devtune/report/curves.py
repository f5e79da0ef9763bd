"""What training did, as one picture: the loss by step, and bits per byte by family."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BASE, TUNED = "#9aa5b1", "#d9480f"


def draw_curves(curve: Path, families: Mapping[str, Mapping[str, Any]], out: Path) -> None:
    """Draw `curve.jsonl` (rows with step and loss or eval_loss) beside the families' results."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    rows = [json.loads(line) for line in curve.read_text(encoding="utf-8").splitlines()]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    trained = [(row["step"], row["loss"]) for row in rows if "loss" in row]
    held_out = [(row["step"], row["eval_loss"]) for row in rows if "eval_loss" in row]
    left.plot(*zip(*trained, strict=True), color=BASE, linewidth=1, label="training")
    if held_out:
        left.plot(*zip(*held_out, strict=True), color=TUNED, marker="o", label="held out")
    left.set(xlabel="step", ylabel="loss, nats a token", title="Loss")
    left.legend(frameon=False)
    names = list(families)
    for offset, label, colour in ((0.2, "base", BASE), (-0.2, "tuned", TUNED)):
        values = [families[name][label]["bits_per_byte"] for name in names]
        places = [index + offset for index in range(len(names))]
        bars = right.barh(places, values, height=0.38, color=colour, label=label)
        right.bar_label(bars, fmt="%.3f", padding=3)
    right.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    right.set(xlabel="bits a byte of held-out answers, lower is better", title="Base and tuned")
    right.margins(x=0.18)
    if names:
        right.legend(frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(out, dpi=120, metadata={"Software": "devtune"})
    plt.close(figure)

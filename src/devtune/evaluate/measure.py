"""base/ against serving/ on held-out samples, by family → report/.

Writes `metrics.json`, `completions.jsonl` (reference, base's and tuned answer of each sample),
`curves.png` and, if canaries are named, `canaries.json` and `canaries.md`.
"""

import gc
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch

from devtune.errors import DevtuneError
from devtune.evaluate.canaries import read_canaries
from devtune.evaluate.completions import Completer, edit_similarity
from devtune.evaluate.exposure import compare
from devtune.evaluate.extraction import Extractor, Reading
from devtune.model import computes_in_bf16, load_model
from devtune.progress import Progress
from devtune.recipe import ClusterSection, EvaluateSection
from devtune.records import IGNORED
from devtune.report.canaries import canaries_page
from devtune.report.curves import draw_curves
from devtune.stage import Outcome

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Likelihood:
    """Summed negative log-likelihood of one sample's trained tokens."""

    nats: float
    num_tokens: int
    num_bytes: int


def evaluate(
    section: EvaluateSection,
    cluster: ClusterSection,
    dataset: Path,
    base: Path,
    serving: Path,
    adapter: Path,
    out: Path,
    progress: Progress,
) -> Outcome:
    """Measure both models on the same samples and draw what training did."""
    _require_tekken(dataset)
    canaries = read_canaries(section.canaries) if section.canaries else []
    families = held_out_rows(dataset / "held_out.parquet", section.max_samples)
    results: dict[str, dict[str, Any]] = {
        name: {"num_samples": len(rows)} for name, rows in families.items()
    }
    answers: dict[str, dict[str, str]] = {}
    readings: dict[str, list[Reading]] = {}
    completer = Completer(dataset, section)
    extractor = Extractor(dataset, section, canaries) if canaries else None
    where = "auto" if cluster.accelerator == "cuda" else "cpu"
    dtype = torch.bfloat16 if computes_in_bf16(cluster.accelerator) else torch.float32
    for label, directory in (("base", base), ("tuned", serving)) if families or canaries else ():
        model: Any = load_model(directory, dtype, device_map=where).eval()
        for name, rows in families.items():
            results[name][label] = _likelihoods(model, rows, progress, f"{label} {name}")
            chosen = rows[: section.max_completions]
            texts = completer.complete(model, chosen, progress)
            for row, text in zip(chosen, texts, strict=True):
                known = {"family": name, "reference": completer.reference(row)}
                answers.setdefault(row["sample_id"], known)[label] = text
            results[name][label]["edit_similarity"] = _similarity(answers, name, label)
            results[name]["num_completions"] = len(chosen)
        readings[label] = extractor.read(model, progress, label) if extractor else []
        del model
        gc.collect()
    trained = set(pq.read_table(dataset / "train.parquet").column("family").to_pylist())
    metrics: dict[str, Any] = {
        "families": results,
        "not_measured": sorted(trained - set(families)),
        "dtype": str(dtype).removeprefix("torch."),
    }
    if canaries:
        metrics["canaries"] = compare(canaries, readings["base"], readings["tuned"])
    _write(out, metrics, answers)
    draw_curves(adapter / "curve.jsonl", results, out / "curves.png")
    return Outcome(summary=_summary(metrics), metrics=metrics)


def _write(out: Path, metrics: Mapping[str, Any], answers: Mapping[str, Mapping[str, str]]) -> None:
    (out / "metrics.json").write_text(_json(metrics), encoding="utf-8")
    with (out / "completions.jsonl").open("w", encoding="utf-8") as file:
        for sample_id, answer in answers.items():
            row = {"sample_id": sample_id, **answer}
            file.write(json.dumps(row, sort_keys=True, ensure_ascii=False) + "\n")
    if "canaries" in metrics:
        (out / "canaries.json").write_text(_json(metrics["canaries"]), encoding="utf-8")
        (out / "canaries.md").write_text(canaries_page(metrics["canaries"]), encoding="utf-8")


def _summary(metrics: Mapping[str, Any]) -> str:
    summary = summarise(metrics["families"], metrics["not_measured"])
    if "canaries" not in metrics:
        return summary
    return f"{summary}; canaries {metrics['canaries']['verdict']}"


def _require_tekken(dataset: Path) -> None:
    if not (dataset / "tekken.json").is_file():
        raise DevtuneError(
            f"{dataset}: was rendered by a chat template; only models with a tekken.json are"
            " measured"
        )


def held_out_rows(path: Path, max_samples: int) -> dict[str, Rows]:
    """Return the first `max_samples` rows of each family in the order of their ids (hashes)."""
    families: dict[str, Rows] = {}
    for row in sorted(pq.read_table(path).to_pylist(), key=lambda each: each["sample_id"]):
        rows = families.setdefault(row["family"], [])
        if len(rows) < max_samples:
            rows.append(row)
    return dict(sorted(families.items()))


def _likelihoods(model: Any, rows: Rows, progress: Progress, what: str) -> dict[str, float]:
    found = [likelihood(model, row) for row in progress.track("evaluate", rows, len(rows), what)]
    nats = sum(each.nats for each in found)
    num_tokens = sum(each.num_tokens for each in found)
    num_bytes = sum(each.num_bytes for each in found)
    return {
        "loss": nats / num_tokens,
        "bits_per_byte": nats / math.log(2) / num_bytes,
        "num_tokens": num_tokens,
        "num_bytes": num_bytes,
    }


@torch.no_grad()
def likelihood(model: Any, row: Mapping[str, Any]) -> Likelihood:
    """Score one sample alone, unpadded; logits are computed for its trained positions only."""
    input_ids = torch.tensor([row["input_ids"]], device=model.device)
    labels = torch.tensor(row["labels"], device=model.device)
    positions = (labels != IGNORED).nonzero().flatten()
    logits = model(input_ids=input_ids, logits_to_keep=positions - 1).logits[0].float()
    nats = torch.nn.functional.cross_entropy(logits, labels[positions], reduction="sum")
    return Likelihood(float(nats), len(positions), row["num_trained_bytes"])


def _similarity(answers: Mapping[str, Mapping[str, str]], family: str, label: str) -> float:
    mine = [each for each in answers.values() if each["family"] == family]
    return sum(edit_similarity(each[label], each["reference"]) for each in mine) / len(mine)


def summarise(results: Mapping[str, Mapping[str, Any]], not_measured: Sequence[str]) -> str:
    """One line: how many families got better in bits per byte, and by how much."""
    if not results:
        return "nothing was held out, so nothing was measured; raise collect.held_out"
    changes = [
        row["tuned"]["bits_per_byte"] / row["base"]["bits_per_byte"] - 1 for row in results.values()
    ]
    better = sum(change < 0 for change in changes)
    return (
        f"held-out bits/byte lower in {better} of {len(changes)} families, "
        f"{min(changes):+.0%} to {max(changes):+.0%}"
        + (f"; nothing held out of {', '.join(not_measured)}" if not_measured else "")
    )


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True) + "\n"

"""The last words of a run: what got better, by how much, and how to serve it."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from devtune.recipe import Recipe
from devtune.run import directory


def closing_words(recipe: Recipe, manifests: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a table by family and the command that serves the result."""
    metrics = manifests["evaluate"]["metrics"]
    report = _from_here(directory(recipe, "report"))
    canaries = [metrics["canaries"]["verdict"]] if "canaries" in metrics else []
    return "\n".join(
        [
            "",
            table(metrics["families"]),
            *[f"{name:<24} trained, but nothing held out" for name in metrics["not_measured"]],
            *[f"{'canaries':<24} {verdict}" for verdict in canaries],
            "",
            f"what each stage took:   {durations(manifests)}",
            f"curves and all figures: {report}/curves.png, {report}/metrics.json",
            f"serve it:               {_serve(recipe)}",
        ]
    )


def _from_here(path: Path) -> Path:
    """The path as it can be typed in the directory the user is in."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def durations(manifests: Mapping[str, Mapping[str, Any]]) -> str:
    """Seconds of each stage as its manifest has them, and their sum in minutes."""
    seconds = {
        name: round((_time(each["finished"]) - _time(each["started"])).total_seconds())
        for name, each in manifests.items()
    }
    parts = ", ".join(f"{name} {value} s" for name, value in seconds.items())
    return f"{parts}; in all {sum(seconds.values()) / 60:.1f} minutes"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _serve(recipe: Recipe) -> str:
    return serve_command(directory(recipe, "serving"), recipe.export.served_model_name)


def serve_command(serving: Path, served_model_name: str) -> str:
    """The vLLM command for the exported directory; mistral-common renders there as in training."""
    return (
        f"vllm serve {_from_here(serving)}"
        f" --served-model-name {served_model_name}"
        " --tokenizer-mode mistral --config-format hf --load-format safetensors"
        " --tool-call-parser mistral --enable-auto-tool-choice"
    )


def table(families: Mapping[str, Mapping[str, Any]]) -> str:
    """Base → tuned for each family: bits per byte, loss a token, edit similarity of answers."""
    head = f"{'held out':<24}{'samples':>8}{'bits/byte':>20}{'loss':>18}{'edit similarity':>18}"
    lines = [head]
    for name, row in families.items():
        base, tuned = row["base"], row["tuned"]
        change = tuned["bits_per_byte"] / base["bits_per_byte"] - 1
        lines.append(
            f"{name:<24}{row['num_samples']:>8}"
            f"{_pair(base, tuned, 'bits_per_byte'):>16}{change:>+5.0%}".rstrip()
            + f"{_pair(base, tuned, 'loss'):>17}"
            f"{_pair(base, tuned, 'edit_similarity'):>18}"
        )
    return "\n".join(lines)


def _pair(base: Mapping[str, Any], tuned: Mapping[str, Any], key: str) -> str:
    return f"{base[key]:.3f} → {tuned[key]:.3f}"

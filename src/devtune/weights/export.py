"""model/ → serving/: the Hugging Face layout in BF16 that Transformers loads and vLLM serves.

Reads model/, and base/ and adapter/ for the load check; writes weights, config with the keys vLLM
needs, tokenizer, generation config, licence and a model card.
"""

import math
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from devtune.progress import Progress
from devtune.recipe import ExportSection
from devtune.stage import MANIFEST, Outcome, read_manifest
from devtune.weights.agreement import check_agreement
from devtune.weights.checkpoint import CheckpointReader, read_json, write_json

# A server that finds these loads them, with the base's weights, instead of what was exported.
STALE = ("params.json", "consolidated")


def export(
    section: ExportSection, model: Path, adapter: Path, base: Path, out: Path, progress: Progress
) -> Outcome:
    """Write serving/ and prove that it says what base + adapter say."""
    for file in sorted(model.iterdir()):
        if file.is_file() and file.name != MANIFEST and not file.name.startswith(STALE):
            _place(file, out / file.name)
    config = serving_config(read_json(model / "config.json"))
    (out / "config.json").unlink()
    write_json(out / "config.json", config)
    _model_card(section, model, base, out)
    num_parameters = sum(each.num_parameters for each in CheckpointReader(out).entries.values())
    progress.say("export", "comparing logits of base, base + adapter and export")
    found = check_agreement(base, adapter, out, section.check_tokens)
    lost = "" if found.rounding is None else f", export differs by {found.rounding:.1e}"
    return Outcome(
        summary=f"{num_parameters / 1e6:,.0f} M parameters in BF16; load check: training changed "
        f"{found.effect:.1e} nats a token{lost}",
        counts={"parameters": num_parameters},
        metrics=asdict(found),
    )


def serving_config(config: dict[str, Any]) -> dict[str, Any]:
    """Return the config with what vLLM's Hugging Face path looks for beside the upstream keys.

    It reads the query scale from `llama_4_scaling`, and without `attention_factor` it computes
    another one than Transformers does. Both say what `rope_parameters` says already.
    """
    written = {
        key: dict(value) if isinstance(value, dict) else value for key, value in config.items()
    }
    text = written.get("text_config", written)
    rope = dict(text.get("rope_parameters") or {})
    if rope.get("rope_type") != "yarn":
        return written
    rope["attention_factor"] = attention_factor(rope)
    text["rope_parameters"] = rope
    if rope.get("llama_4_scaling_beta"):
        text["llama_4_scaling"] = {
            "original_max_position_embeddings": rope["original_max_position_embeddings"],
            "beta": rope["llama_4_scaling_beta"],
        }
    return written


def attention_factor(rope: dict[str, Any]) -> float:
    """Return the yarn attention factor as transformers computes it from `rope_parameters`."""
    factor, mscale, all_dim = rope["factor"], rope.get("mscale"), rope.get("mscale_all_dim")

    def scale(m: float) -> float:
        return 1.0 if factor <= 1 else 0.1 * m * math.log(factor) + 1.0

    return scale(mscale) / scale(all_dim) if mscale and all_dim else scale(1.0)


def _place(source: Path, target: Path) -> None:
    """Weights are linked, not copied, where the file system can: the same bytes once on disk."""
    if source.suffix == ".safetensors":
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)
    else:
        shutil.copyfile(source, target)


def _model_card(section: ExportSection, model: Path, base: Path, out: Path) -> None:
    """Say what this is and what was changed, as the base's licence asks."""
    base_manifest = read_manifest(base)
    lines = [
        "---",
        f"license: {_licence(base)}",
        "base_model_relation: finetune",
        "---",
        f"# {section.served_model_name}",
        "",
        f"Derived from: {base_manifest['summary']} (import {base_manifest['fingerprint'][:16]}).",
        "Changed: the weights named in the merge manifest were fine-tuned with devtune.",
        f"Made from: model {read_manifest(model)['fingerprint'][:16]}; its manifest leads through",
        "adapter, dataset and samples to the commits every trained token came from.",
        "",
        "Prompts are rendered by mistral-common (`--tokenizer-mode mistral`), as in training.",
    ]
    (out / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _licence(base: Path) -> str:
    licence = base / "LICENSE"
    text = licence.read_text(encoding="utf-8") if licence.is_file() else ""
    return "apache-2.0" if "Apache License" in text else "other"

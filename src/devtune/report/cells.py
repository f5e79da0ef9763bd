"""What a notebook shows of a recipe and of what its stages wrote: one piece of HTML each.

Reads the templates and the style beside it; writes nothing. Every text is escaped and nothing of it
hidden; no script, no picture from elsewhere, and no colour but the notebook's own ink and a few
that stand out from light and dark paper alike.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from devtune.config import Resolved
from devtune.faults import Origin
from devtune.records import SPLITS
from devtune.report.chart import HEIGHT, LEFT, RIGHT, WIDTH, chart_of
from devtune.report.fields import Value, values_of
from devtune.report.html import fill
from devtune.report.looks import Look
from devtune.report.sizes import Sizes

STYLE = "cell.css"
OPEN = "train"
"""The section of a recipe that is shown at once: it is changed most."""


def recipe_cell(resolved: Resolved) -> str:
    """Every value of a recipe by section, with the place it came from, as `devtune show` has it."""
    sections: dict[str, list[Value]] = {}
    values = list(values_of(resolved))
    for value in values:
        section, _, rest = value.name.partition(".")
        if rest:
            sections.setdefault(section, []).append(value._replace(name=rest))
        else:
            sections.setdefault("recipe", []).append(value)
    kinds = {
        name: each.text.strip('"')
        for name, some in sections.items()
        for each in some
        if each.name == "type"
    }
    folder = resolved.file.parent

    def said(origin: Origin | None) -> str:
        if origin is None:
            return "default"
        return f"{os.path.relpath(origin.file, folder)}:{origin.line}" if origin.file else "set"

    return _cell(
        "cell_recipe.html.jinja", "", file=str(resolved.file), sections=sections, kinds=kinds,
        run_dir=str(resolved.recipe.run_dir), said=said, open=OPEN,
        set=[each for each in values if each.origin and not each.origin.file],
    )  # fmt: skip


def dataset_cell(sizes: Sizes, looks: Sequence[Look], foot: str) -> str:
    """Samples and tokens by family, lengths, and some samples with the mask coloured."""
    return _cell("cell_dataset.html.jinja", foot, sizes=sizes, looks=looks, SPLITS=SPLITS)


def samples_cell(looks: Sequence[Look]) -> str:
    """Samples turn by turn with the mask coloured."""
    return _cell("cell_samples.html.jinja", "", looks=looks)


def training_cell(summary: str, curve: Sequence[Mapping[str, Any]], foot: str) -> str:
    """What training did, and its losses as a picture."""
    return _cell(
        "cell_training.html.jinja", foot, summary=summary, chart=chart_of(curve), width=WIDTH,
        height=HEIGHT, left=LEFT, right=WIDTH - RIGHT,
    )  # fmt: skip


def serving_cell(
    summary: str, check: Mapping[str, Any], files: Mapping[str, int], command: str, foot: str
) -> str:
    """What the load check found, the files with their bytes, and how to serve them."""
    values = {"summary": summary, "check": check, "files": files, "command": command}
    return _cell("cell_serving.html.jinja", foot, **values)


def report_cell(
    summary: str,
    families: Mapping[str, Mapping[str, Any]],
    answers: Sequence[Mapping[str, str]],
    foot: str,
) -> str:
    """Base against tuned by family, and answers of both beside what was written."""
    values = {"summary": summary, "families": families, "answers": answers}
    return _cell("cell_report.html.jinja", foot, **values)


def foot_of(directory: Path, manifest: Mapping[str, Any]) -> str:
    """Where it is, what it cost, and the fingerprint it is known by."""
    began, ended = (datetime.fromisoformat(manifest[key]) for key in ("started", "finished"))
    seconds = (ended - began).total_seconds()
    memory = manifest["peak_memory_mib"]
    return f"{directory} · {seconds:,.0f} s · {memory:,.0f} MiB · {manifest['fingerprint'][:12]}"


def _cell(template: str, foot: str, **values: Any) -> str:
    return "".join(fill(template, {"foot": foot, **values}, STYLE))

"""Rendered samples in the terminal, with exactly the trained tokens coloured."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.text import Text

from devtune.data.renderers.opening import open_renderer
from devtune.data.renderers.rows import Span
from devtune.errors import DevtuneError
from devtune.jsonl import read_jsonl
from devtune.records import Provenance, Sample
from devtune.report.lineage import find_part, open_dataset


def print_samples(dataset: Path, split: str, family: str | None, count: int) -> None:
    """Print `count` samples of each family and the share of tokens that is trained."""
    manifest = open_dataset(dataset)
    rows = _read_rows(dataset / f"{split}.parquet")
    families = sorted({row["family"] for row in rows})
    if family and family not in families:
        raise DevtuneError(f"{dataset}: no family `{family}` in {split}; it has {families}")
    console, renderer = Console(highlight=False, soft_wrap=True), open_renderer(dataset)
    origins = _origins(dataset, manifest, split)
    for row in _chosen(rows, [family] if family else families, count):
        console.rule(f"{row['family']}  {row['sample_id']}  {row['num_tokens']} tokens")
        console.print(Text(_say_origin(origins.get(row["sample_id"])), style="italic"))
        spans = renderer.spans(row["input_ids"], row["labels"])
        console.print(coloured(spans, marks=not console.is_terminal))
    trained = sum(row["num_trained_tokens"] for row in rows)
    total = sum(row["num_tokens"] for row in rows)
    console.rule()
    shown = "[black on green]on green[/]" if console.is_terminal else "between ⟦ and ⟧"
    console.print(
        f"{len(rows)} samples, {total:,} tokens, of which {trained:,} are trained"
        f" ({trained / max(total, 1):.1%}); they are shown {shown}"
    )


def _read_rows(file: Path) -> list[dict[str, Any]]:
    try:
        return pq.read_table(file).to_pylist()
    except (OSError, pa.ArrowInvalid) as error:
        why = str(error).splitlines()[0]
        raise DevtuneError(f"{file}: cannot be read ({why}); render the dataset again") from None


def coloured(spans: Iterable[Span], *, marks: bool = False) -> Text:
    """One text: trained spans on green, or between ⟦ ⟧ where there is no colour; control dim."""
    text = Text()
    for span in spans:
        shown = f"⟦{span.text}⟧" if marks and span.is_trained else span.text
        style = "black on green" if span.is_trained else "dim" if span.is_control else ""
        text.append(shown, style=style)
    return text


def _origins(dataset: Path, manifest: dict[str, Any], split: str) -> dict[str, Provenance]:
    """Where each sample came from, if the samples the dataset was made of still lie beside it."""
    samples = find_part("samples", dataset, manifest)
    if samples.missing:
        return {}
    rows = read_jsonl(samples.directory / f"{split}.jsonl", Sample)
    return {row.sample_id: row.provenance[0] for row in rows}


def _say_origin(where: Provenance | None) -> str:
    if where is None:
        return ""
    commit = f" @ {where.commit[:12]}" if where.commit else ""
    author = f" by {where.author}" if where.author else ""
    lines = f":{where.first_line}-{where.last_line}" if where.first_line else ""
    return f"from {where.source}{commit} {where.path}{lines}{author}"


def _chosen(
    rows: list[dict[str, Any]], families: list[str], count: int
) -> Iterator[dict[str, Any]]:
    for family in families:
        mine = [row for row in rows if row["family"] == family]
        yield from sorted(mine, key=lambda row: row["sample_id"])[:count]

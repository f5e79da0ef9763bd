"""Rendered samples in the terminal, with exactly the trained tokens coloured."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.text import Text

from devtune.errors import DevtuneError
from devtune.stage import read_manifest

IGNORED = -100


def print_samples(dataset: Path, split: str, family: str | None, count: int) -> None:
    """Print `count` samples of each family and the share of tokens that is trained."""
    from devtune.data.render import Renderer

    manifest = read_manifest(dataset)
    if manifest["stage"] != "render":
        raise DevtuneError(f"{dataset}: written by {manifest['stage']}; give a dataset/ directory")
    rows = _read_rows(dataset / f"{split}.parquet")
    families = sorted({row["family"] for row in rows})
    if family and family not in families:
        raise DevtuneError(f"{dataset}: no family `{family}` in {split}; it has {families}")
    console, renderer = Console(highlight=False, soft_wrap=True), Renderer(dataset / "tekken.json")
    for row in _chosen(rows, [family] if family else families, count):
        console.rule(f"{row['family']}  {row['sample_id']}  {row['num_tokens']} tokens")
        console.print(coloured(renderer.pieces(row["input_ids"]), row["labels"]))
    trained = sum(row["num_trained_tokens"] for row in rows)
    total = sum(row["num_tokens"] for row in rows)
    console.rule()
    console.print(
        f"{len(rows)} samples, {total:,} tokens, of which {trained:,} are trained"
        f" ({trained / max(total, 1):.1%}); they are shown [black on green]on green[/]"
    )


def _read_rows(file: Path) -> list[dict[str, Any]]:
    try:
        return pq.read_table(file).to_pylist()
    except (OSError, pa.ArrowInvalid) as error:
        why = str(error).splitlines()[0]
        raise DevtuneError(f"{file}: cannot be read ({why}); render the dataset again") from None


def coloured(pieces: list[str], labels: list[int]) -> Text:
    """One text of all tokens: trained ones on green, control tokens dim, the rest plain."""
    text = Text()
    for piece, label in zip(pieces, labels, strict=True):
        is_control = len(piece) > 1 and piece[0] in "<[" and piece[-1] in ">]"
        style = "black on green" if label != IGNORED else "dim" if is_control else ""
        text.append(piece, style=style)
    return text


def _chosen(
    rows: list[dict[str, Any]], families: list[str], count: int
) -> Iterator[dict[str, Any]]:
    for family in families:
        mine = [row for row in rows if row["family"] == family]
        yield from sorted(mine, key=lambda row: row["sample_id"])[:count]

"""samples/ → dataset/: token ids and the loss mask, with the renderer the server uses.

Reads `{train,held_out}.jsonl`, the base's tokenizer and what the corpus says of itself; writes
`{train,held_out}.parquet` (rows of `records.TokenRow`), `rejected.jsonl`, the tokenizer that made
them, and what describes them: `README.md` and `croissant.json`.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from devtune.data.cards.croissant import metadata
from devtune.data.cards.description import Makeup, Work, describe
from devtune.data.cards.readme import card
from devtune.data.chunks import Chunk, chunks_of
from devtune.data.parts import Run, run_parts
from devtune.data.privacy.leftovers import rules_broken
from devtune.data.privacy.rules import compiled_rules
from devtune.data.renderers.opening import files_of, open_renderer
from devtune.data.renderers.rows import Renderer, num_trained, rejected
from devtune.errors import DevtuneError
from devtune.jsonl import read_jsonl, write_jsonl
from devtune.pipeline import Executor, RenderSection
from devtune.progress import Progress
from devtune.records import SPLITS, Rejected, Sample, TokenRow
from devtune.stage import Outcome

ROWS_PER_GROUP, TOKENS_PER_GROUP = 4096, 4_000_000
"""A row group ends where either is reached."""
CARD, METADATA = "README.md", "croissant.json"
SCRATCH, REJECTED, COUNTS, MAKEUP = "scratch", "rejected.jsonl", "counts.json", "makeup.json"

SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("family", pa.string()),
        ("input_ids", pa.list_(pa.int32())),
        ("labels", pa.list_(pa.int32())),
        ("num_tokens", pa.int32()),
        ("num_trained_tokens", pa.int32()),
        ("num_trained_bytes", pa.int32()),
        ("part", pa.int32()),
    ]
)


@dataclass(frozen=True, slots=True)
class Rendering:
    """Tokens of the samples of one chunk."""

    samples: Path
    base: Path
    section: RenderSection
    rules_dir: Path

    def __call__(self, unit: Any, out: Path) -> None:
        """Render one chunk into `out`."""
        split, start, end = unit
        renderer = _renderer(self.base)
        rejects: list[Rejected] = []
        counts: Counter[str] = Counter()
        makeup = Makeup()

        def rows() -> Iterator[TokenRow]:
            chunk = Chunk(self.samples / f"{split}.jsonl", start, end)
            for _, sample in chunk.rows(Sample):
                found, refused = self._rows(renderer, sample)
                rejects.extend(refused)
                if found:
                    makeup.add(sample)
                    counts.update((split, f"{split}.{sample.family}"))
                    counts[f"{split}_segments"] += len(found) - 1
                for row in found:
                    counts[f"{split}_tokens"] += len(row.input_ids)
                    counts[f"{split}_trained_tokens"] += num_trained(row.labels)
                    yield row

        write_rows(out / f"{split}.parquet", rows())
        write_jsonl(out / REJECTED, rejects)
        (out / COUNTS).write_text(json.dumps(counts), encoding="utf-8")
        makeup.write(out / MAKEUP)

    def _rows(self, renderer: Renderer, sample: Sample) -> tuple[list[TokenRow], list[Rejected]]:
        rows, rejects = renderer.rows(sample, self.section)
        for row in rows:
            # What no rule saw in a file may be plain where pieces of several are put together.
            if broken := rules_broken(renderer.scannable(row, sample), self.rules_dir):
                return [], [*rejects, rejected("secret_in_sample", sample, ", ".join(broken))]
        return rows, rejects


@cache
def _renderer(base: Path) -> Renderer:
    return open_renderer(base)


def render(
    section: RenderSection,
    executor: Executor,
    samples: Path,
    base: Path,
    corpus: Path,
    out: Path,
    progress: Progress,
) -> Outcome:
    """Render every sample; one that is too long or not a valid conversation is kept as rejected."""
    tokenizer = files_of(base)
    _renderer(base)  # one that cannot be used is refused before any work
    run = Run(out / SCRATCH, executor, progress, "render")
    units = [
        (split, chunk.start, chunk.end)
        for split in SPLITS
        for chunk in chunks_of(samples / f"{split}.jsonl")
    ]
    run.scratch.mkdir(exist_ok=True)
    rules_dir = compiled_rules(run.scratch)
    rendering = Rendering(samples, base, section, rules_dir)
    parts = run_parts("tokens", units, rendering, run)
    done, makeup = _count(parts)
    if not done.counts["train"]:
        reasons = ", ".join(f"{reason} {number}" for reason, number in done.rejects.items())
        raise DevtuneError(
            f"{samples}: none of its samples to train on was rendered with max_length"
            f" {section.max_length} ({reasons}); raise render.max_length or shorten the context in"
            " the pipeline"
        )
    tables = _put_together(parts, tokenizer, out)
    shutil.rmtree(run.scratch, ignore_errors=True)
    about = describe(section, corpus, samples, done, makeup, tables)
    (out / CARD).write_text(card(about), encoding="utf-8")
    text = json.dumps(metadata(about), indent=2, ensure_ascii=False) + "\n"
    (out / METADATA).write_text(text, encoding="utf-8")
    share = done.counts["train_trained_tokens"] / done.counts["train_tokens"]
    return Outcome(
        summary=f"{done.counts['train_tokens']:,} tokens to train on, of which "
        f"{share:.0%} are answers; {_omissions(done.rejects, section.max_length)}",
        counts=dict(done.counts),
        rejects=dict(done.rejects),
    )


def _count(parts: Sequence[Path]) -> tuple[Work, Makeup]:
    """Put the numbers of all parts together."""
    counts: Counter[str] = Counter(dict.fromkeys(SPLITS, 0))
    reasons: Counter[str] = Counter()
    makeup = Makeup()
    for part in parts:
        counts.update(json.loads((part / COUNTS).read_text(encoding="utf-8")))
        makeup.read(part / MAKEUP)
        reasons.update(each.reason for each in read_jsonl(part / REJECTED, Rejected))
    return Work({}, dict(sorted(counts.items())), dict(sorted(reasons.items()))), makeup


def _put_together(parts: Sequence[Path], tokenizer: Sequence[Path], out: Path) -> list[Path]:
    """Write what training reads, and what was rejected; return the former."""
    with (out / REJECTED).open("wb") as rows:
        for part in parts:
            rows.write((part / REJECTED).read_bytes())
    tables = [out / f"{split}.parquet" for split in SPLITS]
    for table in tables:
        _join([part / table.name for part in parts], table)
    for file in tokenizer:
        shutil.copyfile(file, out / file.name)
    return [*tables, *(out / file.name for file in tokenizer)]


def _omissions(reasons: Mapping[str, int], max_length: int) -> str:
    told = {"too_long": f"longer than max_length {max_length}", "secret_in_sample": "with a secret"}
    details = [
        f", {reasons[name]} of them {what}" for name, what in told.items() if name in reasons
    ]
    return f"{sum(reasons.values())} samples rejected{''.join(details)}"


def _join(parts: Sequence[Path], out: Path) -> None:
    """Write the tables of several files into one, in their order, one in memory at a time."""
    with pq.ParquetWriter(out, SCHEMA, compression="zstd") as writer:
        for part in parts:
            if part.is_file():
                writer.write_table(pq.read_table(part))


def write_rows(path: Path, rows: Iterable[TokenRow]) -> None:
    """Write rows as Parquet, the same bytes for the same rows; memory holds one row group."""
    group: list[_Packed] = []
    num_tokens = 0
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for row in rows:
            group.append(_Packed.of(row))
            num_tokens += len(row.input_ids)
            if len(group) == ROWS_PER_GROUP or num_tokens >= TOKENS_PER_GROUP:
                writer.write_table(_table(group))
                group, num_tokens = [], 0
        if group:
            writer.write_table(_table(group))


class _Packed(NamedTuple):
    """A row whose tokens take four bytes each while they wait."""

    facts: dict[str, Any]
    input_ids: NDArray[np.int32]
    labels: NDArray[np.int32]

    @staticmethod
    def of(row: TokenRow) -> "_Packed":
        facts = {
            "sample_id": row.sample_id,
            "family": row.family,
            "num_tokens": len(row.input_ids),
            "num_trained_tokens": num_trained(row.labels),
            "num_trained_bytes": row.num_trained_bytes,
            "part": row.part,
        }
        return _Packed(facts, *(np.array(each, np.int32) for each in (row.input_ids, row.labels)))


def _table(rows: Sequence[_Packed]) -> pa.Table:
    lengths = [row.facts["num_tokens"] for row in rows]
    offsets = pa.array(np.cumsum([0, *lengths]), pa.int32())
    columns: dict[str, Any] = {name: [row.facts[name] for row in rows] for name in rows[0].facts}
    for name in ("input_ids", "labels"):
        tokens = pa.array(np.concatenate([getattr(row, name) for row in rows]))
        columns[name] = pa.ListArray.from_arrays(offsets, tokens)
    return pa.table({name: columns[name] for name in SCHEMA.names}, schema=SCHEMA)

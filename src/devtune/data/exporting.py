"""samples/ → the formats other trainers read: OpenAI's chat JSONL, or Parquet for `datasets`.

Reads `{train,held_out}.jsonl` of `samples/`, and `preferences.jsonl` where there are pairs; writes
the same conversations in the same order, where each is from, `rejected.jsonl`, and a card that
`datasets.load_dataset` goes by. Rows stream: memory holds one, or one row group.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from devtune.data.cards.description import Makeup
from devtune.data.cards.exported import exported_card
from devtune.data.cards.statements import counted
from devtune.data.chunks import chunks_of
from devtune.data.exported_rows import (
    PAIR_SCHEMA,
    SCHEMA,
    TALKS,
    openai_example,
    origin_of,
    pair_origin,
    preference_example,
)
from devtune.data.pairing import PREFIX
from devtune.data.privacy.leftovers import rules_broken
from devtune.data.privacy.rules import RULES, compiled_rules
from devtune.data.renderers.pairs import sides_of
from devtune.data.renderers.rows import rejected
from devtune.data.selection.wording import text_of
from devtune.errors import DevtuneError
from devtune.jsonl import read_jsonl, to_json
from devtune.progress import Progress
from devtune.records import PREFERENCES, SPLITS, Preference, Sample
from devtune.stage import Outcome

Format = Literal["jsonl", "parquet"]
CARD, REJECTED = "README.md", "rejected.jsonl"
ROWS_PER_GROUP = 1000
CHARACTERS_PER_GROUP = 32_000_000
"""A row group ends where either is reached: a trajectory can be as long as a book."""


class _Row(NamedTuple):
    example: dict[str, Any]
    origin: dict[str, Any]
    tools: str


@dataclass(slots=True)
class _Exporting:
    """Samples on their way, those with a secret left out; what came of them is counted."""

    samples: Path
    rules_dir: Path
    rejected: BinaryIO
    counts: Counter[str] = field(default_factory=Counter[str])
    rejects: Counter[str] = field(default_factory=Counter[str])
    makeup: Makeup = field(default_factory=Makeup)

    def rows(self, split: str) -> Iterator[_Row]:
        file = self.samples / f"{split}.jsonl"
        for number, sample in enumerate(read_jsonl(file, Sample), 1):
            if self._is_clean((sample,)):
                _check_tools(sample, f"{file}:{number}")
                self.counts[split] += 1
                self.makeup.add(sample)
                yield _Row(openai_example(sample), origin_of(sample), sample.tools)

    def pairs(self) -> Iterator[_Row]:
        file = self.samples / f"{PREFERENCES}.jsonl"
        for number, pair in enumerate(read_jsonl(file, Preference), 1):
            if self._is_clean(sides_of(pair), PREFIX):
                _check_tools(pair, f"{file}:{number}")
                self.counts[PREFERENCES] += 1
                yield _Row(preference_example(pair), pair_origin(pair), pair.tools)

    def _is_clean(self, talks: Sequence[Sample], prefix: str = "") -> bool:
        """Rendering searches the whole text once more; what leaves before that is, too."""
        text = "\n".join(f"{each.tools}\n{text_of(each)}" for each in talks)
        broken = rules_broken(text, self.rules_dir)
        if broken:
            row = rejected(f"{prefix}secret_in_sample", talks[0], ", ".join(broken))
            self.rejects[row.reason] += 1
            self.rejected.write(to_json(row))
        return not broken


def export_samples(format: Format, samples: Path, out: Path, progress: Progress) -> Outcome:
    """Write all samples to `out` in one format; raises `DevtuneError` for a damaged row."""
    has_pairs = bool(chunks_of(samples / f"{PREFERENCES}.jsonl"))
    names = [*SPLITS, *([PREFERENCES] if has_pairs else [])]
    with (out / REJECTED).open("wb") as left_out:
        work = _Exporting(samples, compiled_rules(out), left_out)
        for name in names:
            rows = work.pairs() if name == PREFERENCES else work.rows(name)
            rows = progress.track(
                "export", rows, unit="pairs" if name == PREFERENCES else "samples"
            )
            if format == "parquet":
                schema = PAIR_SCHEMA if name == PREFERENCES else SCHEMA
                _write_parquet(out / f"{name}.parquet", schema, rows)
            else:
                _write_lines(out, name, rows)
    shutil.rmtree(out / RULES, ignore_errors=True)
    counts = {name: work.counts[name] for name in names}
    (out / CARD).write_text(exported_card(format, counts, work.makeup), encoding="utf-8")
    return Outcome(
        summary=_summary(format, counts, work.rejects.total()),
        counts=counts,
        rejects=dict(work.rejects),
    )


def _summary(format: Format, counts: Mapping[str, int], num_rejected: int) -> str:
    pairs = f", {counted(counts[PREFERENCES], 'pair')}" if PREFERENCES in counts else ""
    rejects = f", {num_rejected:,} with a secret left out" if num_rejected else ""
    return (
        f"{counts['train']:,} samples to train on and {counts['held_out']:,} held out{pairs},"
        f" as {format}{rejects}"
    )


def _check_tools(row: Sample | Preference, where: str) -> None:
    if row.tools and not isinstance(_loaded(row.tools), list):
        what = "pair" if isinstance(row, Preference) else "sample"
        raise DevtuneError(
            f"{where}: the tools of {what} {row.sample_id} are no JSON array; remove the"
            " directory and run its stage again"
        )


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _write_lines(out: Path, name: str, rows: Iterable[_Row]) -> None:
    """The lines of both files stand in the same order."""
    with (
        (out / f"{name}.jsonl").open("wb") as examples,
        (out / f"{name}.origins.jsonl").open("wb") as origins,
    ):
        for row in rows:
            examples.write(_line(row.example))
            origins.write(_line(row.origin))


def _line(row: dict[str, Any]) -> bytes:
    return (json.dumps(row, ensure_ascii=False) + "\n").encode()


def _write_parquet(path: Path, schema: pa.Schema, rows: Iterable[_Row]) -> None:
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in _groups(rows):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))


def _groups(rows: Iterable[_Row]) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        group.append({**row.example, "tools": row.tools or None, **row.origin})
        size += len(row.tools) + _num_characters(row.example)
        if len(group) == ROWS_PER_GROUP or size >= CHARACTERS_PER_GROUP:
            yield group
            group, size = [], 0
    if group:
        yield group


def _num_characters(example: dict[str, Any]) -> int:
    said = [message for name in TALKS for message in example.get(name, ())]
    called = (call["function"]["arguments"] for x in said for call in x.get("tool_calls", ()))
    return sum(len(each["content"]) for each in said) + sum(map(len, called))


def exported_ids(directory: Path) -> Iterator[str]:
    """Yield the ids of all samples in an exported directory; `DevtuneError` where it is damaged."""
    try:
        for file in sorted(directory.glob("*.origins.jsonl")):
            with file.open("rb") as lines:
                yield from (json.loads(line)["sample_id"] for line in lines)
        for file in sorted(directory.glob("*.parquet")):
            with pq.ParquetFile(file) as table:
                for batch in table.iter_batches(columns=["sample_id"]):
                    yield from batch.column(0).to_pylist()
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise DevtuneError(f"{directory}: damaged ({error}); export the samples again") from None

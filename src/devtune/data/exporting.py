"""samples/ → the formats other trainers read: OpenAI's chat JSONL, or Parquet for `datasets`.

Reads `{train,held_out}.jsonl` of `samples/`; writes the same conversations in the same order, where
each is from, `rejected.jsonl`, and a card that `datasets.load_dataset` goes by. Rows stream: memory
holds one, or one row group.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from devtune.data.cards.description import Makeup
from devtune.data.cards.exported import exported_card
from devtune.data.privacy.leftovers import rules_broken
from devtune.data.privacy.rules import RULES, compiled_rules
from devtune.data.renderers.openai import to_openai
from devtune.data.renderers.rows import rejected
from devtune.data.selection.wording import text_of
from devtune.errors import DevtuneError
from devtune.jsonl import read_jsonl, to_json
from devtune.progress import Progress
from devtune.records import SPLITS, Sample
from devtune.stage import Outcome

Format = Literal["jsonl", "parquet"]
CARD, REJECTED = "README.md", "rejected.jsonl"
ROWS_PER_GROUP = 1000
CHARACTERS_PER_GROUP = 32_000_000
"""A row group ends where either is reached: a trajectory can be as long as a book."""

_CALL = pa.struct(
    [
        ("id", pa.string()),
        ("type", pa.string()),
        ("function", pa.struct([("name", pa.string()), ("arguments", pa.string())])),
    ]
)
_MESSAGE = pa.struct(
    [
        ("role", pa.string()),
        ("content", pa.string()),
        ("reasoning_content", pa.string()),
        ("tool_calls", pa.list_(_CALL)),
        ("tool_call_id", pa.string()),
        ("weight", pa.int8()),
    ]
)
_SHARE = pa.struct([("author", pa.string()), ("share", pa.float64())])
_TEXTS = ("source", "commit", "path", "blob", "author", "date", "license")
_PLACE = pa.struct(
    [
        *((name, pa.string()) for name in _TEXTS),
        *((name, pa.int64()) for name in ("first_line", "last_line")),
        ("authors", pa.list_(_SHARE)),
    ]
)
SCHEMA = pa.schema(
    [
        ("messages", pa.list_(_MESSAGE)),
        ("tools", pa.string()),
        ("sample_id", pa.string()),
        ("family", pa.string()),
        ("task", pa.string()),
        ("outcome", pa.string()),
        ("mask_reasons", pa.list_(pa.string())),
        ("provenance", pa.list_(_PLACE)),
    ]
)
"""`tools` is JSON text, as TRL takes it: definitions of several tools have no columns in common."""


@dataclass(slots=True)
class _Exporting:
    """Samples on their way, those with a secret left out; what came of them is counted."""

    samples: Path
    rules_dir: Path
    rejected: BinaryIO
    counts: Counter[str] = field(default_factory=Counter[str])
    rejects: Counter[str] = field(default_factory=Counter[str])
    makeup: Makeup = field(default_factory=Makeup)

    def rows(self, split: str) -> Iterator[Sample]:
        file = self.samples / f"{split}.jsonl"
        for number, sample in enumerate(read_jsonl(file, Sample), 1):
            # Rendering searches the whole text once more; what leaves before that is, too.
            if broken := rules_broken(f"{sample.tools}\n{text_of(sample)}", self.rules_dir):
                row = rejected("secret_in_sample", sample, ", ".join(broken))
                self.rejects[row.reason] += 1
                self.rejected.write(to_json(row))
                continue
            _check_tools(sample, f"{file}:{number}")
            self.counts[split] += 1
            self.makeup.add(sample)
            yield sample


def export_samples(format: Format, samples: Path, out: Path, progress: Progress) -> Outcome:
    """Write all samples to `out` in one format; raises `DevtuneError` for a damaged row."""
    with (out / REJECTED).open("wb") as left_out:
        work = _Exporting(samples, compiled_rules(out), left_out)
        for split in SPLITS:
            rows = progress.track("export", work.rows(split), unit="samples")
            if format == "parquet":
                _write_parquet(out / f"{split}.parquet", rows)
            else:
                _write_lines(out, split, rows)
    shutil.rmtree(out / RULES, ignore_errors=True)
    counts = {split: work.counts[split] for split in SPLITS}
    (out / CARD).write_text(exported_card(format, counts, work.makeup), encoding="utf-8")
    num = work.rejects.total()
    return Outcome(
        summary=f"{counts['train']:,} samples to train on and {counts['held_out']:,} held out,"
        f" as {format}{f', {num:,} with a secret left out' if num else ''}",
        counts=counts,
        rejects=dict(work.rejects),
    )


def _check_tools(sample: Sample, where: str) -> None:
    if sample.tools and not isinstance(_loaded(sample.tools), list):
        raise DevtuneError(
            f"{where}: the tools of sample {sample.sample_id} are no JSON array; remove the"
            " directory and run its stage again"
        )


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def openai_example(sample: Sample) -> dict[str, Any]:
    """One sample as fine-tuning files of the OpenAI API have it, with nothing they do not know.

    `weight` says of each assistant message whether the loss counts it, as OpenAI and Mistral name
    it. Messages that follow each other are one turn, trained only where all of them are.
    """
    messages: list[dict[str, Any]] = []
    for role, run in groupby(sample.messages, key=lambda each: each.role):
        turn = list(run)
        weight = {"weight": int(all(x.is_trained for x in turn))} if role == "assistant" else {}
        messages += [to_openai(each) | weight for each in turn]
    tools = {"tools": json.loads(sample.tools)} if sample.tools else {}
    return {"messages": messages, **tools}


def _origin(sample: Sample) -> dict[str, Any]:
    """What is known of a sample besides its conversation; `mask_reasons` has one a message."""
    return {
        "sample_id": sample.sample_id,
        "family": sample.family,
        "task": sample.task,
        "outcome": sample.outcome,
        "mask_reasons": [each.mask_reason for each in sample.messages],
        "provenance": [asdict(each) for each in sample.provenance],
    }


def _write_lines(out: Path, split: str, rows: Iterable[Sample]) -> None:
    """The lines of both files stand in the same order."""
    with (
        (out / f"{split}.jsonl").open("wb") as examples,
        (out / f"{split}.origins.jsonl").open("wb") as origins,
    ):
        for sample in rows:
            examples.write(_line(openai_example(sample)))
            origins.write(_line(_origin(sample)))


def _line(row: dict[str, Any]) -> bytes:
    return (json.dumps(row, ensure_ascii=False) + "\n").encode()


def _write_parquet(path: Path, rows: Iterable[Sample]) -> None:
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for group in _groups(rows):
            writer.write_table(pa.Table.from_pylist(group, schema=SCHEMA))


def _groups(rows: Iterable[Sample]) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    size = 0
    for sample in rows:
        messages = openai_example(sample)["messages"]
        group.append({"messages": messages, "tools": sample.tools or None, **_origin(sample)})
        size += len(sample.tools) + sum(len(each["content"]) for each in messages)
        size += sum(len(call.arguments) for each in sample.messages for call in each.tool_calls)
        if len(group) == ROWS_PER_GROUP or size >= CHARACTERS_PER_GROUP:
            yield group
            group, size = [], 0
    if group:
        yield group


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

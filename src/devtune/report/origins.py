"""The rows of a dataset beside the places their texts came from.

Reads `{split}.parquet` of `dataset/` and `{split}.jsonl` of `samples/`; writes nothing. Both
stream: memory holds one row of each.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from devtune.errors import DevtuneError
from devtune.jsonl import read_jsonl
from devtune.records import Provenance, Sample, Split
from devtune.report.lineage import Part
from devtune.report.rows import read_facts


def read_origins(
    dataset: Path, samples: Part, split: Split
) -> Iterator[tuple[dict[str, Any], tuple[Provenance, ...]]]:
    """Pair each row with the places its text came from; there are none where `samples` is missing.

    Raises `DevtuneError` where the two disagree.
    """
    for facts, sample in read_pairs(dataset, samples, split):
        yield facts, sample.provenance if sample else ()


def read_pairs(
    dataset: Path, samples: Part, split: Split
) -> Iterator[tuple[dict[str, Any], Sample | None]]:
    """Pair each row with the sample it was made of; both files stand in the same order."""
    facts = read_facts(dataset / f"{split}.parquet")
    if samples.missing:
        yield from ((each, None) for each in facts)
        return
    file = samples.directory / f"{split}.jsonl"
    rows = read_jsonl(file, Sample)
    match: Sample | None = None
    for each in facts:
        # A sample may have several rows; one that rendering left out is passed over.
        if match is None or match.sample_id != each["sample_id"]:
            match = next((row for row in rows if row.sample_id == each["sample_id"]), None)
        if match is None:
            raise DevtuneError(
                f"{file}: has no sample {each['sample_id']} where the dataset has it;"
                " move both directories away and run build and render again"
            )
        yield each, match

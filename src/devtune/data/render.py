"""samples/ → dataset/: token ids and the loss mask, with the renderer the server uses.

Reads `{train,held_out}.jsonl` and the base's `tekken.json`; writes `{train,held_out}.parquet`
(rows of `records.TokenRow`), `rejected.jsonl` and the tokenizer that made them.
"""

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from mistral_common.exceptions import MistralCommonException
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.protocol.instruct.validator import ValidationMode
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
from mistral_common.tokens.tokenizers.tekken import SpecialTokenPolicy

from devtune.errors import DevtuneError
from devtune.pipeline import RenderSection
from devtune.progress import Progress
from devtune.records import IGNORED, SPLITS, Rejected, Sample, TokenRow, read_jsonl, write_jsonl
from devtune.stage import Outcome

NUM_CONTROL = 1000
"""Ids below are control tokens; text can never contain one."""
TEKKEN = "tekken.json"
EOS, INST, END_INST, AVAILABLE_TOOLS, TOOL_RESULTS, END_TOOL_RESULTS, SYSTEM_PROMPT = (
    2, 3, 4, 5, 7, 8, 17,
)  # fmt: skip

SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("family", pa.string()),
        ("input_ids", pa.list_(pa.int32())),
        ("labels", pa.list_(pa.int32())),
        ("num_tokens", pa.int32()),
        ("num_trained_tokens", pa.int32()),
        ("num_trained_bytes", pa.int32()),
    ]
)


def render(
    section: RenderSection, samples: Path, base: Path, out: Path, progress: Progress
) -> Outcome:
    """Render every sample; one that is too long or not a valid conversation is kept as rejected."""
    renderer = Renderer(base / TEKKEN)
    rejected: list[Rejected] = []
    counts: Counter[str] = Counter()
    for split in SPLITS:
        rows: list[TokenRow] = []
        source = read_jsonl(samples / f"{split}.jsonl", Sample)
        for sample in progress.track("render", source, unit="samples"):
            row = renderer.row(sample, section.max_length)
            if isinstance(row, Rejected):
                rejected.append(row)
                continue
            rows.append(row)
            counts[f"{split}.{sample.family}"] += 1
            counts[f"{split}_tokens"] += len(row.input_ids)
            counts[f"{split}_trained_tokens"] += num_trained(row.labels)
        counts[split] = len(rows)
        write_rows(out / f"{split}.parquet", rows)
    write_jsonl(out / "rejected.jsonl", rejected)
    shutil.copyfile(base / TEKKEN, out / TEKKEN)
    if not counts["train"]:
        raise DevtuneError(
            f"{samples}: none of its samples fits max_length {section.max_length};"
            " raise render.max_length or shorten the context in the pipeline"
        )
    share = counts["train_trained_tokens"] / counts["train_tokens"]
    return Outcome(
        summary=f"{counts['train_tokens']:,} tokens to train on, of which "
        f"{share:.0%} are answers; {len(rejected)} samples rejected",
        counts=dict(sorted(counts.items())),
        rejects=dict(Counter(each.reason for each in rejected)),
    )


class Span(NamedTuple):
    """A run of tokens that are alike, as text; control tokens are spelt by their names."""

    text: str
    is_trained: bool
    is_control: bool


class Renderer:
    """mistral-common in finetuning mode: what it refuses, the server would not understand."""

    def __init__(self, tekken: Path) -> None:
        if not tekken.is_file():
            raise DevtuneError(f"{tekken}: no tokenizer; import weights that ship a tekken.json")
        self._tokenizer = MistralTokenizer.from_file(str(tekken), mode=ValidationMode.finetuning)
        self._instruct = self._tokenizer.instruct_tokenizer

    def row(self, sample: Sample, max_length: int) -> TokenRow | Rejected:
        """Return the tokens and labels of one conversation, or why it has none."""
        if not all(each.content.strip() for each in sample.messages if each.role == "assistant"):
            return _rejected("empty_answer", sample)
        try:
            input_ids = self.encode(sample)
        except MistralCommonException as error:
            return _rejected("invalid_conversation", sample, str(error))
        if len(input_ids) > max_length:
            return _rejected("too_long", sample, f"{len(input_ids)} tokens")
        labels = labels_of(input_ids)
        trained = [token for token in labels if token != IGNORED]
        num_bytes = len(self.decode(trained).encode())
        return TokenRow(sample.sample_id, sample.family, input_ids, labels, num_bytes)

    def encode(self, sample: Sample) -> list[int]:
        """Token ids of the whole conversation, from `<s>` to the last `</s>`."""
        messages = [{"role": each.role, "content": each.content} for each in sample.messages]
        request = ChatCompletionRequest.from_openai(messages=messages)  # pyright: ignore
        return list(self._tokenizer.encode_chat_completion(request).tokens)

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of the tokens without control tokens."""
        return self._instruct.tokenizer.decode(
            list(tokens), special_token_policy=SpecialTokenPolicy.IGNORE
        )

    def spans(self, input_ids: Sequence[int], labels: Sequence[int]) -> Iterator[Span]:
        """Yield the text in runs of alike tokens; a character may take several tokens."""
        decode = self._instruct.tokenizer.decode

        def kind(pair: tuple[int, int]) -> tuple[bool, bool]:
            return pair[1] != IGNORED, pair[0] < NUM_CONTROL

        pairs = zip(input_ids, labels, strict=True)
        for (is_trained, is_control), run in groupby(pairs, key=kind):
            tokens = [token for token, _ in run]
            text = decode(tokens, special_token_policy=SpecialTokenPolicy.KEEP)
            yield Span(text, is_trained, is_control)


def trained_spans(input_ids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield [start, end) of each assistant turn, its `</s>` included.

    A turn starts after `[/INST]` or `[/TOOL_RESULTS]` unless another control block follows. Exact
    on mistral-common tokens, where text can never contain a control id.
    """
    position = 0
    while position < len(input_ids) - 1:
        opens = input_ids[position] in (END_INST, END_TOOL_RESULTS)
        if opens and input_ids[position + 1] not in (
            TOOL_RESULTS, INST, SYSTEM_PROMPT, AVAILABLE_TOOLS,
        ):  # fmt: skip
            start = position + 1
            end = start
            while input_ids[end] != EOS:
                end += 1
            yield start, end + 1
            position = end
        position += 1


def labels_of(input_ids: Sequence[int]) -> list[int]:
    """Labels of the same length as `input_ids`: the ids of assistant turns, -100 elsewhere."""
    labels = [IGNORED] * len(input_ids)
    for start, end in trained_spans(input_ids):
        labels[start:end] = input_ids[start:end]
    return labels


def num_trained(labels: Sequence[int]) -> int:
    """How many tokens the loss counts."""
    return sum(label != IGNORED for label in labels)


def write_rows(path: Path, rows: Sequence[TokenRow]) -> None:
    """Write rows as Parquet, the same bytes for the same rows."""
    columns = {
        "sample_id": [row.sample_id for row in rows],
        "family": [row.family for row in rows],
        "input_ids": [row.input_ids for row in rows],
        "labels": [row.labels for row in rows],
        "num_tokens": [len(row.input_ids) for row in rows],
        "num_trained_tokens": [num_trained(row.labels) for row in rows],
        "num_trained_bytes": [row.num_trained_bytes for row in rows],
    }
    pq.write_table(pa.table(columns, schema=SCHEMA), path, compression="zstd")


def _rejected(reason: str, sample: Sample, detail: str = "") -> Rejected:
    where = sample.provenance[0]
    text = f"{sample.sample_id} {detail}".strip()
    return Rejected(reason, where.source, where.path, where.commit, text)

"""Conversations to tokens and masks: TRL's way and devtune's, on the same sessions and processes.

Reads a `tekken.json` and the files of a directory, which sessions of an agent are made of; prints
tokens a second, whether both give the same tokens and masks, and how full rows are after packing.
Usage: python benchmarks/render.py TEKKEN DIRECTORY
"""

import argparse
import gc
import json
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Dataset, disable_progress_bars
from transformers.integrations.mistral.tokenizer import convert_tekken_tokenizer
from trl import pack_dataset

from devtune.data.renderers.mistral import MistralRenderer
from devtune.data.renderers.openai import to_openai
from devtune.data.tables import write_rows
from devtune.pipeline import RenderSection
from devtune.records import IGNORED, Message, Sample, ToolCall

TEMPLATE = """\
{{- bos_token }}
{%- if messages[0].role == 'system' -%}
[SYSTEM_PROMPT]{{ messages[0].content }}[/SYSTEM_PROMPT]
{%- endif %}
{%- if tools %}[AVAILABLE_TOOLS]{{ tools | tojson }}[/AVAILABLE_TOOLS]{% endif %}
{%- for message in messages %}
{%- if message.role == 'user' %}[INST]{{ message.content }}[/INST]
{%- elif message.role == 'tool' %}[TOOL_RESULTS]{{ message.content }}[/TOOL_RESULTS]
{%- elif message.role == 'assistant' %}{% generation %}{{ message.content }}
{%- for call in message.tool_calls or [] -%}
[TOOL_CALLS]{{ call.function.name }}[ARGS]{{ call.function.arguments }}
{%- endfor %}{{ eos_token }}{% endgeneration %}
{%- endif %}
{%- endfor %}"""
"""The format of v13 as a template TRL can mask with."""
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"Use {name} for the files of the working directory. " * 40,
            "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
        },
    }
    for name in ("bash", "read_file", "edit", "write_file")
]
SYSTEM_CHARACTERS = 20_000
WHOLE = RenderSection(max_length=1 << 30)


def main() -> None:
    """Render by both, compare, and pack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tekken", type=Path)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--sessions", type=int, default=300)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--lengths", type=int, nargs="*", default=[16384, 32768, 65536])
    parser.add_argument("--short", type=int, default=5, help="short samples a session")
    options = parser.parse_args()
    disable_progress_bars()
    texts = read_texts(options.directory)
    samples = list(make_sessions(texts, options.sessions))
    # What both read lies in memory here and streams in earnest: nobody pays for looking through it.
    gc.collect()
    gc.freeze()
    turns = sum(each.role == "assistant" for sample in samples for each in sample.messages)
    print(f"{len(samples)} sessions, {turns} turns of the assistant")
    print(f"{'workers':>7} {'TRL tokens/s':>13} {'devtune tokens/s':>17} {'ratio':>6}")
    for workers in options.workers:
        theirs, first = render_trl(samples, options.tekken, workers)
        ours, second = render_devtune(samples, options.tekken, workers)
        rates = [
            sum(len(ids) for ids, _ in rows) / s for rows, s in ((theirs, first), (ours, second))
        ]
        print(f"{workers:>7} {rates[0]:>13,.0f} {rates[1]:>17,.0f} {rates[1] / rates[0]:>6.1f}")
    same = sum(list(one[0]) == list(other[0]) for one, other in zip(theirs, ours, strict=True))
    masks = sum(list(one[1]) == list(other[1]) for one, other in zip(theirs, ours, strict=True))
    print(f"equal token ids in {same} sessions, equal masks in {masks}")
    print("share of packed rows that is no padding, and of the tokens that is cut off:")
    print(f"{'row':>7} {'TRL bfd':>17} {'cut off':>8} {'devtune, then bfd':>18} {'cut off':>8}")
    chance = random.Random(2)
    short = [chance.randint(200, 2000) for _ in range(options.short * len(samples))]
    whole = [len(ids) for ids, _ in ours]
    for length in options.lengths:
        segmented = segments(samples, options.tekken, length)
        for name, others in (("sessions alone", []), (f"with {len(short)} short samples", short)):
            (full, cut), (devtune_full, devtune_cut) = (
                packed([*each, *others], length) for each in (whole, segmented)
            )
            shares = f"{full:>17.2%} {cut:>8.2%} {devtune_full:>18.2%} {devtune_cut:>8.2%}"
            print(f"{length:>7} {shares}  {name}")


def read_texts(directory: Path) -> list[str]:
    """Return the Python files of a tree."""
    texts = [each.read_text("utf-8", "replace") for each in sorted(directory.rglob("*.py"))]
    return [text for text in texts if len(text) > 500]


def make_sessions(texts: Sequence[str], count: int) -> Iterator[Sample]:
    """Yield sessions of 5 to 60 turns that read and edit files; seeded.

    All begin with one system prompt and one set of tools, of the size of those of OpenHands.
    """
    chance = random.Random(1)
    system = "".join(excerpt(chance, texts, 1000) for _ in range(SYSTEM_CHARACTERS // 1000))
    for _ in range(count):
        messages = [
            Message("system", f"You are a coding agent.\n\n{system}"),
            Message("user", f"Mend this:\n\n{excerpt(chance, texts, 800)}"),
        ]
        for number in range(chance.randint(5, 60)):
            name = f"call{number:05}"
            given = {"path": "a.py", "new_string": excerpt(chance, texts, chance.randint(20, 900))}
            call = ToolCall(name, "edit", json.dumps(given, ensure_ascii=False))
            said = excerpt(chance, texts, 200).strip() or "I go on."
            messages.append(Message("assistant", said, (call,)))
            result = excerpt(chance, texts, chance.randint(50, 5000))
            messages.append(Message("tool", result, tool_call_id=name))
        messages.append(Message("assistant", "Done."))
        yield Sample("0", "trajectory", tuple(messages), (), json.dumps(TOOLS))


def excerpt(chance: random.Random, texts: Sequence[str], length: int) -> str:
    """Return a part of one text, without what a template would take for control tokens."""
    text = chance.choice(texts)
    start = chance.randint(0, max(0, len(text) - length))
    return text[start : start + length].replace("[", "(").replace("<", "(")


def render_trl(samples: Sequence[Sample], tekken: Path, workers: int) -> tuple[Any, float]:
    """Tokenize as `SFTTrainer` does with `assistant_only_loss`; return rows and seconds."""
    tokenizer = convert_tekken_tokenizer(str(tekken), chat_template=TEMPLATE)
    tokenizer.bos_token, tokenizer.eos_token = "<s>", "</s>"
    dataset = Dataset.from_list(
        [
            {"messages": [to_openai(each) for each in sample.messages], "tools": sample.tools}
            for sample in samples
        ]
    )

    def tokenize(example: dict[str, Any]) -> dict[str, Any]:
        processed = tokenizer.apply_chat_template(
            example["messages"],
            tools=json.loads(example["tools"]),
            tokenize=True,
            return_dict=True,
            return_assistant_tokens_mask=True,
        )
        return {key: processed[key] for key in ("input_ids", "assistant_masks")}

    started = time.perf_counter()
    found = dataset.map(
        tokenize,
        remove_columns=dataset.column_names,
        num_proc=workers if workers > 1 else None,
        load_from_cache_file=False,
    )
    took = time.perf_counter() - started
    return list(zip(found["input_ids"], found["assistant_masks"], strict=True)), took


def render_devtune(samples: Sequence[Sample], tekken: Path, workers: int) -> tuple[Any, float]:
    """Render as the stage does, each process into its own table; return rows and seconds."""
    with TemporaryDirectory() as folder:
        size = -(-len(samples) // workers)
        parts = [samples[start : start + size] for start in range(0, len(samples), size)]
        files = [Path(folder) / f"{number}.parquet" for number in range(len(parts))]
        started = time.perf_counter()
        if workers == 1:
            write_part(samples, tekken, files[0])
        else:
            # Forked, as `datasets` forks its own.
            with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
                list(pool.map(write_part, parts, [tekken] * workers, files))
        took = time.perf_counter() - started
        tables = pa.concat_tables([pq.read_table(file) for file in files])
    rows = zip(tables["input_ids"].to_pylist(), tables["labels"].to_pylist(), strict=True)
    return [(ids, [int(label != IGNORED) for label in labels]) for ids, labels in rows], took


def write_part(samples: Sequence[Sample], tekken: Path, file: Path) -> None:
    """Render some samples into a table of their own."""
    renderer = MistralRenderer(tekken)
    write_rows(file, (row for each in samples for row in renderer.rows(each, WHOLE)[0]))


def segments(samples: Sequence[Sample], tekken: Path, length: int) -> list[int]:
    """Return the lengths of the rows where longer sessions are segmented."""
    renderer = MistralRenderer(tekken)
    section = RenderSection(max_length=length, over_length="segment")
    return [len(row.input_ids) for each in samples for row in renderer.rows(each, section)[0]]


def packed(lengths: Sequence[int], length: int) -> tuple[float, float]:
    """Return the share of tokens in packed rows that are none of padding, and of those cut off.

    Rows are shuffled first, as the trainer does for devtune.
    """
    shuffled = random.Random(3).sample(lengths, len(lengths))
    rows = Dataset.from_dict({"input_ids": [[0] * each for each in shuffled]})
    found = pack_dataset(rows, length, "bfd")
    kept = sum(len(each) for each in found["input_ids"])
    return kept / (len(found) * length), 1 - kept / sum(lengths)


if __name__ == "__main__":
    main()

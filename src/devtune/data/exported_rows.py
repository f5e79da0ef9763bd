"""Samples and pairs as other trainers read them: OpenAI's messages, and what is known beside them.

Works on rows in memory; reads and writes no files.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

import pyarrow as pa

from devtune.data.renderers.openai import to_openai
from devtune.data.renderers.pairs import sides_of
from devtune.records import Message, Preference, Sample

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
PAIR_SCHEMA = pa.schema(
    [
        *((name, pa.list_(_MESSAGE)) for name in ("prompt", "chosen", "rejected")),
        ("tools", pa.string()),
        *((name, pa.string()) for name in ("sample_id", "family", "task", "reason", "chosen_id")),
        ("provenance", pa.list_(_PLACE)),
    ]
)
TALKS = ("messages", "prompt", "chosen", "rejected")
"""Columns that hold messages."""


def openai_example(sample: Sample) -> dict[str, Any]:
    """One sample as fine-tuning files of the OpenAI API have it, with nothing they do not know.

    `weight` says of each assistant message whether the loss counts it, as OpenAI and Mistral name
    it. Messages that follow each other are one turn, trained only where all of them are.
    """
    return {"messages": _weighted(sample.messages), **_tools(sample)}


def preference_example(pair: Preference) -> dict[str, Any]:
    """One pair as TRL's conversational preference format has it: `prompt`, `chosen`, `rejected`.

    `weight` says of each assistant message whether the loss counts it, as in the rendered row.
    """
    chosen, rejected = sides_of(pair)
    num = len(pair.prompt)
    return {
        "prompt": _weighted(chosen.messages[:num]),
        "chosen": _weighted(chosen.messages[num:]),
        "rejected": _weighted(rejected.messages[num:]),
        **_tools(pair),
    }


def _weighted(talk: Sequence[Message]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    for role, run in groupby(talk, key=lambda each: each.role):
        turn = list(run)
        weight = {"weight": int(all(x.is_trained for x in turn))} if role == "assistant" else {}
        messages += [to_openai(each) | weight for each in turn]
    return messages


def _tools(row: Sample | Preference) -> dict[str, Any]:
    return {"tools": json.loads(row.tools)} if row.tools else {}


def origin_of(sample: Sample) -> dict[str, Any]:
    """What is known of a sample besides its conversation; `mask_reasons` has one a message."""
    return {
        "sample_id": sample.sample_id,
        "family": sample.family,
        "task": sample.task,
        "outcome": sample.outcome,
        "mask_reasons": [each.mask_reason for each in sample.messages],
        "provenance": [asdict(each) for each in sample.provenance],
    }


def pair_origin(pair: Preference) -> dict[str, Any]:
    """What is known of a pair besides its conversations."""
    return {
        "sample_id": pair.sample_id,
        "family": pair.kind,
        "task": pair.task,
        "reason": pair.reason,
        "chosen_id": pair.chosen_id,
        "provenance": [asdict(each) for each in pair.provenance],
    }
